"""A tool module's skeleton from raw function schemas, which the earlier service kept by hand."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import docstring_parser

from migrations_of_config.earlier.annotations import (
    Schema,
    Writer,
    annotated,
    fresh,
    is_name,
)
from migrations_of_config.earlier.quarantine import joined

_TYPING = ("Annotated", "Any", "Literal", "NotRequired", "TypedDict")
_SILENT = frozenset({"type", "function", "name", "description", "parameters", "strict"})


@attrs.frozen
class Definition:
    """A raw schema.

    Args:
        path: where it stands.
        name: the name under which a model calls it; empty where it has none.
        body: the object with ``name``, ``description`` and ``parameters``.
    """

    path: str
    name: str
    body: Schema


@attrs.frozen
class Stub:
    """A written module.

    Args:
        unsaid: pairs of a path and what stands there, that no signature can say.
    """

    source: str
    unsaid: tuple[tuple[str, Any], ...]


def definitions_of(field: str, schemas: Sequence[Schema]) -> list[Definition]:
    """The definitions in a field, in both forms: bare, and inside ``function``."""
    found = []
    for at, schema in enumerate(schemas):
        path = joined(field, at)
        inner = schema.get("function")
        path, body = (f"{path}.function", inner) if isinstance(inner, dict) else (path, schema)
        name = body.get("name")
        found.append(Definition(path, name if isinstance(name, str) else "", body))
    return found


def write(definitions: Sequence[Definition], undefined: Sequence[str]) -> Stub:
    """Write a module.

    Args:
        definitions: the schemas, each of another name.
        undefined: the names of functions that have no schema.
    """
    writer = Writer({*_TYPING, "TOOL_MAP", "str", "int", "float", "bool", "list", "dict"})
    everything = [*definitions, *(Definition("", name, {}) for name in undefined)]
    functions, entries = [], []
    for each in everything:
        name = fresh(_function_name(each.name), writer.names)
        entries.append(f"    {each.name!r}: {name},")
        functions.append(_function(name, each, writer))
    blocks = [*writer.classes, *functions, "\n".join(["TOOL_MAP = {", *entries, "}"])]
    text = "\n\n\n".join(blocks)
    used = [name for name in _TYPING if re.search(rf"\b{name}\b", text)]
    head = '"""Functions of the assistant; each has its signature and waits for its body."""\n'
    imports = f"\nfrom typing import {', '.join(used)}\n" if used else ""
    return Stub(f"{head}{imports}\n\n{text}\n", tuple(writer.unsaid))


def _function(name: str, definition: Definition, writer: Writer) -> str:
    body, path = definition.body, definition.path
    writer.unsaid += [
        (joined(path, key), value) for key, value in body.items() if key not in _SILENT
    ]
    lines = [*_parameters(definition, writer)]
    head = f"def {name}(*, {', '.join(lines)}) -> str:" if lines else f"def {name}() -> str:"
    if len(head) > 100:  # noqa: PLR2004  (a line's length)
        head = "\n".join(
            [f"def {name}(", "    *,", *(f"    {each}," for each in lines), ") -> str:"]
        )
    text = _docstring(definition, writer)
    words = f"{definition.name} waits for its body in tools.py"
    return f"{head}\n{text}    raise NotImplementedError({words!r})"


def _docstring(definition: Definition, writer: Writer) -> str:
    text = definition.body.get("description")
    if text is None or text == "":
        return ""
    if not isinstance(text, str) or not _survives(text):
        writer.unsaid.append((joined(definition.path, "description"), text))
    if not isinstance(text, str):
        return ""
    lines = [json.dumps(line, ensure_ascii=False)[1:-1] for line in text.split("\n")]
    plain = "\n".join([lines[0], *(f"    {line}" if line else "" for line in lines[1:])])
    plain = plain.replace("\x7f", "\\x7f")
    return f'    """{plain}"""\n'


def _survives(text: str) -> bool:
    """Whether a docstring gives this text back as it is."""
    try:
        parsed = docstring_parser.parse(text, docstring_parser.DocstringStyle.GOOGLE)
    except docstring_parser.ParseError:
        return False
    parts = filter(None, (parsed.short_description, parsed.long_description))
    return "\n\n".join(parts) == text and all(line == line.strip() for line in text.split("\n"))


def _parameters(definition: Definition, writer: Writer) -> Iterator[str]:
    if "parameters" not in definition.body:
        return
    schema = definition.body["parameters"]
    path = joined(definition.path, "parameters")
    properties = schema.get("properties", {}) if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or not isinstance(schema.get("required", []), list):
        writer.unsaid.append((path, schema))
        return
    writer.unsaid += _unsaid_of_root(schema, path, properties)
    for key, part in properties.items():
        inner = joined(joined(path, "properties"), key)
        if not is_name(key):
            writer.unsaid.append((inner, part))
            continue
        if isinstance(part, dict) and "default" in part and key in schema.get("required", []):
            writer.unsaid.append((joined(path, "required"), key))
        kind = writer.annotation(part, inner, f"{definition.name}_{key}")
        yield _parameter(key, part, kind, required=key in schema.get("required", []))


def _parameter(key: str, schema: Any, kind: str, *, required: bool) -> str:  # noqa: ANN401  (any JSON)
    described = schema if isinstance(schema, dict) else {}
    if "default" in described:
        return f"{key}: {annotated(kind, described)} = {described['default']!r}"
    if required:
        return f"{key}: {annotated(kind, described)}"
    nullable = kind if kind == "Any" or kind.endswith("None") else f"{kind} | None"
    return f"{key}: {annotated(nullable, described)} = None"


def _unsaid_of_root(schema: Schema, path: str, properties: Schema) -> Iterator[tuple[str, Any]]:
    for key, value in schema.items():
        if key in {"type", "properties"} and value in ("object", properties):
            continue
        if key == "additionalProperties" and value is False:
            continue
        if key == "required":
            lost = [name for name in value if name not in properties]
            if lost:
                yield joined(path, key), lost
            continue
        yield joined(path, key), value


def _function_name(name: str) -> str:
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return plain if is_name(plain) else f"function_{plain}"
