"""What a given tool module's syntax tree says about its functions; it is not run."""

import ast
from collections.abc import Iterator

import attrs

from migrations_of_config.earlier.expressions import assignments, parsed


@attrs.frozen
class ToolModule:
    """A module that may define functions.

    Args:
        names: the keys of its ``TOOL_MAP``; None where the tree does not say.
        has_map: whether it assigns ``TOOL_MAP``.
        problems: what must be mended before it can be served.
    """

    has_map: bool
    names: tuple[str, ...] | None = None
    problems: tuple[str, ...] = ()


def look_at(content: bytes) -> ToolModule:
    """Look at a module's source."""
    try:
        tree = parsed(content)
    except SyntaxError as error:
        return ToolModule(has_map=False, problems=(f"line {error.lineno}: this is not Python",))
    tool_map = dict(assignments(tree.body)).get("TOOL_MAP")
    if tool_map is None:
        words = "it has no TOOL_MAP: write the functions by name"
        return ToolModule(has_map=False, problems=(words,))
    problems = (*_relative_imports(tree), *_signatures(tree, tool_map))
    return ToolModule(has_map=True, names=_names(tool_map), problems=problems)


def _names(tool_map: ast.expr) -> tuple[str, ...] | None:
    if not isinstance(tool_map, ast.Dict):
        return None
    names = [key.value if isinstance(key, ast.Constant) else None for key in tool_map.keys]
    found = tuple(name for name in names if isinstance(name, str))
    return found if len(found) == len(names) else None


def _relative_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield (
                f"line {node.lineno}: it imports from a file beside it: a tool module stands alone,"
                " so move that code into it"
            )


def _signatures(tree: ast.Module, tool_map: ast.expr) -> Iterator[str]:
    """Arguments without a type, of the functions that ``TOOL_MAP`` names."""
    values = tool_map.values if isinstance(tool_map, ast.Dict) else []
    offered = {value.id for value in values if isinstance(value, ast.Name)}
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name not in offered:
            continue
        arguments = node.args
        for each in (*arguments.args, *arguments.kwonlyargs):
            if each.annotation is None:
                yield f"line {each.lineno}: annotate {each.arg} of {node.name}, such as str"
        for star in filter(None, (arguments.vararg, arguments.kwarg)):
            yield f"line {star.lineno}: name each argument of {node.name} in place of *{star.arg}"
        if ast.get_docstring(node) is None:
            yield f"line {node.lineno}: say in a docstring what {node.name} does"
