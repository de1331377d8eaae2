"""What one request brings to the door, and how its connection is dropped."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

ENTRANCE = "gateway.entrance"
ON_LOSS = "gateway.on_loss"
"""What the server calls when a connection is lost, as a list in its scope."""


@attrs.frozen
class Entrance:
    """What the outer layer found.

    Args:
        correlation_id: the client's, or a new one.
        path: as it was asked for, with its tenant's prefix, without its query.
        tenants: every tenant that the request names: by header, by path. Not checked yet.
        send: the server's own ``send``.
        credentials: the headers that may hold some, as they came.
        origin: of the web page that asks; None for programs, and for pages of the same origin
            that only read.
        operators: whether the operator's routes exist at the port that was asked.
    """

    correlation_id: str
    path: str
    tenants: tuple[str, ...]
    send: Callable[[Any], Awaitable[None]]
    credentials: tuple[tuple[bytes, bytes], ...] = attrs.field(default=(), repr=False)
    origin: str | None = None
    operators: bool = True

    @property
    def gone(self) -> bool:
        """Whether the client has gone away, as far as the server knows; see ``abort``."""
        return bool(getattr(getattr(self.send, "__self__", None), "disconnected", False))

    def abort(self) -> None:
        """Drop the connection at once, for a client that does not read.

        Closing would wait for the client to read what is buffered, for ever. uvicorn offers no
        way to abort, so this goes by the object that ``send`` is bound to; on a server that has
        no transport there, the connection is closed as usual.
        """
        if (transport := self._transport) is not None:
            transport.abort()

    def hold_head(self) -> None:
        """Let the answer's head wait for its body, so that both leave in one call of the system.

        For whoever sends a body as soon as the head, with nothing to wait for in between. A server
        that writes to a plain transport sends the head at once, as usual.
        """
        hold: Callable[[], None] | None = getattr(self._transport, "hold_head", None)
        if hold is not None:
            hold()

    @property
    def _transport(self) -> Any:  # noqa: ANN401 - the server's
        return getattr(getattr(self.send, "__self__", None), "transport", None)


def header(scope: Mapping[str, Any], name: bytes) -> str | None:
    """A header of the request by its lower-case name, or None; the last one where it repeats."""
    found = None
    for key, value in scope["headers"]:
        if key == name:
            found = value
    return None if found is None else found.decode("latin-1")


@contextmanager
def told_of_loss(scope: Mapping[str, Any], tell: Callable[[], None]) -> Iterator[None]:
    """While this is entered, call ``tell`` when the client goes away, or if it is gone already."""
    on_loss: list[Callable[[], None]] = scope.get(ON_LOSS, [])
    on_loss.append(tell)
    if entrance(scope).gone:
        tell()
    try:
        yield
    finally:
        on_loss.remove(tell)


def entrance(scope: Mapping[str, Any]) -> Entrance:
    """Of this connection."""
    found: Entrance = scope[ENTRANCE]
    return found
