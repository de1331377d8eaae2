"""Types and docstrings for a given tool module, from the schemas that were kept beside it by hand.

A schema is made from a function's signature now, so what only the hand-kept schema said is written
into the source: nothing but insertions, and nothing of it is run.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from migrations_of_config.earlier.annotations import Schema
from migrations_of_config.earlier.expressions import assignments, parsed

_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "object": "dict",
}
_Insertion = tuple[int, int, str]  # line from 1, byte of the line, what is put there
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def annotate(source: str, schemas: Mapping[str, Schema]) -> str:
    """The source with what the schemas say, where it says nothing itself.

    Args:
        source: of a module with a ``TOOL_MAP``.
        schemas: by the name of the function: objects with ``description`` and ``parameters``.
    """
    try:
        tree = parsed(source.encode())
        made = _inserted(source, sorted(_insertions(tree, source, schemas), reverse=True))
        parsed(made.encode())
    except SyntaxError:
        return source
    return made


def _insertions(
    tree: ast.Module, source: str, schemas: Mapping[str, Schema]
) -> Iterator[_Insertion]:
    tool_map = dict(assignments(tree.body)).get("TOOL_MAP")
    names = _names(tool_map) if isinstance(tool_map, ast.Dict) else {}
    lines = source.encode().split(b"\n")
    for node in tree.body:
        if isinstance(node, _Function) and node.name in names:
            schema = schemas.get(names[node.name], {})
            yield from _types(node, schema)
            if ast.get_docstring(node) is None and isinstance(schema.get("description"), str):
                yield _docstring(node, lines[node.body[0].lineno - 1], schema)


def _names(tool_map: ast.Dict) -> dict[str, str]:
    """By each function's name in the module, how a model calls it."""
    return {
        value.id: key.value
        for key, value in zip(tool_map.keys, tool_map.values, strict=True)
        if isinstance(value, ast.Name)
        and isinstance(key, ast.Constant)
        and isinstance(key.value, str)
    }


def _types(function: _Function, schema: Schema) -> Iterator[_Insertion]:
    empty = _without_value(function.args)
    for each in (*function.args.args, *function.args.kwonlyargs):
        kind = _type(_properties(schema).get(each.arg))
        if each.annotation is None and kind and each.end_lineno and each.end_col_offset:
            text = f": {kind} | None" if each.arg in empty else f": {kind}"
            yield each.end_lineno, each.end_col_offset, text


def _without_value(arguments: ast.arguments) -> set[str]:
    """The arguments whose default is None."""
    optional = arguments.args[len(arguments.args) - len(arguments.defaults) :]
    pairs = [
        *zip(optional, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return {
        each.arg
        for each, default in pairs
        if isinstance(default, ast.Constant) and default.value is None
    }


def _type(schema: Any) -> str | None:  # noqa: ANN401  (any JSON)
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind == "array":
        inner = _type(schema.get("items"))
        return f"list[{inner}]" if inner else "list"
    return _TYPES.get(kind) if isinstance(kind, str) else None


def _properties(schema: Schema) -> Schema:
    parameters = schema.get("parameters")
    found = parameters.get("properties") if isinstance(parameters, dict) else None
    return found if isinstance(found, dict) else {}


def _docstring(function: _Function, line: bytes, schema: Schema) -> _Insertion:
    """The docstring before the first statement, on a line of its own where that has one."""
    first = function.body[0]
    before = line[: first.col_offset]
    alone = not before.strip()
    text = repr(schema["description"])
    arguments = [
        f"{name}: {each['description']}"
        for name, each in _properties(schema).items()
        if isinstance(each, dict) and isinstance(each.get("description"), str)
    ]
    if arguments:
        text = repr(
            "\n".join([schema["description"], "", "Args:", *(f"    {a}" for a in arguments)])
        )
    end = f"\n{before.decode()}" if alone else "; "
    return first.lineno, first.col_offset, text + end


def _inserted(source: str, insertions: list[_Insertion]) -> str:
    """The source with the insertions, which come last first."""
    lines = source.encode().split(b"\n")
    for line, byte, text in insertions:
        old = lines[line - 1]
        lines[line - 1] = old[:byte] + text.encode() + old[byte:]
    return b"\n".join(lines).decode()
