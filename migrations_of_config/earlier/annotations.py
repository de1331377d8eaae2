"""From JSON Schema to Python annotations; what an annotation cannot say is named."""

import keyword
import re
from collections.abc import Iterator
from typing import Any

import attrs

from migrations_of_config.earlier.quarantine import joined

Schema = dict[str, Any]
_SCALARS = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
}
_SAID = frozenset({"type", "description", "enum", "const", "default"})
_SILENT = frozenset({"title"})  # It names the type or the property over again.


@attrs.define
class Writer:
    """Collects what the annotations of one function need and what they cannot say.

    Args:
        names: the names that are taken in the module.
        classes: the sources of the records.
        unsaid: pairs of a path and what stands there.
    """

    names: set[str]
    classes: list[str] = attrs.field(factory=list)
    unsaid: list[tuple[str, Any]] = attrs.field(factory=list)

    def annotation(self, schema: Any, path: str, name: str) -> str:  # noqa: ANN401  (any JSON)
        """The annotation that stands for a schema, without its description and default."""
        if not isinstance(schema, dict):
            self.unsaid.append((path, schema))
            return "Any"
        choices = schema.get("anyOf", schema.get("oneOf"))
        if isinstance(choices, list) and choices:
            return self._union(schema, choices, path, name)
        kinds = schema.get("type")
        if isinstance(kinds, list) and kinds and "enum" not in schema:
            return self._kinds(schema, kinds, path, name)
        if "enum" in schema or "const" in schema:
            return self._literal(schema, path)
        return self._plain(schema, path, name)

    def _union(self, schema: Schema, choices: list[Any], path: str, name: str) -> str:
        key = "anyOf" if "anyOf" in schema else "oneOf"
        self._leave_out(schema, {key}, path)
        parts = [
            self._inner(each, joined(joined(path, key), at), f"{name}{at + 1}")
            for at, each in enumerate(choices)
        ]
        return self._together(parts, joined(path, key), choices)

    def _kinds(self, schema: Schema, kinds: list[Any], path: str, name: str) -> str:
        rest = {key: value for key, value in schema.items() if key != "type"}
        known = [kind for kind in kinds if isinstance(kind, str)]
        others = [kind for kind in known if kind != "null"]
        if len(known) == len(kinds) and len(others) == 1:
            inner = self._plain({**rest, "type": others[0]}, path, name)
            return f"{inner} | None" if "null" in known else inner
        parts = [_SCALARS.get(kind, "") for kind in known]
        self._leave_out(rest, set(), path)
        if len(known) != len(kinds):
            parts = [""]
        return self._together(parts, joined(path, "type"), kinds)

    def _together(self, parts: list[str], path: str, whole: list[Any]) -> str:
        """A union, where a decoder can tell its parts apart: at most one of each JSON type."""
        families = [_family(part) for part in parts]
        if not all(parts) or len(set(families)) != len(families) or "Any" in parts:
            self.unsaid.append((path, whole))
            return "Any"
        return " | ".join(sorted(parts, key=lambda part: part == "None"))

    def _literal(self, schema: Schema, path: str) -> str:
        values = schema["enum"] if "enum" in schema else [schema["const"]]
        self._leave_out(schema, {"type"} if _fits(schema, values) else set(), path)
        if not isinstance(values, list) or not values or not all(map(_is_choice, values)):
            self.unsaid.append((joined(path, "enum" if "enum" in schema else "const"), values))
            return "Any"
        return f"Literal[{', '.join(map(repr, dict.fromkeys(values)))}]"

    def _plain(self, schema: Schema, path: str, name: str) -> str:
        kind = schema.get("type")
        if kind == "array":
            self._leave_out(schema, {"items"}, path)
            return f"list[{self._inner(schema.get('items', {}), joined(path, 'items'), name)}]"
        if kind == "object":
            return self._object(schema, path, name)
        self._leave_out(schema, set(), path)
        if isinstance(kind, str) and kind in _SCALARS:
            return _SCALARS[kind]
        if "type" in schema:
            self.unsaid.append((joined(path, "type"), kind))
        return "Any"

    def _object(self, schema: Schema, path: str, name: str) -> str:
        properties = schema.get("properties", {})
        if not is_record(schema):
            self._leave_out(schema, {"additionalProperties"} if not properties else set(), path)
            return f"dict[str, {self._values(schema, path, name)}]"
        self._leave_out(schema, {"properties", "required", "additionalProperties"}, path)
        if schema.get("additionalProperties", False) is not False:
            self.unsaid.append((f"{path}.additionalProperties", schema["additionalProperties"]))
        record = fresh(camel(name), self.names)
        required = schema.get("required", [])
        lines = [f"class {record}(TypedDict):"]
        for key, part in properties.items():
            inner = joined(joined(path, "properties"), key)
            field = self._field(part, inner, f"{name}_{key}", required=key in required)
            lines.append(f"    {key}: {field}")
        self.classes.append("\n".join(lines))
        return record

    def _values(self, schema: Schema, path: str, name: str) -> str:
        values = schema.get("additionalProperties", True)
        if values is True or schema.get("properties"):
            return "Any"
        if values is False:
            self.unsaid.append((f"{path}.additionalProperties", values))
            return "Any"
        return self._inner(values, joined(path, "additionalProperties"), name)

    def _inner(self, schema: Any, path: str, name: str) -> str:  # noqa: ANN401  (any JSON)
        """The annotation of what an array or a free object holds, which says only its type."""
        kind = self.annotation(schema, path, name)
        for key in ("description", "default"):
            if isinstance(schema, dict) and key in schema:
                self.unsaid.append((joined(path, key), schema[key]))
        return kind

    def _field(self, schema: Any, path: str, name: str, *, required: bool) -> str:  # noqa: ANN401  (any JSON)
        """The annotation of a record's field, which has a description and no default."""
        kind = self.annotation(schema, path, name)
        if isinstance(schema, dict) and "default" in schema:
            self.unsaid.append((joined(path, "default"), schema["default"]))
        field = annotated(kind, schema)
        return field if required else f"NotRequired[{field}]"

    def _leave_out(self, schema: Schema, said: set[str], path: str) -> None:
        """Name each keyword that the annotation does not carry."""
        for key, value in schema.items():
            if key not in _SAID | _SILENT | said:
                self.unsaid.append((joined(path, key), value))
        if not isinstance(schema.get("description", ""), str):
            self.unsaid.append((joined(path, "description"), schema["description"]))


def annotated(kind: str, schema: Any) -> str:  # noqa: ANN401  (any JSON)
    """The annotation with the schema's description, where it has one."""
    text = schema.get("description") if isinstance(schema, dict) else None
    return f"Annotated[{kind}, {text!r}]" if isinstance(text, str) and text else kind


def is_record(schema: Schema) -> bool:
    """Whether an object's properties can be the fields of a class."""
    properties = schema.get("properties")
    required = schema.get("required", [])
    return (
        isinstance(properties, dict)
        and bool(properties)
        and all(map(is_name, properties))
        and isinstance(required, list)
        and all(isinstance(key, str) and key in properties for key in required)
    )


def is_name(text: str) -> bool:
    """Whether Python takes this, as it stands, for an argument or a field."""
    return text.isascii() and text.isidentifier() and not keyword.iskeyword(text)


def camel(text: str) -> str:
    """A class's name."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    return "".join(word[:1].upper() + word[1:] for word in words).lstrip("0123456789") or "Record"


def fresh(name: str, taken: set[str]) -> str:
    """A name that is not taken yet; from now on it is."""
    free = next(each for each in _numbered(name) if each not in taken)
    taken.add(free)
    return free


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def _is_choice(value: Any) -> bool:  # noqa: ANN401  (any JSON)
    return value is None or type(value) in {str, int}


def _fits(schema: Schema, values: Any) -> bool:  # noqa: ANN401  (any JSON)
    """Whether the type says no more than the choices do."""
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    names = {str: "string", int: "integer", type(None): "null"}
    if not isinstance(values, list) or not all(isinstance(kind, str) for kind in kinds):
        return False
    return {names.get(type(value)) for value in values} == set(kinds)


def _family(part: str) -> str:
    if part in {"int", "float"}:
        return "number"
    if part.startswith("Literal["):
        return "str" if "'" in part or '"' in part else "number"
    return "object" if part[:1].isupper() or part.startswith("dict[") else part.partition("[")[0]
