"""Sums that a message asks for, as the program that an interpreter would run."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from statistics import mean

import attrs

_EXPRESSION = re.compile(
    r"(?<![\w.])-?[\d(][\d(). ]*(?:(?:\*\*|[-+*/])[\d(). -]*\d[\d(). ]*)+", re.ASCII
)
_NUMBER = re.compile(r"(?<![\w.-])-?\d{1,12}(?:\.\d{1,6})?(?![\w]|\.\d)")
_WORDS = re.compile(
    r"\b(calculat|comput|sum\b|add up|total|average|mean\b|python|code)", re.IGNORECASE
)
_AVERAGE = re.compile(r"\b(average|mean)\b", re.IGNORECASE)
_WRITES = re.compile(r"\b(csv|file|spreadsheet|table|chart|plot|graph)\b", re.IGNORECASE)
_LONGEST = 200
_MOST = 1e15

_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@attrs.frozen
class Program:
    """A program and what it prints.

    Args:
        file: the name of the file that it writes; empty for none.
    """

    code: str
    logs: str
    file: str = ""


def program_for(message: str) -> Program | None:
    """The program that answers a message; None where it asks for no sum."""
    program = _of_expression(message[:_LONGEST]) or _of_numbers(message[:_LONGEST])
    if program is None or not _WRITES.search(message):
        return program
    writes = f'open("/mnt/data/result.csv", "w").write("result\\n{program.logs.strip()}\\n")'
    return attrs.evolve(program, code=f"{program.code}\n{writes}", file="result.csv")


def _of_expression(message: str) -> Program | None:
    for found in _EXPRESSION.findall(message):
        expression = found.strip()
        try:
            value = _value(ast.parse(expression, mode="eval").body)
        except (SyntaxError, ValueError, ArithmeticError, RecursionError):
            continue
        return Program(f"print({expression})", f"{_shown(value)}\n")
    return None


def _of_numbers(message: str) -> Program | None:
    numbers = [float(number) for number in _NUMBER.findall(message)]
    if not numbers or not _WORDS.search(message):
        return None
    listed = ", ".join(map(_shown, numbers))
    if _AVERAGE.search(message):
        code = f"from statistics import mean\nprint(mean([{listed}]))"
        return Program(code, f"{_shown(mean(numbers))}\n")
    return Program(f"print(sum([{listed}]))", f"{_shown(sum(numbers))}\n")


def _value(node: ast.expr) -> float:
    """What an expression of numbers comes to.

    Raises:
        ValueError: it is of something else, or too large.
    """
    match node:
        case ast.Constant(value=int() | float() as number):
            value = number
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = -_value(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            value = _OPERATORS[type(sign)](_value(left), _value(right))
        case _:
            raise ValueError("not a sum of numbers")
    if abs(value) > _MOST:
        raise ValueError("too large")
    return value


def _shown(value: float) -> str:
    return str(int(value)) if value == int(value) else str(round(value, 6))
