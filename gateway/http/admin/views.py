"""What is known of tenants, in the shapes that operators get."""

from collections.abc import Iterable, Mapping

import msgspec

from gateway.http.admin import shapes
from gateway.http.admin.requests import Encoded
from tenants.compiled import CompiledTenant
from tenants.registry.stored import AuditEntry, Pointer, StoredKey, StoredRevision
from tenants.releases.differing import FileDifference
from tenants.releases.key_records import alive
from tenants.releases.keyrings import IssuedKey
from tenants.releases.publishing import Published
from tenants.releases.reading import ListedTenant, StoredRelease
from tenants.releases.states import state_of


def summary(tenant: ListedTenant) -> shapes.TenantSummary:
    """A published tenant as it is listed."""
    if tenant.fault:
        return shapes.TenantSummary(id=tenant.tenant_id, state="broken", fault=tenant.fault)
    return shapes.TenantSummary(
        id=tenant.tenant_id,
        state=state_of(tenant),
        name=tenant.name,
        revision=tenant.revision,
        sha256=tenant.sha256,
        published_at=tenant.published_at,
        by=tenant.by,
        schema_version=tenant.schema_version,
    )


def working_form(tenant_id: str) -> shapes.TenantSummary:
    """A tenant that was never published, as it is listed."""
    return shapes.TenantSummary(id=tenant_id, state="working_form")


def published(
    tenant_id: str, pointer: Pointer, tenant: CompiledTenant | None, fault: str | None
) -> shapes.Tenant:
    """A published tenant."""
    return shapes.Tenant(
        id=tenant_id,
        state=state_of(pointer),
        name=pointer.name,
        revision=pointer.revision,
        sha256=pointer.sha256,
        published_at=pointer.published_at,
        by=pointer.by,
        schema_version=pointer.schema_version,
        note=pointer.note,
        facts=facts(tenant) if tenant else None,
        fault=fault,
    )


def unpublished(tenant_id: str, tenant: CompiledTenant | None, fault: str | None) -> shapes.Tenant:
    """A tenant in working form, as this process has it in force."""
    return shapes.Tenant(
        id=tenant_id,
        state="working_form",
        name=tenant.display_name if tenant else None,
        sha256=tenant.revision if tenant else None,
        facts=facts(tenant) if tenant else None,
        fault=fault,
    )


def facts(tenant: CompiledTenant) -> shapes.Facts:
    """What a revision says; secrets are named, never read."""
    assistants = tenant.assistants.values()
    key, issuer = tenant.upstream.api_key, tenant.token_issuer
    return shapes.Facts(
        assistants=[
            shapes.AssistantFacts(each.alias, each.id, each.engine, each.model, [*each.functions])
            for each in assistants
        ],
        models=sorted({each.model for each in assistants}),
        functions=sorted({name for each in assistants for name in each.functions}),
        tool_module=tenant.tool_module.file if tenant.tool_module else None,
        base_url=tenant.upstream.base_url,
        secrets=[key.name] if key else [],
        allowed_origins=sorted(tenant.allowed_origins),
        public_chat=tenant.public_chat,
        expose_tool_calls=tenant.expose_tool_calls,
        token_issuer=shapes.IssuerFacts(issuer.issuer, issuer.audience) if issuer else None,
    )


def revision(each: StoredRevision, in_force: int) -> shapes.Revision:
    """A revision, where that of the number ``in_force`` is."""
    return shapes.Revision(
        revision=each.revision,
        in_force=each.revision == in_force,
        sha256=each.sha256,
        published_at=each.published_at,
        by=each.by,
        note=each.note,
    )


def revision_files(release: StoredRelease, in_force: int) -> shapes.RevisionFiles:
    """A revision with its files."""
    known = msgspec.structs.asdict(revision(release.revision, in_force))
    files = {name: _written(content) for name, content in release.files.items()}
    return shapes.RevisionFiles(**known, files=files)


def files_of(given: Mapping[str, str | Encoded]) -> dict[str, bytes]:
    """Files as they are published."""
    return {
        name: each.encode() if isinstance(each, str) else each.base64
        for name, each in given.items()
    }


def differences(found: Iterable[FileDifference]) -> list[shapes.Difference]:
    """What is not the same, file by file."""
    return [shapes.Difference(each.name, each.kind, [*each.lines]) for each in found]


def changed(tenant_id: str, made: Published) -> shapes.Changed:
    """What became of a tenant."""
    pointer = made.held.pointer
    return shapes.Changed(
        id=tenant_id,
        state=state_of(pointer),
        revision=pointer.revision,
        changed=made.changed,
    )


def key(each: StoredKey, now: float, last_used_at: int | None) -> shapes.KeyFacts:
    """A key, never itself."""
    return shapes.KeyFacts(
        id=each.id,
        scope=each.scope,
        state=_key_state(each, now),
        created_at=each.created_at,
        expires_at=each.expires_at,
        revoked_at=each.revoked_at,
        last_used_at=last_used_at,
        note=each.note,
    )


def issued_key(issued: IssuedKey, now: float) -> shapes.IssuedKey:
    """A new key, the one time that it is told."""
    known = msgspec.structs.asdict(key(issued.record, now, None))
    return shapes.IssuedKey(**known, key=issued.text, announced=not issued.unannounced)


def audit_record(entry_id: str, entry: AuditEntry) -> shapes.AuditRecord:
    """An entry of the audit."""
    return shapes.AuditRecord(
        id=entry_id, at=entry.at, by=entry.by, action=entry.action, details=entry.details
    )


def _written(content: bytes) -> str | Encoded:
    """A file as JSON can carry it, so that the same bytes come back."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return Encoded(content)


def _key_state(each: StoredKey, now: float) -> shapes.KeyState:
    if alive(each, now):
        return "live"
    return "revoked" if each.revoked_at is not None else "expired"
