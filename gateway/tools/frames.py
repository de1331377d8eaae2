"""What goes over the socket between the gateway and its worker.

A frame is a length of four bytes, the greatest first, and so many bytes of MessagePack.
"""

from collections.abc import Iterator
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from gateway.tools.errors import FrameError
from gateway.tools.jobs import Job, Outcome

# A job holds 1 MiB of arguments and a module of 1 MiB, which compresses to little more at worst.
LONGEST_COMMAND_BYTES = 3 * 2**20
# An outcome holds 64 KiB of output and 2,000 characters of an error.
LONGEST_REPORT_BYTES = 128 * 2**10
_LENGTH_BYTES = 4

T = TypeVar("T")


class Call(msgspec.Struct, tag="call", frozen=True):
    """Run this; the number correlates what is said of it later."""

    number: int
    job: Job


class Cancel(msgspec.Struct, tag="cancel", frozen=True):
    """Nobody waits for this call any longer."""

    number: int


class Ping(msgspec.Struct, tag="ping", frozen=True):
    """Say that you are alive."""


class Done(msgspec.Struct, tag="done", frozen=True):
    """A call has ended."""

    number: int
    outcome: Outcome


class Missing(msgspec.Struct, tag="missing", frozen=True):
    """A call cannot be run without its module's source."""

    number: int


class Alive(msgspec.Struct, tag="alive", frozen=True):
    """The worker listens: its first word, and its answer to a ping."""


Command: TypeAlias = Call | Cancel | Ping
Report: TypeAlias = Done | Missing | Alive

_encode = msgspec.msgpack.Encoder().encode


def frame(message: Command | Report) -> bytes:
    """The message as one frame."""
    body = _encode(message)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class Frames(Generic[T]):
    """Puts together what comes in pieces.

    Args:
        messages: the type of what comes.
        longest_bytes: of one message.
    """

    def __init__(self, messages: Any, longest_bytes: int) -> None:  # noqa: ANN401  (a union has no type)
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(messages)
        self._longest_bytes = longest_bytes
        self._pending = bytearray()

    def feed(self, piece: bytes) -> Iterator[T]:
        """The messages that this piece completes.

        Raises:
            FrameError: a length or a body that none of ours has.
        """
        self._pending += piece
        while len(self._pending) >= _LENGTH_BYTES:
            length = int.from_bytes(self._pending[:_LENGTH_BYTES], "big")
            if length > self._longest_bytes:
                raise FrameError(f"a frame of {length:,} bytes")
            end = _LENGTH_BYTES + length
            if len(self._pending) < end:
                return
            body = bytes(self._pending[_LENGTH_BYTES:end])
            del self._pending[:end]
            yield self._message(body)

    def _message(self, body: bytes) -> T:
        try:
            return self._decoder.decode(body)
        except (ValueError, RecursionError) as error:  # msgspec's own, and UnicodeDecodeError
            raise FrameError(str(error)) from None
