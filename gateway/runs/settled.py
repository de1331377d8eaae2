"""A result that many wait for and none of them can take back."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Settled(Generic[T]):
    """A future that outlives whoever waits for it: a waiter that is cancelled cancels nothing.

    Attributes:
        done: whether there is a result, or an error in its place.
        error: why there will be no result.
    """

    __slots__ = ("_result", "_waiters", "done", "error")

    def __init__(self) -> None:
        self.done = False
        self.error: Exception | None = None
        self._result: T | None = None
        self._waiters: tuple[asyncio.Future[None], ...] = ()

    def settle(self, result: T) -> None:
        """Give everybody the result."""
        self._result = result
        self._tell()

    def fail(self, error: Exception) -> None:
        """Give everybody the error."""
        self.error = error
        self._tell()

    async def wait(self) -> None:
        """Until it is done, either way."""
        if not self.done:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters = (*self._waiters, waiter)
            await waiter

    async def result(self) -> T:
        """The result.

        Raises:
            Exception: the error that stands in its place.
        """
        await self.wait()
        if self.error is not None:
            raise self.error
        return self._result  # type: ignore[return-value] # set where there is no error

    def _tell(self) -> None:
        self.done = True
        waiters, self._waiters = self._waiters, ()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
