"""Ids as OpenAI's look: a prefix that says of what, and random hexadecimal."""

import os


def new_id(prefix: str) -> str:
    """A fresh id, such as ``vs_…`` for ``vs_``."""
    return prefix + os.urandom(24).hex()
