"""Ids of ours: random ones for what is new, derived ones for what a replay must find again."""

import hashlib
import time

from gateway.entropy import random_hex


def new_id(prefix: str) -> str:
    """A fresh id such as ``run_019a…``: the time in milliseconds, then 80 random bits.

    Ids that grow with time lie together in a store's indexes, so that a commit touches few pages
    (the idea of UUIDv7, RFC 9562).
    """
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{random_hex(10)}"


def derived_id(prefix: str, run_id: str, ordinal: int) -> str:
    """The id of the ``ordinal``-th thing of a run, the same at every replay.

    Ordinals: an output item of the run's ``leg``-th response (from 0) has ``item_ordinal``.
    """
    digest = hashlib.blake2b(f"{run_id}/{prefix}/{ordinal}".encode(), digest_size=12)
    return f"{prefix}_{digest.hexdigest()}"


def item_ordinal(leg: int, output_index: int) -> int:
    """The ordinal of an output item within its run; a response has under 10,000 of them."""
    return leg * 10_000 + output_index
