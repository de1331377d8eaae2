"""What the door hands on: who asks, and within which tenant."""

import attrs


@attrs.frozen
class TenantContext:
    """Proof that a request or a run acts within one tenant.

    Only the door (``gateway.http.access``) and a run that passed it make one; every store method
    takes one, so nothing can be looked up outside a tenant.

    Args:
        tenant_id: a DNS label.
        correlation_id: the id under which this piece of work is logged.
    """

    tenant_id: str
    correlation_id: str
