"""Which of a tenant's files are its knowledge, and whether an upstream takes them."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

import attrs

from tenants.knowledge.errors import FileFault, UnfitFilesError
from tenants.model import KnowledgeSettings
from tenants.registry.patterns import Pattern
from tenants.releases.files import is_knowledge

# OpenAI's guide of file search, "Supported files".
_TEXTS_TEXT = "c cpp cs css go html java js json md php py rb sh tex ts txt"
_TEXTS = frozenset(_TEXTS_TEXT.split())
_LONGEST_PATH = 512  # the API reference: of an attribute of a vector store's file
_SUPPORTED = _TEXTS | {"doc", "docx", "pdf", "pptx"}


@attrs.frozen
class Wanted:
    """A file that is to be found by the tenant's assistants.

    Args:
        path: within the tenant's directory.
        sha256: of its content, in hexadecimal.
    """

    path: str
    sha256: str
    content: bytes = attrs.field(repr=False, eq=False)


def choose(settings: KnowledgeSettings, files: Mapping[str, bytes]) -> tuple[Wanted, ...]:
    """The files that the patterns name, by path.

    Args:
        settings: the patterns; ``*`` is anything but a slash, ``**`` is anything.
        files: of the tenant, by name.

    Raises:
        UnfitFilesError: with everything that is wrong with any of them.
    """
    chosen = selected(settings, files)
    faults = [*_unmatched(settings, files)]
    faults += [FileFault(name, words) for name in chosen if (words := _fault(name, files[name]))]
    if faults:
        raise UnfitFilesError(tuple(faults))
    return tuple(Wanted(name, digest_of(files[name]), files[name]) for name in chosen)


def selected(settings: KnowledgeSettings, names: Iterable[str]) -> list[str]:
    """The names that the patterns match, in order."""
    patterns = [Pattern(pattern) for pattern in settings.files]
    return sorted(
        name
        for name in names
        if is_knowledge(name) and any(pattern.matches(name) for pattern in patterns)
    )


def digest_of(content: bytes) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _unmatched(settings: KnowledgeSettings, names: Iterable[str]) -> Iterator[FileFault]:
    if not settings.files:
        yield FileFault("knowledge.files", 'is empty: write files = ["knowledge/*.md"]')
    for place, text in enumerate(settings.files):
        if not selected(attrs.evolve(settings, files=(text,)), names):
            field = f"knowledge.files[{place}]"
            yield FileFault(field, f"no file matches {text}: add one, or remove the pattern")


def _fault(name: str, content: bytes) -> str | None:
    if len(name) > _LONGEST_PATH:
        return f"this path has more than {_LONGEST_PATH} characters: shorten it"
    kind = PurePosixPath(name).suffix.lower().removeprefix(".")
    if kind not in _SUPPORTED:
        return f"this type cannot be searched: make it one of {', '.join(sorted(_SUPPORTED))}"
    if not content.strip():
        return "this is empty: write something, or leave it out"
    if kind in _TEXTS and not _is_text(content):
        return "this is not UTF-8: save it as UTF-8"
    return None


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
    except UnicodeDecodeError:
        return False
    return True
