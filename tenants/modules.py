"""Imports a tenant's tool module from its source, under a name that clashes with nothing.

It runs the tenant's code in this process, which is one beside the gateway that it may hang or end.
"""

import builtins
import itertools
import sys
import traceback
import types
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from tenants.conversion import nearest
from tenants.errors import Fault
from tenants.fields import FUNCTION_NAME
from tenants.functions import SignatureError, ToolFunction, describe

MOST_FUNCTIONS = 128  # OpenAI's API reference: "a max of 128 functions are supported"
_numbers = itertools.count(1)


@attrs.frozen(eq=False)
class ToolModule:
    """An imported tool module; ``close`` it when it is not needed any longer.

    Args:
        functions: those of ``TOOL_MAP`` that are offered, by name.
        faults: what is wrong; then not all functions are there.
    """

    name: str
    functions: Mapping[str, ToolFunction]
    faults: tuple[Fault, ...] = ()

    def close(self) -> None:
        """Forget the module; functions that run go on."""
        sys.modules.pop(self.name, None)


def load_module(source: bytes, file: str, offered: tuple[str, ...] | None = None) -> ToolModule:
    """Import a module and describe its functions; what is wrong is in its ``faults``.

    Args:
        source: Python.
        file: its name in messages and tracebacks, such as ``tools.py``.
        offered: the names of the functions to describe; None: all of ``TOOL_MAP``.
    """
    name = f"tenant_tools_{next(_numbers)}"
    module = types.ModuleType(name)
    module.__file__ = file
    printing = _Print()
    vars(module)["print"] = printing
    sys.modules[name] = module
    fault = _run(source, file, module)
    printing.importing = False
    faults = [Fault(file, "", "it prints while it is imported: remove that")] * printing.used
    tool_map: Any = vars(module).get("TOOL_MAP")
    fault = fault or _tool_map_fault(tool_map, file)
    if fault:
        sys.modules.pop(name, None)
        return ToolModule(name, {}, (*faults, fault))
    functions, wrong = _described(file, tool_map, offered)
    return ToolModule(name, functions, (*faults, *wrong))


@attrs.define
class _Print:
    """A tool module's ``print``: standard error, since standard output carries the logs."""

    importing: bool = True
    used: bool = False

    def __call__(self, *values: object, file: Any = None, **options: Any) -> None:  # noqa: ANN401  (as print)
        if self.importing and file is None:
            self.used = True
            return
        builtins.print(*values, file=sys.stderr if file is None else file, **options)


def _run(source: bytes, file: str, module: types.ModuleType) -> Fault | None:
    try:
        exec(compile(source, file, "exec", dont_inherit=True), vars(module))  # noqa: S102  (this is an import)
    except SyntaxError as error:
        return Fault(file, "", f"this is not Python: {error.msg}", error.lineno)
    except BaseException as error:  # noqa: BLE001  (SystemExit too must not end the process)
        lines = [
            at.lineno for at in traceback.extract_tb(error.__traceback__) if at.filename == file
        ]
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        return Fault(file, "", f"importing it raised {what}", lines[-1] if lines else None)
    return None


def _tool_map_fault(tool_map: object, file: str) -> Fault | None:
    if not isinstance(tool_map, dict) or not all(isinstance(name, str) for name in tool_map):
        words = 'write the functions by name, such as TOOL_MAP = {"get_weather": get_weather}'
        return Fault(file, "TOOL_MAP", words)
    if len(tool_map) > MOST_FUNCTIONS:
        return Fault(file, "TOOL_MAP", f"a model takes at most {MOST_FUNCTIONS} functions")
    return None


def _described(
    file: str, tool_map: Mapping[str, Any], offered: tuple[str, ...] | None
) -> tuple[dict[str, ToolFunction], list[Fault]]:
    functions: dict[str, ToolFunction] = {}
    faults: list[Fault] = []
    for name in tool_map if offered is None else offered:
        if name not in tool_map:
            words = f"TOOL_MAP of {file} has no {name}; {nearest(name, list(tool_map))}"
            faults.append(Fault("tenant.toml", "tools.functions", words))
            continue
        found = _function(name, tool_map[name], file)
        if isinstance(found, ToolFunction):
            functions[name] = found
        else:
            faults += found
    return functions, faults


def _function(name: str, call: Any, file: str) -> ToolFunction | list[Fault]:  # noqa: ANN401  (the tenant's)
    if not FUNCTION_NAME.fullmatch(name):
        rule = "a function's name is letters, digits, '_' and '-', 64 at most"
        return [Fault(file, f'TOOL_MAP["{name}"]', rule)]
    if not callable(call):
        return [Fault(file, f'TOOL_MAP["{name}"]', "this is not a function")]
    try:
        return describe(name, call)
    except SignatureError as error:
        line = _line(call)
        return [
            Fault(file, f"{name}({parameter})" if parameter else name, words, line)
            for parameter, words in error.problems
        ]


def _line(call: Callable[..., Any]) -> int | None:
    code = getattr(call, "__code__", None)
    return code.co_firstlineno if code else None
