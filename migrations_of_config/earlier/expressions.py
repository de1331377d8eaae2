"""What a Python expression stands for, as far as its syntax tree says; nothing is run."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import attrs

Read = Callable[[str], bytes | None]
_MOST_FILES = 20
_METHODS: dict[str, Callable[..., Any]] = {
    "strip": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
    "join": str.join,
    "lower": str.lower,
    "upper": str.upper,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "dedent": textwrap.dedent,
    "cleandoc": inspect.cleandoc,
}


class UnreadableCodeError(Exception):
    """An expression says what it stands for only when it is run."""

    def __init__(self, line: int | None) -> None:
        super().__init__(line)
        self.line = line


@attrs.define(eq=False)
class Module:
    """A module's top level.

    Args:
        assigned: the expressions by name; the last assignment counts, as in Python.
        imported: where a name comes from: a module beside it, and the name there.
        read: the bytes of a file beside it.
        used: the names that were looked up.
        depth: how many modules led here.
    """

    tree: ast.Module
    read: Read
    assigned: dict[str, ast.expr] = attrs.field(factory=dict)
    imported: dict[str, tuple[str, str | None]] = attrs.field(factory=dict)
    used: set[str] = attrs.field(factory=set)
    depth: int = 0

    def value(self, node: ast.expr) -> Any:  # noqa: ANN401, PLR0911  (a literal of any type; one case a form)
        """What an expression stands for.

        Raises:
            UnreadableCodeError: only running it would say.
        """
        match node:
            case ast.Constant(value=value) if not isinstance(value, bytes | complex):
                return None if value is Ellipsis else value
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return [part for item in items for part in self._parts(item)]
            case ast.Dict():
                return self._mapping(node)
            case ast.Name(id=name):
                return self._named(name, node)
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                return self._from(self.imported.get(module, ("", None))[0], name, node)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self._sum(self.value(left), self.value(right), node)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case ast.JoinedStr(values=parts):
                return "".join(self._text(part) for part in parts)
            case ast.Call(keywords=[]):
                return self._called(node)
        raise UnreadableCodeError(node.lineno)

    def _parts(self, item: ast.expr) -> list[Any]:
        if not isinstance(item, ast.Starred):
            return [self.value(item)]
        value = self.value(item.value)
        if not isinstance(value, list):
            raise UnreadableCodeError(item.lineno)
        return value

    def _mapping(self, node: ast.Dict) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, each in zip(node.keys, node.values, strict=True):
            value = self.value(each)
            name = None if key is None else self.value(key)
            if key is None and isinstance(value, dict):
                found |= value
            elif isinstance(name, str) and name not in found:
                found[name] = value
            else:
                raise UnreadableCodeError(each.lineno)
        return found

    def _named(self, name: str, node: ast.expr) -> Any:  # noqa: ANN401  (as above)
        self.used.add(name)
        if name in self.assigned:
            expression = self.assigned.pop(name)  # What names itself ends here.
            try:
                return self.value(expression)
            finally:
                self.assigned[name] = expression
        module, original = self.imported.get(name, ("", None))
        if not module or original is None:
            raise UnreadableCodeError(node.lineno)
        return self._from(module, original, node)

    def _from(self, module: str, name: str, node: ast.expr) -> Any:  # noqa: ANN401  (as above)
        content = self.read(f"{module}.py") if module and self.depth < _MOST_FILES else None
        if content is None:
            raise UnreadableCodeError(node.lineno)
        try:
            other = module_of(content, self.read, depth=self.depth + 1)
            return other.value(ast.Name(id=name, lineno=node.lineno))
        except (SyntaxError, UnreadableCodeError):
            raise UnreadableCodeError(node.lineno) from None

    def _sum(self, left: Any, right: Any, node: ast.expr) -> Any:  # noqa: ANN401  (as above)
        if type(left) is type(right) and isinstance(left, str | list | int | float):
            return left + right
        raise UnreadableCodeError(node.lineno)

    def _text(self, part: ast.expr) -> str:
        if isinstance(part, ast.Constant):
            return str(part.value)
        if isinstance(part, ast.FormattedValue) and part.conversion == -1 and not part.format_spec:
            value = self.value(part.value)
            if isinstance(value, str):
                return value
        raise UnreadableCodeError(part.lineno)

    def _called(self, node: ast.Call) -> Any:  # noqa: ANN401  (as above)
        arguments = [self.value(each) for each in node.args]
        match node.func:
            case ast.Name(id=name) if name in _FUNCTIONS:
                call, values = _FUNCTIONS[name], arguments
            case ast.Attribute(value=ast.Name(), attr=name) if name in _FUNCTIONS:
                call, values = _FUNCTIONS[name], arguments
            case ast.Attribute(value=owner, attr=name) if name in _METHODS:
                call, values = _METHODS[name], [self.value(owner), *arguments]
            case _:
                raise UnreadableCodeError(node.lineno)
        try:
            return call(*values)
        except (TypeError, AttributeError):
            raise UnreadableCodeError(node.lineno) from None


def module_of(content: bytes, read: Read, depth: int = 0) -> Module:
    """Parse a module.

    Args:
        content: its source.
        read: the bytes of a file beside it; None where there is none.
        depth: how many modules led here.

    Raises:
        SyntaxError: it is not Python of this version.
    """
    module = Module(parsed(content), read, depth=depth)
    for name, expression in assignments(module.tree.body):
        module.assigned[name] = expression
    for statement in module.tree.body:
        match statement:
            case ast.ImportFrom(module=origin, names=names, level=level):
                for each in names:
                    inside = (each.name, None) if level and not origin else None
                    last = (origin or "").rpartition(".")[2]
                    module.imported[each.asname or each.name] = inside or (last, each.name)
            case ast.Import(names=names):
                for each in names:
                    last = each.name.rpartition(".")[2]
                    module.imported[each.asname or each.name] = (last, None)
    return module


def parsed(content: bytes) -> ast.Module:
    """The syntax tree.

    Raises:
        SyntaxError: it is not Python of this version.
    """
    try:
        return ast.parse(content)
    except (RecursionError, MemoryError, ValueError, UnicodeError):
        raise SyntaxError("it cannot be parsed") from None


def assignments(statements: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """The plain assignments among statements, in order."""
    for statement in statements:
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        yield target.id, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
