"""``tenantctl schema``: the JSON Schema of ``tenant.toml``, made from the model."""

import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
import msgspec
import rich_click as click

from tenants import model
from tenants.cli.frame import Command
from tenants.cli.schema_words import WORDS

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# As Python strips texts: what ECMA's \s calls a space is not quite the same.
_SAID = r"^[^\x00]*([^\s\x00\x1c-\x1f\x85]|\ufeff)[^\x00]*$"
_ALIAS = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

Schema = dict[str, Any]


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def _words(longest: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": _SAID}


# What ``tenants.fields`` parses; a test holds each of these against its parser.
VALUES: Mapping[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    model.SecretRef: _text(
        r"^secret:(?=[^@]{1,63}(@|$))[a-z0-9]+(-[a-z0-9]+)*(@(latest|[1-9][0-9]{0,17}))?$"
    ),
    model.TenantId: _text(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"),
    model.AssistantId: _text(r"^asst_[A-Za-z0-9_-]{1,59}$"),
    model.AssistantAlias: _text(rf"^(?!default$|asst_){_ALIAS[1:]}"),
    model.ModelAlias: _text(_ALIAS),
    model.ModelName: _text(r"^[!-~]{1,200}$"),
    model.Name: _words(100),
    model.InitialMessage: _words(32_768),
    model.FilePath: {"type": "string", "minLength": 1, "maxLength": 255},
    model.ModulePath: {"type": "string", "maxLength": 255, "pattern": r"\.py/*$"},
    model.FilePattern: {"type": "string", "minLength": 1, "maxLength": 255},
    model.FunctionName: _text(r"^[A-Za-z0-9_-]{1,64}$"),
    model.SecretName: _text(r"^(?=.{1,63}$)[a-z0-9]+(-[a-z0-9]+)*$"),
    model.HostName: _text(r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"),
    model.Url: {"type": "string", "format": "uri"},
    model.Origin: {"type": "string", "format": "uri"},
    model.Temperature: {"type": "number", "minimum": 0, "maximum": 2},
    model.Seconds: {"type": "number", "exclusiveMinimum": 0},
    model.Rounds: {"type": "integer", "minimum": 1, "maximum": 50},
    model.Count: {"type": "integer", "minimum": 1, "maximum": 2**53},
    model.Dollars: {"type": "number", "exclusiveMinimum": 0},
}


def document_schema() -> Schema:
    """The schema of a whole document (draft 2020-12)."""
    schema = _schema(model.TenantDocument)
    version = {"const": model.SCHEMA_VERSION}
    schema["properties"]["schema_version"] |= version
    return {"$schema": _DIALECT, "title": "tenant.toml"} | schema


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on one line.")
def schema(*, as_json: bool) -> None:
    """Print the JSON Schema of tenant.toml, for editors and checks.

    Example: tenantctl schema > tenant.schema.json
    """
    click.echo(text(as_json=as_json))


def text(*, as_json: bool) -> str:
    """The schema, for programs on one line, for people on many."""
    encoded = msgspec.json.encode(document_schema()).decode()
    return encoded if as_json else msgspec.json.format(encoded, indent=2)


def _schema(kind: Any) -> Schema:  # noqa: ANN401  (a typing form, as below)
    if kind in VALUES:
        return {**VALUES[kind]}
    if attrs.has(kind):
        return _table(kind)
    return _FORMS[get_origin(kind)](get_args(kind))


def _table(kind: Any) -> Schema:  # noqa: ANN401
    hints = get_type_hints(kind)
    fields = attrs.fields(kind)
    return {
        "type": "object",
        "properties": {field.name: _property(kind, field, hints[field.name]) for field in fields},
        "required": [field.name for field in fields if field.default is attrs.NOTHING],
        "additionalProperties": False,
    }


def _property(kind: Any, field: Any, hint: Any) -> Schema:  # noqa: ANN401
    described = _schema(hint) | {"description": WORDS[kind, field.name]}
    default = field.default
    if isinstance(default, str | int | float):
        described["default"] = default
    return described


def _union(kinds: tuple[Any, ...]) -> Schema:
    """TOML has no null: what may be None may be left out."""
    (kind,) = (each for each in kinds if each is not types.NoneType)
    return _schema(kind)


def _array(kinds: tuple[Any, ...]) -> Schema:
    return {"type": "array", "items": _schema(kinds[0])}


def _free_table(kinds: tuple[Any, ...]) -> Schema:
    key, value = map(_schema, kinds)
    return {"type": "object", "propertyNames": key, "additionalProperties": value}


_FORMS: Mapping[Any, Callable[[tuple[Any, ...]], Schema]] = {
    types.UnionType: _union,
    Union: _union,
    tuple: _array,
    Mapping: _free_table,
    Literal: lambda choices: {"enum": [*choices]},
}
