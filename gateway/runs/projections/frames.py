"""What a projection puts out."""

import msgspec


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One event of a surface.

    Args:
        name: such as ``thread.message.delta``.
        data: its object, encoded as JSON.
        flat: whether the conversation dialect sends the object as it is, without its envelope
            ``{"event", "data"}`` (``metadata`` over SSE).
    """

    name: str
    data: bytes
    flat: bool = False
