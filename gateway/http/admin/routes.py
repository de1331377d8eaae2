"""The operator's API, ``/admin/api``: what a console and remote automation use."""

from litestar import Router

from gateway.http.admin import deleting, health, keys, revisions, tenants
from gateway.http.admin.access import require_operator, require_tenant_id
from gateway.http.admin.document import document
from gateway.http.admin.problems import answer_operator
from gateway.http.listeners import ADMIN, operators_only

HANDLERS = (
    tenants.tenants,
    tenants.create,
    tenants.tenant,
    deleting.delete_tenant,
    tenants.suspend,
    tenants.resume,
    deleting.delete_data,
    revisions.revisions,
    revisions.publish,
    revisions.revision,
    revisions.rollback,
    revisions.diff,
    revisions.audit_entries,
    keys.keys,
    keys.issue,
    keys.rotate,
    keys.revoke,
    health.tenant_health,
    health.health,
    document,
)


def router() -> Router:
    """The routes; each needs the operator's key, and exists at the operator's port alone."""
    return Router(
        f"{ADMIN}/api",
        route_handlers=HANDLERS,
        guards=[operators_only, require_operator, require_tenant_id],
        exception_handlers={Exception: answer_operator},
        include_in_schema=False,
    )
