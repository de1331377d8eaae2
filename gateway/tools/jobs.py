"""A function call as it travels to whoever runs it, and what comes back."""

import zlib

import msgspec

from gateway.tools.errors import UnknownFunctionError
from gateway.tools.ports import ToolCall
from tenants.compiled import Assistant, CompiledTenant
from tenants.functions import ArgumentsError

LONGEST_ARGUMENTS_BYTES = 1_048_576


class Source(msgspec.Struct, frozen=True):
    """A tool module's source.

    Args:
        file: its name, such as ``tools.py``.
        packed: Python, compressed by zlib.
        offered: the names of the functions to describe.
    """

    file: str
    packed: bytes
    offered: tuple[str, ...]

    @property
    def python(self) -> bytes:
        """The Python source."""
        return zlib.decompress(self.packed)


class Job(msgspec.Struct, frozen=True):
    """All that whoever runs one call needs to know.

    Args:
        revision: of the tenant; with its id the module's key.
        arguments: JSON as the model wrote it; may be malformed.
        source: the module's; None: whoever runs it is thought to know the module.
    """

    tenant_id: str
    revision: str
    name: str
    arguments: str
    thread_id: str
    correlation_id: str
    timeout_seconds: float
    source: Source | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What the model is told, and what the log is.

    Args:
        output: text, at most 64 KiB.
        error: what was raised, for the log alone; None: nothing was.
    """

    output: str
    error: str | None = None


def job_of(tenant: CompiledTenant, assistant: Assistant, call: ToolCall) -> Job:
    """The job that a call is, without its module's source.

    Raises:
        UnknownFunctionError: the assistant has no such function.
        ArgumentsError: the arguments are too long, or no Unicode.
    """
    if call.name not in assistant.functions:
        raise UnknownFunctionError(assistant.functions)
    _check(call.arguments)
    return Job(
        tenant.tenant_id,
        tenant.revision,
        call.name,
        call.arguments,
        call.thread_id,
        call.correlation_id,
        assistant.timeout_seconds,
    )


def with_source(job: Job, tenant: CompiledTenant) -> Job:
    """The job with its module's source."""
    module = tenant.tool_module
    if module is None:
        return job
    source = Source(module.file, module.packed, tenant.default.functions)
    return msgspec.structs.replace(job, source=source)


def _check(arguments: str) -> None:
    try:
        size = len(arguments.encode())
    except UnicodeEncodeError:
        raise ArgumentsError(("the arguments are not a JSON object",)) from None
    if size > LONGEST_ARGUMENTS_BYTES:
        raise ArgumentsError(("the arguments are longer than 1 MiB",))
