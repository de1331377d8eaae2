"""Tells which tenants' directories change, from a thread of its own."""

import threading
from collections.abc import Callable
from pathlib import Path

import watchfiles

_DEBOUNCE_MS = 300
_STEP_MS = 50
_QUIET_MS = 250


def watch(root: Path, stop: threading.Event, report: Callable[[frozenset[str]], None]) -> None:
    """Report the names of sub-directories that changed, until told to stop.

    The first report, which may be empty, says that from now on nothing is missed.

    Args:
        root: the directory to watch, with everything in it.
        stop: ends it within a twentieth of a second.
        report: called on this thread; an empty report is a quiet quarter of a second.

    Raises:
        OSError: it cannot be watched, for example for lack of inotify watches.
        RuntimeError: as above, as the library's own error.
    """
    for changes in watchfiles.watch(
        root,
        watch_filter=None,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        stop_event=stop,
        rust_timeout=_QUIET_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
    ):
        report(frozenset(_name(root, Path(path)) for _, path in changes) - {""})


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).parts[0] if path != root and path.is_relative_to(root) else ""
