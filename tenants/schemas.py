"""JSON Schemas of functions' parameters, in the strict form of OpenAI's API where types allow it.

Strict mode (OpenAI's guide "Structured model outputs", "Supported schemas"): every object names all
its properties as required and allows no others, there are no defaults, and only some keywords.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import (
    Annotated,
    Any,
    NotRequired,
    Required,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import attrs
import docstring_parser
import msgspec

Schema = dict[str, Any]

_STRICT_KEYWORDS = (
    {"type", "description", "enum", "const", "anyOf", "properties", "required", "items"}
    | {"additionalProperties", "$ref", "$defs", "format", "pattern", "multipleOf", "minimum"}
    | {"maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"}
)
_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", type(None): "null"}


@attrs.frozen
class Parameter:
    """One argument of a function, as a model is told of it.

    Args:
        annotation: its type, as msgspec reads it.
        default: None for required ones; else a box that holds it.
    """

    name: str
    annotation: Any
    description: str = ""
    default: tuple[Any] | None = None


def parameters_schema(parameters: Sequence[Parameter]) -> tuple[Schema, bool]:
    """The schema of a function's arguments, and whether it is fit for strict mode.

    Raises:
        TypeError: a type or a default has no JSON form.
    """
    annotations = [parameter.annotation for parameter in parameters]
    schemas, components = msgspec.json.schema_components(annotations, ref_template="{name}")
    inline = _Inliner(components, dict(_descriptions(annotations)))
    root = {
        "type": "object",
        "properties": {
            parameter.name: _property(parameter, inline(schema))
            for parameter, schema in zip(parameters, schemas, strict=True)
        },
        "required": [parameter.name for parameter in parameters if parameter.default is None],
    }
    if inline.recursive:
        root["$defs"] = inline.definitions()
    closed = _closed(root)
    strict = _strict(closed)
    return (strict, True) if _is_strict(strict) else (closed, False)


def doc(text: str | None) -> tuple[str, dict[str, str]]:
    """A Google-style docstring as its description and its arguments' descriptions."""
    try:
        parsed = docstring_parser.parse(text or "", docstring_parser.DocstringStyle.GOOGLE)
    except docstring_parser.ParseError:
        return (text or "").strip(), {}
    parts = filter(None, (parsed.short_description, parsed.long_description))
    return "\n\n".join(parts), {item.arg_name: item.description or "" for item in parsed.params}


def annotated_text(annotation: Any) -> str:  # noqa: ANN401  (a typing form)
    """The text in ``Annotated[T, "text"]``; empty where there is none."""
    if get_origin(annotation) in {NotRequired, Required}:
        annotation = get_args(annotation)[0]
    extras = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((extra for extra in extras if isinstance(extra, str)), "")


def _property(parameter: Parameter, schema: Schema) -> Schema:
    described = {"description": parameter.description} if parameter.description else {}
    default = parameter.default
    return (
        schema
        | described
        | ({} if default is None else {"default": msgspec.to_builtins(default[0], str_keys=True)})
    )


class _Inliner:
    """Puts definitions where they are used, but for recursive ones."""

    def __init__(
        self, components: Mapping[str, Schema], descriptions: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._components = components
        self._descriptions = descriptions
        self.recursive: set[str] = set()

    def __call__(self, schema: Schema, within: tuple[str, ...] = ()) -> Schema:
        name = schema.get("$ref")
        if name is None:
            return _each(schema, lambda part: self(part, within))
        if name in within:
            self.recursive.add(name)
            return {"$ref": f"#/$defs/{name}"}
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        return self(self._described(name), (*within, name)) | siblings

    def definitions(self) -> dict[str, Schema]:
        done: dict[str, Schema] = {}
        while self.recursive - done.keys():
            for name in self.recursive - done.keys():
                done[name] = self(self._described(name), (name,))
        return done

    def _described(self, name: str) -> Schema:
        component = dict(self._components[name])
        component.pop("title", None)
        if "description" in component:
            component["description"] = doc(component["description"])[0]
        texts = self._descriptions.get(name, {})
        properties = component.get("properties", {})
        if properties:
            component["properties"] = {
                key: part | ({"description": texts[key]} if texts.get(key) else {})
                for key, part in properties.items()
            }
        return component


def _each(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """The schema with each of its direct sub-schemas changed."""
    result = dict(schema)
    for key, part in schema.items():
        if key in {"items", "additionalProperties"} and isinstance(part, dict):
            result[key] = change(part)
        elif key in {"anyOf", "prefixItems"}:
            result[key] = [change(each) for each in part]
        elif key in {"properties", "$defs"}:
            result[key] = {name: change(each) for name, each in part.items()}
    return result


def _parts(schema: Schema) -> Iterator[Schema]:
    """The schema and all that is in it."""
    found: list[Schema] = []
    _each(schema, lambda part: found.append(part) or part)  # type: ignore[func-returns-value]
    yield schema
    for part in found:
        yield from _parts(part)


def _closed(schema: Schema) -> Schema:
    """The same, saying what msgspec leaves unsaid: the types of choices, and no other fields."""
    schema = _each(schema, _closed)
    if "properties" in schema:
        schema["additionalProperties"] = False
    if "enum" in schema and "type" not in schema:
        kinds = sorted({_JSON_TYPES[type(value)] for value in schema["enum"]})
        schema["type"] = kinds[0] if len(kinds) == 1 else kinds
    return schema


def _strict(schema: Schema) -> Schema:
    """The same with every optional property that may be null made a required one."""
    schema = _each(schema, _strict)
    properties = schema.get("properties", {})
    for name in properties.keys() - set(schema.get("required", ())):
        if properties[name].get("default", ...) is None and _takes_null(properties[name]):
            del properties[name]["default"]
            schema["required"] = [key for key in properties if key in {*schema["required"], name}]
    return schema


def _takes_null(schema: Schema) -> bool:
    kind = schema.get("type")
    return (
        kind == "null"
        or (isinstance(kind, list) and "null" in kind)
        or any(_takes_null(part) for part in schema.get("anyOf", ()))
    )


def _is_strict(schema: Schema) -> bool:
    return all(
        part.keys() <= _STRICT_KEYWORDS
        and part.keys() & {"type", "anyOf", "$ref"}
        and set(part.get("required", ())) == set(part.get("properties", ()))
        and (part.get("type") != "object" or part.get("additionalProperties") is False)
        and (part.get("type") != "array" or "items" in part)
        for part in _parts(schema)
    )


def _descriptions(annotations: Sequence[Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """What the classes that these types are made of say about their fields."""
    waiting, seen = list(annotations), set()
    while waiting:
        kind = waiting.pop()
        waiting.extend(get_args(kind))
        if id(kind) in seen or not _is_record(kind):
            continue
        seen.add(id(kind))
        hints = get_type_hints(kind, include_extras=True)
        waiting.extend(hints.values())
        texts = doc(kind.__doc__)[1]
        yield (
            kind.__name__,
            {name: annotated_text(hint) or texts.get(name, "") for name, hint in hints.items()},
        )


def _is_record(kind: Any) -> bool:  # noqa: ANN401  (a typing form)
    is_class = isinstance(kind, type)
    return is_typeddict(kind) or (is_class and (dataclasses.is_dataclass(kind) or attrs.has(kind)))
