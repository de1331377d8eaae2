"""What can go wrong with stored threads and runs."""

import attrs


class StoreError(Exception):
    """Root of this package's errors."""


@attrs.frozen
class NotFoundError(StoreError):
    """There is no such thing within this tenant.

    Args:
        kind: ``thread``, ``run`` or ``message``.
    """

    kind: str
    id: str


@attrs.frozen
class ThreadBusyError(StoreError):
    """A run works on this thread."""

    thread_id: str
    run_id: str


@attrs.frozen
class KeyUsedError(StoreError):
    """The ``Idempotency-Key`` belongs to another run already; nothing was written.

    Args:
        run_id: the run that it belongs to.
    """

    key: str
    run_id: str


@attrs.frozen
class DuplicateError(StoreError):
    """Something of this id is stored already; nothing was written.

    Args:
        kind: ``thread``, ``run`` or ``item``.
    """

    kind: str


@attrs.frozen
class FenceLostError(StoreError):
    """The run has ended already, or somebody else owns it; nothing was written."""

    run_id: str


@attrs.frozen
class StoreUnavailableError(StoreError):
    """The store cannot read or write now; nothing was written.

    Args:
        detail: for the log.
    """

    detail: str = ""
