"""Ctrl-C while something is written: the write is finished first."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopping:
    """Whether the operator asked to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def finishing(what: str) -> Iterator[Stopping]:
    """Finish what is within the block though Ctrl-C is pressed; pressed again, it stops at once.

    Args:
        what: is being done, such as ``publishing acme``.
    """
    stopping = Stopping()
    if threading.current_thread() is not threading.main_thread():
        yield stopping  # Only the main thread is told of signals.
        return

    def asked(_number: int, _frame: FrameType | None) -> None:
        if stopping.asked:
            raise KeyboardInterrupt
        stopping.asked = True
        sys.stderr.write(f"\nFinishing: {what}. Ctrl-C again stops at once.\n")

    before = signal.signal(signal.SIGINT, asked)
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGINT, before)
