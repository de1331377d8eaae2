"""A result that many wait for and none of them can take back."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Settled(Generic[T]):
    """A future that outlives whoever waits for it: a waiter that is cancelled cancels nothing.

    Attributes:
        error: why there will be no result.
    """

    __slots__ = ("_known", "_result", "error")

    def __init__(self) -> None:
        self._known = asyncio.Event()
        self._result: T | None = None
        self.error: Exception | None = None

    @property
    def done(self) -> bool:
        """Whether there is a result, or an error in its place."""
        return self._known.is_set()

    def settle(self, result: T) -> None:
        """Give everybody the result."""
        self._result = result
        self._known.set()

    def fail(self, error: Exception) -> None:
        """Give everybody the error."""
        self.error = error
        self._known.set()

    async def wait(self) -> None:
        """Until it is done, either way."""
        if not self._known.is_set():
            await self._known.wait()

    async def result(self) -> T:
        """The result.

        Raises:
            Exception: the error that stands in its place.
        """
        await self.wait()
        if self.error is not None:
            raise self.error
        return self._result  # type: ignore[return-value] # set where there is no error
