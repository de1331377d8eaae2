"""Reads a client spec, which is Python source, by its syntax tree."""

import ast
from collections.abc import Iterator
from typing import Any

import attrs

from migrations_of_config.earlier.expressions import (
    Module,
    Read,
    UnreadableCodeError,
    assignments,
    module_of,
)
from migrations_of_config.earlier.fields import KNOWN
from migrations_of_config.earlier.quarantine import scrub
from migrations_of_config.errors import EarlierConfigError, Fault

_LEAST_FIELDS = 2
_UNREADABLE = "only running it would say what this is: write the value itself"


@attrs.frozen
class Spec:
    """What a client spec says.

    Args:
        raw: its fields.
        unread: what else stands in the file, as a name or a line and its source.
    """

    raw: dict[str, Any]
    unread: tuple[tuple[str, str], ...]


def read_spec(content: bytes, read: Read) -> Spec:
    """Read a spec.

    Args:
        content: the source.
        read: the bytes of a file beside it; None where there is none.

    Raises:
        EarlierConfigError: with every field that cannot be read.
    """
    try:
        module = module_of(content, read)
    except SyntaxError as error:
        raise EarlierConfigError((Fault("", "this is not Python", error.lineno),)) from None
    found = list(_specs(module))
    if len(found) > 1:
        words = "a second assistant stands in this file: import them from a file each"
        raise EarlierConfigError((Fault("", words, found[1][0].lineno),))
    home, pairs = found[0] if found else (None, list(_known(module.tree.body)))
    raw, faults = _values(module, pairs)
    if faults:
        raise EarlierConfigError(tuple(faults))
    return Spec(raw, tuple(_unread(module, home, raw)))


def _specs(module: Module) -> Iterator[tuple[ast.stmt, list[tuple[str, ast.expr]]]]:
    for statement in module.tree.body:
        pairs: list[tuple[str, ast.expr]] = []
        match statement:
            case ast.ClassDef(body=body):
                pairs = [*assignments(body)]
            case ast.Assign(value=value) | ast.AnnAssign(value=value) | ast.Expr(value=value):
                pairs = [*_inside(value)]
        if len(KNOWN & {name for name, _ in pairs}) >= _LEAST_FIELDS:
            yield statement, pairs


def _inside(value: ast.expr | None) -> Iterator[tuple[str, ast.expr]]:
    match value:
        case ast.Call(args=arguments, keywords=keywords):
            for at, argument in enumerate(arguments):
                yield f"argument {at + 1}", argument
            for keyword in keywords:
                yield keyword.arg or "**", keyword.value
        case ast.Dict(keys=keys, values=values):
            for key, each in zip(keys, values, strict=True):
                is_name = isinstance(key, ast.Constant) and isinstance(key.value, str)
                yield str(key.value) if is_name else "**", each  # type: ignore[union-attr]


def _known(statements: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Fields that are assigned one by one; upper case counts too."""
    for name, value in assignments(statements):
        if name.lower() in KNOWN:
            yield name.lower(), value


def _values(
    module: Module, pairs: list[tuple[str, ast.expr]]
) -> tuple[dict[str, Any], list[Fault]]:
    raw: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, node in pairs:
        field = scrub(name)
        try:
            if name in raw:
                faults.append(Fault(field, "written twice: remove one", node.lineno))
            raw[name] = module.value(node)
        except UnreadableCodeError as error:
            faults.append(Fault(field, _UNREADABLE, error.line))
        except RecursionError:
            faults.append(Fault(field, "it is nested too deeply", node.lineno))
    return raw, faults


def _unread(
    module: Module, home: ast.stmt | None, raw: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Statements that no field was read from; imports and docstrings say nothing of their own."""
    for statement in module.tree.body:
        named = [name for name, _ in assignments([statement])]
        taken = any(name in module.used or (not home and name.lower() in raw) for name in named)
        if statement is home or taken or _is_silent(statement):
            continue
        yield (named[0] if named else f"line {statement.lineno}"), ast.unparse(statement)


def _is_silent(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass)
