"""Types of the arguments of tools' functions, and functions that take them."""

import enum
import inspect
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple, TypedDict

import attrs


class Unit(enum.Enum):
    """A unit of temperature."""

    CELSIUS = "c"
    FAHRENHEIT = "f"


@dataclass
class Point:
    """A place on the earth.

    Attributes:
        lat: degrees north
    """

    lat: float
    lon: Annotated[float, "degrees east"]
    name: str | None = None


@attrs.frozen
class Box:
    """A box."""

    size: int
    tags: list[str] = attrs.field(factory=list)


class Row(TypedDict):
    """A row."""

    id: int
    text: str


class Pair(NamedTuple):
    """A pair."""

    a: int
    b: int


@dataclass
class Tree:
    """A tree."""

    value: int
    children: list["Tree"] = field(default_factory=list)


def taking(annotations: dict[str, Any], **defaults: Any):
    """A function that takes arguments of these types."""

    def f(**arguments):
        return arguments

    kind = inspect.Parameter.KEYWORD_ONLY
    f.__signature__ = inspect.Signature(
        inspect.Parameter(name, kind, default=defaults.get(name, inspect.Parameter.empty))
        for name in annotations
    )
    f.__annotations__ = annotations
    return f
