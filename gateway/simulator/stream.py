"""A stream before it is sent: its events as bytes, and which of them are deltas."""

from collections.abc import Callable

import attrs


@attrs.frozen(eq=False)
class Stream:
    """The events of one streamed answer.

    Args:
        frames: each event with its framing, in order.
        paced: the positions of the deltas of the text or of the arguments.
        another: makes one more delta of a number, for streams without an end.
        garbage: a frame that is not of the protocol.
    """

    frames: list[bytes]
    paced: list[int]
    another: Callable[[int], bytes]
    garbage: bytes = b'data: {"type":"response.output_text.delta","delta":\n\n'
