"""The operator's API, ``/admin/api``: what a console and remote automation use."""

from litestar import Router

from gateway.http import admin_health, admin_keys, admin_revisions, admin_tenants
from gateway.http.admin_access import require_operator, require_tenant_id
from gateway.http.admin_document import document
from gateway.http.admin_problems import answer_operator
from gateway.http.listeners import ADMIN, operators_only

HANDLERS = (
    admin_tenants.tenants,
    admin_tenants.create,
    admin_tenants.tenant,
    admin_tenants.delete_tenant,
    admin_tenants.suspend,
    admin_tenants.resume,
    admin_tenants.delete_data,
    admin_revisions.revisions,
    admin_revisions.publish,
    admin_revisions.revision,
    admin_revisions.rollback,
    admin_revisions.diff,
    admin_revisions.audit_entries,
    admin_keys.keys,
    admin_keys.issue,
    admin_keys.rotate,
    admin_keys.revoke,
    admin_health.tenant_health,
    admin_health.health,
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
