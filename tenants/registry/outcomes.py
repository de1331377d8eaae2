"""What becomes of tenants' revisions in this process, as metrics count it and the log says it."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import structlog

from tenants.registry.standing import Standing

Outcome: TypeAlias = Literal["loaded", "copied", "rejected", "removed", "forgotten"]
"""Of a revision: in force; in force from a last good copy; refused; its tenant is gone; idle."""

OnEvent: TypeAlias = Callable[[Outcome], None]
_log = structlog.get_logger(__name__)


def tell_change(
    tenant_id: str, before: Standing, now: Standing, on_event: OnEvent, *, news: bool
) -> None:
    """Count and log what a look at a tenant has found.

    Args:
        tenant_id: whose it is.
        before: how it stood; ``NOTHING`` where it was not known here.
        now: how it stands.
        on_event: counts.
        news: whether operators want to read of a revision that came into force.
    """
    if now.refused and (now.refused, now.refused_revision) != (
        before.refused,
        before.refused_revision,
    ):
        on_event("rejected")
        _log.warning("tenant_rejected", tenant_id=tenant_id, faults=now.refused.splitlines())
    if now.revision and now.revision != before.revision:
        on_event("loaded")
        log = _log.info if news else _log.debug
        log("tenant_loaded", tenant_id=tenant_id, revision=now.revision)


def tell_removal(tenant_id: str, on_event: OnEvent) -> None:
    """Count and log that a tenant is gone."""
    on_event("removed")
    _log.info("tenant_removed", tenant_id=tenant_id)
