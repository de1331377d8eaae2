"""Which callables can be a tool's function, and which a model could never call."""

import functools
from typing import Any

import pytest

from tenants.functions import (
    SignatureError,
    describe,
)
from tests.fakes.argument_types import Box, Point, Unit, taking


class Thing:
    """No type of JSON."""


def variadic(*args: int, **kwargs: int):
    """Take anything."""
    return args, kwargs


def positional(a: int, /):
    """Take it by place."""
    return a


def bare(a, b: int):
    """Say nothing of a."""
    return a, b


def generator(a: int):
    """Yield."""
    yield a


def unresolved(a: "Missing"):  # noqa: F821  (that is the point)
    """Name what is not there."""
    return a


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (variadic, ["args", "kwargs"]),
        (positional, ["a"]),
        (bare, ["a"]),
        (generator, [""]),
        (unresolved, [""]),
        (taking({"a": bytes, "b": Thing}), ["a", "b"]),
        (taking({"a": list[bytes]}), ["a"]),
        (taking({"a": Point | Box}), ["a"]),
        (taking({"a": str | Unit}), ["a"]),
        (taking({"a": Any}, a=Thing()), ["a"]),
    ],
)
def test_function_that_a_model_cannot_call_is_refused_by_parameter(call, names):
    """Everything that is wrong with a signature is told, each with its parameter."""
    with pytest.raises(SignatureError) as raised:
        describe("f", call)

    assert [name for name, _ in raised.value.problems] == names
    assert all(words for _, words in raised.value.problems)


class Methods:
    """Callables of other kinds."""

    def method(self, x: int) -> int:
        """Take x."""
        return x

    async def __call__(self, x: int) -> int:
        """Take x later."""
        return x


def add(y: int, x: int) -> int:
    """Add."""
    return y + x


def wrapped(call):
    """A decorator as people write them."""

    @functools.wraps(call)
    def inner(*args, **kwargs):
        return call(*args, **kwargs)

    return inner


@pytest.mark.parametrize(
    ("call", "is_async"),
    [
        (Methods().method, False),
        (Methods(), True),
        (wrapped(Methods().method), False),
        (functools.partial(add, 1), False),
    ],
)
def test_every_kind_of_callable_can_be_a_function(call, is_async):
    """Methods, objects, decorated functions and partial ones are read as what they take."""
    described = describe("f", call)

    assert list(described.decoders) == ["x"]
    assert described.is_async is is_async
