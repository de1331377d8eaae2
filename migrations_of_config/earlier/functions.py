"""What becomes of an earlier configuration's functions: ``[tools]`` and ``tools.py``."""

from collections.abc import Iterator, Sequence

import attrs

from migrations_of_config.earlier import stubs
from migrations_of_config.earlier.annotating import annotate
from migrations_of_config.earlier.expressions import Read
from migrations_of_config.earlier.fields import Raw
from migrations_of_config.earlier.quarantine import joined, scrub
from migrations_of_config.earlier.reading import decoded
from migrations_of_config.earlier.report import Entry, Lost, Placed, Quarantined, Todo
from migrations_of_config.earlier.settings import DOCUMENT, as_json
from migrations_of_config.earlier.stubs import Definition
from migrations_of_config.earlier.tool_modules import ToolModule, look_at

MODULE = "tools.py"
_BESIDE = ("tools.py", "functions.py")


@attrs.frozen
class Given:
    """A tool module that is there already.

    Args:
        file: its name.
        text: its source without secrets.
        quarantined: where secrets stood.
        how: its text has become what it is.
    """

    file: str
    text: str
    quarantined: tuple[str, ...]
    module: ToolModule
    how: str = "as it stands"


def entries_of(raw: Raw, read: Read, secrets: frozenset[str]) -> Iterator[Entry]:
    """What becomes of the functions.

    Args:
        raw: the fields, without secrets.
        read: the bytes of a file beside the configuration; None where there is none.
        secrets: values that must not be written.
    """
    definitions = [*_definitions(raw)]
    names = [*_names(raw)] or [(each.path, each.name) for each in definitions if each.name]
    given = _given(raw, read, secrets) if names or raw.get("functions_module") else None
    yield from _nothing(raw)
    if given:
        given = _annotated(given, definitions)
        yield from _from_module(given, raw, definitions, names)
    elif names or definitions:
        yield from _from_schemas(definitions, names)
    if given or names or definitions:
        yield from _offered(names, bool(_listed(raw)))
    if raw.get("functions_module") and given is None:
        yield from _module_elsewhere(raw["functions_module"])


def _definitions(raw: Raw) -> Iterator[Definition]:
    for field in ("function_definitions", "functions"):
        yield from stubs.definitions_of(field, raw.get(field) or [])


def _listed(raw: Raw) -> list[str]:
    return raw.get("function_names") or []


def _names(raw: Raw) -> Iterator[tuple[str, str]]:
    for at, name in enumerate(_listed(raw)):
        yield joined("function_names", at), name


def _nothing(raw: Raw) -> Iterator[Entry]:
    for field in ("function_names", "function_definitions", "functions", "functions_module"):
        if field in raw and not raw[field]:
            yield Lost(field, as_json(raw[field]), "it is empty", notice=True)


def _given(raw: Raw, read: Read, secrets: frozenset[str]) -> Given | None:
    named = raw.get("functions_module")
    for file in _spellings(named) if named else _BESIDE:
        content = read(file)
        module = look_at(content) if content is not None else None
        if content is not None and module is not None and module.has_map:
            return _without_secrets(file, decoded(content), secrets, module)
    return None


def _spellings(module: str) -> Iterator[str]:
    """The files that a module's path or dotted name may mean, beside the configuration."""
    if module.endswith(".py"):
        yield module
    else:
        yield f"{module.replace('.', '/')}.py"
        yield f"{module.rpartition('.')[2]}.py"


def _without_secrets(file: str, text: str, secrets: frozenset[str], module: ToolModule) -> Given:
    clean = scrub(text, secrets)
    before, after = text.splitlines(), clean.splitlines()
    lines = [at for at, (old, new) in enumerate(zip(before, after, strict=False), 1) if old != new]
    found = tuple(f"{file}:{line}" for line in lines) if clean != text else ()
    return Given(file, clean, found, module)


def _annotated(given: Given, definitions: Sequence[Definition]) -> Given:
    """The module with the types and docstrings that it lacks and a schema says."""
    text = annotate(given.text, {each.name: each.body for each in definitions})
    if text == given.text:
        return given
    how = "with the types and docstrings of the schemas"
    return attrs.evolve(given, text=text, module=look_at(text.encode()), how=how)


def _from_module(
    given: Given, raw: Raw, definitions: Sequence[Definition], names: Sequence[tuple[str, str]]
) -> Iterator[Entry]:
    source = "functions_module" if raw.get("functions_module") else given.file
    yield Placed(source, MODULE, (), given.text, f"{given.file}, {given.how}; it was not run")
    yield from map(Quarantined, given.quarantined)
    yield from (Todo(f"mend {MODULE}, {problem}") for problem in given.module.problems)
    if given.module.names is not None:
        for _, name in names:
            if name not in given.module.names:
                yield Todo(f"write {name} into {MODULE}: its TOOL_MAP has no such function")
    reason = f"a schema is made from the function's signature in {MODULE} now: compare them"
    for each in definitions:
        yield Lost(each.path, as_json(each.body), reason)


def _from_schemas(
    definitions: Sequence[Definition], names: Sequence[tuple[str, str]]
) -> Iterator[Entry]:
    first: dict[str, Definition] = {}
    for each in definitions:
        if each.name and each.name not in first:
            first[each.name] = each
            continue
        reason = "it is defined twice" if each.name else "it has no name"
        yield Lost(each.path, as_json(each.body), reason)
    undefined = [name for name in dict.fromkeys(name for _, name in names) if name not in first]
    stub = stubs.write([*first.values()], undefined)
    for each in first.values():
        yield Placed(each.path, MODULE, (), stub.source, "its schema is a signature now")
    if not first:
        yield Placed("", MODULE, (), stub.source, "no module was given")
    for path, value in stub.unsaid:
        yield Lost(path, as_json(value), "a signature cannot say this")
    for name in undefined:
        yield Todo(f"write the arguments and the docstring of {name} in {MODULE}: no schema told")
    yield Todo(f"write what each function does into {MODULE}: its bodies are empty")


def _offered(names: Sequence[tuple[str, str]], listed: bool) -> Iterator[Entry]:  # noqa: FBT001  (no caller outside)
    yield Placed("", DOCUMENT, ("tools", "module"), MODULE)
    offered: list[str] = []
    for source, name in names:
        if name in offered:
            yield Lost(source, as_json(name), "it is named twice", notice=True)
            continue
        offered.append(name)
        if listed:
            yield Placed(source, DOCUMENT, ("tools", "functions"), [*offered])
    reason = "as the earlier service ran it"
    yield Placed("", DOCUMENT, ("tools", "isolation"), "inline", reason)
    yield Todo(
        f"read {MODULE} before you serve it: isolation is inline, which runs it in the gateway's"
        " process and is for code that you trust"
    )


def _module_elsewhere(named: str) -> Iterator[Entry]:
    reason = "no file beside the configuration has this name and a TOOL_MAP"
    yield Lost("functions_module", as_json(named), reason)
    yield Todo(f"copy {named} to {MODULE} in the tenant's directory, and write its TOOL_MAP")
