"""What keeps a function from being run, or from ending well."""

import attrs

from tenants.errors import Fault


class ToolError(Exception):
    """The root of this package's errors."""


@attrs.frozen
class UnknownFunctionError(ToolError):
    """The model calls a function that it was not offered."""

    known: tuple[str, ...]


@attrs.frozen
class TookTooLongError(ToolError):
    """The function did not end in time."""

    timeout_seconds: float


@attrs.frozen
class ModuleFaultyError(ToolError):
    """A module that could be imported when its tenant was compiled cannot be any longer."""

    faults: tuple[Fault, ...]


class ModuleMissingError(ToolError):
    """The job came without its module's source, and the module is not kept."""


class OutputError(ToolError):
    """A result that cannot be said in JSON."""


class FrameError(ToolError):
    """What came over a socket is no frame of ours."""


class WorkerDiedError(ToolError):
    """The worker ended while it had the call."""


@attrs.frozen
class WorkerUnavailableError(ToolError):
    """There is no worker to give the call to.

    Args:
        reason: for the log.
    """

    reason: str
