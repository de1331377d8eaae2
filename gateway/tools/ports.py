"""What a run asks of whoever runs tenants' functions."""

from typing import Protocol

import attrs

from tenants.compiled import Assistant, CompiledTenant


@attrs.frozen
class ToolCall:
    """One function call of a model.

    Args:
        call_id: the model's id of the call.
        arguments: JSON as the model wrote it; may be malformed.
    """

    call_id: str
    name: str
    arguments: str
    thread_id: str
    correlation_id: str


@attrs.frozen
class ToolResult:
    """What the model is told.

    Args:
        output: text, at most 64 KiB; JSON where the function gave something else than text.
        failed: whether it is a neutral message about a failure.
    """

    output: str
    failed: bool = False


class ToolExecutor(Protocol):
    """Runs one function call; calls of one round may run at the same time."""

    async def run(self, tenant: CompiledTenant, assistant: Assistant, call: ToolCall) -> ToolResult:
        """Run it; whatever goes wrong becomes a result with ``failed``, never an exception."""
        ...
