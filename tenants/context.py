"""What the door hands on: who asks, and within which tenant."""

import attrs


@attrs.frozen
class TenantContext:
    """Proof that a request or a run acts within one tenant.

    Only the door (``gateway.http.door.door``) and a run that passed it make one; every store method
    takes one, so nothing can be looked up outside a tenant.

    Args:
        tenant_id: a DNS label.
        correlation_id: the id under which this piece of work is logged.
        user: the end user who asks, to whose threads it is kept; None: all threads of the tenant.
        thread_id: the one thread that it is kept to, whosever that is; None: as ``user`` says.
    """

    tenant_id: str
    correlation_id: str
    user: str | None = None
    thread_id: str | None = None

    @property
    def restricted(self) -> bool:
        """Whether there may be threads of the tenant that it does not reach."""
        return self.user is not None or self.thread_id is not None

    def reaches(self, thread_id: str, user: str | None) -> bool:
        """Whether it reaches a thread of the tenant.

        Args:
            thread_id: of the thread.
            user: who started it.
        """
        if self.thread_id is not None:
            return thread_id == self.thread_id
        return self.user is None or user == self.user
