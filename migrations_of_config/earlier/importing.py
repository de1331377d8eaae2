"""From an earlier configuration to a tenant's files and the report on every part of it."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

import attrs

from migrations_of_config import toml
from migrations_of_config.earlier import functions, settings
from migrations_of_config.earlier.expressions import (
    Read,
    UnreadableCodeError,
    module_of,
)
from migrations_of_config.earlier.fields import (
    KNOWN,
    REGISTRATION_JSON,
    SPEC,
    faults_of,
    generation_of,
)
from migrations_of_config.earlier.quarantine import clean, scrub, secret_values
from migrations_of_config.earlier.reading import read_json
from migrations_of_config.earlier.report import Entry, Imported, Lost, Placed, Quarantined
from migrations_of_config.earlier.settings import DOCUMENT, as_json
from migrations_of_config.earlier.spec import read_spec
from migrations_of_config.errors import EarlierConfigError, Fault

_TENANT_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ORDER = ("schema_version", "tenant_id", "display_name", "assistant", "models", "upstream")
_RULE = "a tenant's id is 1 to 63 lower-case letters, digits and inner hyphens"


@attrs.frozen
class Source:
    """An earlier configuration as it was found.

    Args:
        path: of the file or the blob, such as ``configs/acme``.
        content: its bytes.
        read: the bytes of a file beside it by its name; None where there is none.
    """

    path: str
    content: bytes = attrs.field(repr=False)
    read: Read = lambda _: None


@attrs.frozen
class _Fields:
    raw: dict[str, Any] = attrs.field(repr=False)
    generation: str
    unread: tuple[tuple[str, str], ...] = ()


def import_config(
    source: Source, *, tenant_id: str | None = None, display_name: str | None = None
) -> Imported:
    """Read any generation by its shape.

    Args:
        source: the configuration.
        tenant_id: the operator's word for it; else the configuration or its blob's name says.
        display_name: the operator's word for the tenant; else the assistant's name.

    Raises:
        EarlierConfigError: with everything that is wrong.
    """
    found = _read(source)
    secrets = secret_values(found.raw, KNOWN)
    cleaned = clean(found.raw, KNOWN)
    raw: dict[str, Any] = cleaned.value
    found_id, id_faults = _identify(source.path, raw, tenant_id)
    faults = [*faults_of(found.raw), *_required(raw, found.generation), *id_faults]
    if faults:
        raise EarlierConfigError(
            tuple(attrs.evolve(each, field=scrub(each.field, secrets)) for each in faults)
        )
    entries = (
        *settings.secrets(cleaned.quarantined, found_id),
        *settings.entries_of(raw, found_id, display_name),
        *functions.entries_of(raw, source.read, secrets),
        *_unread(found.unread, secrets),
    )
    return Imported(found_id, found.generation, _files(entries, found.generation), entries)


def blob_tenant_id(path: str) -> str | None:
    """The id that a blob's name gives: ``configs/<CLIENT_ID>``, but ``configs/assistant`` none."""
    parts = PurePosixPath(path).parts
    name = parts[-1].removesuffix(".json") if parts else ""
    return name if parts[-2:-1] == ("configs",) and name != "assistant" else None


def _read(source: Source) -> _Fields:
    if source.path.endswith(".toml"):
        words = "this is no earlier configuration: tenant.toml has a schema_version of its own"
        raise EarlierConfigError((Fault("", words),))
    if not source.path.endswith(".py"):
        raw = read_json(source.content)
        return _Fields(raw, generation_of(raw))
    spec = read_spec(source.content, source.read)
    raw = {**spec.raw}
    if not raw.get("instructions"):
        raw |= _instructions_beside(source.read)
    return _Fields(raw, SPEC, spec.unread)


def _instructions_beside(read: Read) -> dict[str, str]:
    content = read("instructions.py")
    if content is None:
        return {}
    try:
        module = module_of(content, read)
        texts = {name: module.value(value) for name, value in module.assigned.items()}
    except (SyntaxError, UnreadableCodeError):
        words = "only running instructions.py would say: write the text itself"
        raise EarlierConfigError((Fault("instructions", words),)) from None
    named = {name.lower(): text for name, text in texts.items() if isinstance(text, str)}
    found = named.get("instructions") or (next(iter(named.values())) if len(named) == 1 else None)
    return {"instructions": found} if found else {}


def _identify(path: str, raw: dict[str, Any], given: str | None) -> tuple[str, list[Fault]]:
    found = given or raw.get("client_id") or blob_tenant_id(path)
    field = "" if given else "client_id" if raw.get("client_id") else ""
    if not found:
        words = "nothing here names the tenant: give its id (--id)"
        return "", [Fault("", words)]
    if not isinstance(found, str) or not _TENANT_ID.fullmatch(found):
        return "", [Fault(field, f"{_RULE}: give one (--id{_suggested(found)})")]
    return found, []


def _suggested(name: object) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", str(name).lower()).strip("-")[:63].strip("-")
    return f" {plain}" if plain else ""


def _required(raw: dict[str, Any], generation: str) -> Iterator[Fault]:
    if generation == REGISTRATION_JSON and not raw.get("instructions"):
        yield Fault("instructions", "required, and missing: write them")


def _unread(unread: Iterable[tuple[str, str]], secrets: frozenset[str]) -> Iterator[Entry]:
    for name, code in unread:
        reason = "this is code, or no field of a client spec"
        visible = scrub(code, secrets)
        if visible != code:
            yield Quarantined(scrub(name, secrets))
        yield Lost(scrub(name, secrets), as_json(visible), reason)


def _files(entries: Iterable[Entry], generation: str) -> dict[str, str]:
    placed = [each for each in entries if isinstance(each, Placed)]
    document: dict[str, Any] = {}
    for each in placed:
        if each.file == DOCUMENT:
            table = document
            for key in each.path[:-1]:
                table = table.setdefault(key, {})
            table[each.path[-1]] = each.value
    ordered = {key: document[key] for key in sorted(document, key=_place)}
    head = f"# Imported from the earlier service's configuration ({generation}).\n\n"
    others = {each.file: each.value for each in placed if each.file != DOCUMENT}
    return {DOCUMENT: head + toml.dumps(ordered), **others}


def _place(key: str) -> int:
    return _ORDER.index(key) if key in _ORDER else len(_ORDER)
