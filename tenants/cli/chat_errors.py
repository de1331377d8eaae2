"""What can go wrong with a terminal conversation, in words that say how to mend it."""

from collections.abc import Mapping
from typing import Any

import attrs

KEY = "TENANTCTL_KEY"
"""The variable with the API key to talk with: a command line would show it to others."""


class ChatError(Exception):
    """Root of these errors."""


@attrs.frozen
class UnreachableError(ChatError):
    """Nothing answers at this address."""

    gateway: str

    def __str__(self) -> str:
        return (
            f"No gateway answers at {self.gateway}. Start it with `make run`, or name another one "
            "with --gateway."
        )


@attrs.frozen
class NotAGatewayError(ChatError):
    """Something answers there, but not as a gateway does."""

    gateway: str
    status: int

    def __str__(self) -> str:
        return (
            f"What answers at {self.gateway} (with status {self.status}) is no assistant gateway. "
            "Name the right address with --gateway."
        )


@attrs.frozen
class ConnectionLostError(ChatError):
    """The connection broke in mid-answer, and could not be had again."""

    gateway: str
    thread_id: str | None

    def __str__(self) -> str:
        again = f" --thread-id {self.thread_id}" if self.thread_id else ""
        return (
            f"The connection to {self.gateway} broke, so the answer is incomplete. Look whether "
            f"the gateway runs, then go on with: tenantctl chat …{again}"
        )


@attrs.frozen
class RefusedError(ChatError):
    """The gateway says why there is no answer.

    Args:
        type: such as ``urn:agw:unknown-tenant``.
        detail: in words.
        correlation_id: under which the gateway logged it.
    """

    type: str
    detail: str
    correlation_id: str

    @classmethod
    def of(cls, problem: Mapping[str, Any]) -> "RefusedError":
        """From a problem document or an error frame."""
        detail = problem.get("detail") or problem.get("error") or "The gateway refused it."
        return cls(problem.get("type", ""), detail, problem.get("correlation_id", ""))

    def __str__(self) -> str:
        remedy = _REMEDIES.get(self.type, "")
        return f"{self.detail}{remedy} (Reference: {self.correlation_id})"


_REMEDIES: Mapping[str, str] = {
    "urn:agw:unknown-tenant": " Look for its id among the gateway's tenants (GATEWAY_TENANTS).",
    "urn:agw:unauthorized": f" Set {KEY} to a key of the tenant: tenantctl keys issue makes one.",
    "urn:agw:unknown-thread": " Leave --thread-id out, or say /new, to start a new one.",
    "urn:agw:thread-busy": " Wait for its end, or say /new to start another thread.",
    "urn:agw:upstream-unauthorized": " Look at OPENAI_API_KEY, or at the tenant's own secret.",
    "urn:agw:tenant-unavailable": " `tenantctl validate` says what is wrong with its files.",
}
