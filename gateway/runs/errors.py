"""Why a turn cannot start, or a run cannot be joined or cancelled."""

import attrs


class RunsError(Exception):
    """Root of this package's errors."""


@attrs.frozen
class IdempotencyMismatchError(RunsError):
    """The ``Idempotency-Key`` was used for another body."""


@attrs.frozen
class DrainingError(RunsError):
    """The process is stopping and takes no new turns."""


@attrs.frozen
class TenantLeavingError(RunsError):
    """The tenant's threads are being deleted, and it takes no new turns meanwhile."""

    tenant_id: str


@attrs.frozen
class RunEndedError(RunsError):
    """The run has ended, so it cannot be cancelled."""

    run_id: str
    status: str


@attrs.frozen
class EventsExpiredError(RunsError):
    """The run's events are kept no longer, or were more than is kept."""

    run_id: str
