"""What the operator's API answers."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.http.admin.requests import Files, TenantId
from tenants.releases.states import State

Seconds = Annotated[int, Meta(description="Unix time in seconds.", examples=[1795254840])]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="In hexadecimal.")]
KeyState: TypeAlias = Literal["live", "expired", "revoked"]


class TenantSummary(msgspec.Struct, kw_only=True):
    """A tenant as a listing shows it."""

    id: Annotated[str, Meta(description="What can be none is listed too, with its fault.")]
    state: State
    name: str | None = None
    revision: int | None = None
    sha256: Sha256 | None = None
    published_at: Seconds | None = None
    by: str | None = None
    schema_version: int | None = None
    fault: Annotated[str, Meta(description="Why no more is known of it.")] | None = None


class TenantPage(msgspec.Struct, kw_only=True):
    """Tenants by id."""

    object: Literal["list"] = "list"
    data: list[TenantSummary]
    first_id: str | None
    last_id: str | None
    has_more: bool


class AssistantFacts(msgspec.Struct):
    """One assistant."""

    alias: str
    id: str
    engine: str
    model: str
    functions: list[str]


class IssuerFacts(msgspec.Struct):
    """Who issues the end users' own tokens."""

    issuer: str
    audience: str


class Facts(msgspec.Struct, kw_only=True):
    """What a revision says."""

    assistants: list[AssistantFacts]
    models: list[str]
    functions: list[str]
    tool_module: str | None
    base_url: Annotated[str, Meta(description="Null: the operator's upstream.")] | None
    secrets: Annotated[list[str], Meta(description="Names, never values.")]
    allowed_origins: list[str]
    public_chat: bool
    expose_tool_calls: bool
    token_issuer: IssuerFacts | None


class Tenant(TenantSummary, kw_only=True):
    """A tenant, and what is in force of it."""

    note: str | None = None
    facts: Facts | None = None


class Difference(msgspec.Struct):
    """A file that is not the same."""

    name: str
    kind: Literal["added", "removed", "changed"]
    lines: Annotated[
        list[str], Meta(description="Of a unified diff; of binary files and long ones digests.")
    ]


class Diff(msgspec.Struct):
    """What differs between two revisions."""

    id: TenantId
    one: int = msgspec.field(name="from")
    other: int = msgspec.field(name="to")
    files: list[Difference]


class KeyFacts(msgspec.Struct, kw_only=True):
    """A key, never itself."""

    id: Annotated[str, Meta(examples=["key_Zk3v8QmW2hT5xNcB"])]
    scope: str
    state: KeyState
    created_at: Seconds
    expires_at: Seconds | None
    revoked_at: Seconds | None
    last_used_at: Seconds | None
    note: str


class IssuedKey(KeyFacts, kw_only=True):
    """A new key, this once."""

    key: Annotated[str, Meta(pattern="^agw_")]
    announced: Annotated[
        bool,
        Meta(description="False: gateways could not be told of it, and take it within 5 minutes."),
    ]


class KeyList(msgspec.Struct, kw_only=True):
    """All keys that are remembered, dead ones too, oldest first."""

    object: Literal["list"] = "list"
    data: list[KeyFacts]


class Changed(msgspec.Struct, kw_only=True):
    """How a tenant stands after a change."""

    id: TenantId
    state: State
    revision: int | None
    changed: Annotated[bool, Meta(description="Whether it was otherwise before.")]


class Published(msgspec.Struct, kw_only=True):
    """What a publish has changed, or would change."""

    id: TenantId
    dry_run: bool
    changed: bool
    revision: Annotated[int, Meta(description="That is in force; null: none is.")] | None
    sha256: Annotated[str, Meta(description="Of the files that were sent, in hexadecimal.")]
    files: list[Difference]
    notices: Annotated[list[str], Meta(description="What to know of its knowledge.")]


class Created(Published, kw_only=True):
    """A new tenant."""

    key: IssuedKey | None


class Revision(msgspec.Struct, kw_only=True):
    """A revision that was published."""

    revision: int
    in_force: bool
    sha256: Sha256
    published_at: Seconds
    by: str
    note: str


class RevisionList(msgspec.Struct, kw_only=True):
    """The revisions that are remembered, newest first."""

    object: Literal["list"] = "list"
    data: list[Revision]


class RevisionFiles(Revision, kw_only=True):
    """A revision with its files, as they can be published again."""

    files: Files


class AuditRecord(msgspec.Struct, kw_only=True):
    """Who did what."""

    id: Annotated[str, Meta(examples=["20261121T151413Z-0"])]
    at: Seconds
    by: str
    action: str
    details: dict[str, str | int]


class AuditPage(msgspec.Struct, kw_only=True):
    """Entries of the audit."""

    object: Literal["list"] = "list"
    data: list[AuditRecord]
    first_id: str | None
    last_id: str | None
    has_more: bool


class LeftUpstream(msgspec.Struct, kw_only=True):
    """What the tenant's knowledge syncs have made upstream, which is not deleted by this."""

    vector_store_id: Annotated[str, Meta(description="Null: it was never written down.")] | None
    base_url: Annotated[str, Meta(description="Null: the operator's upstream.")] | None
    token: Annotated[str, Meta(description="Marks the store and its files there.")]


class TenantDeleted(msgspec.Struct, kw_only=True):
    """Nothing of the tenant is left here."""

    id: TenantId
    object: Literal["tenant.deleted"] = "tenant.deleted"
    deleted: bool = True
    objects_deleted: Annotated[int, Meta(description="Of the registry.")]
    threads_deleted: int
    left_upstream: list[LeftUpstream]


class DataDeleted(msgspec.Struct, kw_only=True):
    """Nothing of the tenant is left in the store."""

    id: TenantId
    object: Literal["tenant.data.deleted"] = "tenant.data.deleted"
    deleted: bool = True
    threads_deleted: int


class TenantHealth(msgspec.Struct, kw_only=True):
    """How a tenant stands in this process."""

    id: TenantId
    loaded: Annotated[bool, Meta(description="Whether anything of it is in memory.")]
    sha256: Annotated[str, Meta(description="Of the files in force here.")] | None
    since: Annotated[int, Meta(description="Unix seconds since when they are.")] | None
    refused: Annotated[str, Meta(description="Why a newer revision is not in force.")] | None
    refused_since: Annotated[int, Meta(description="Unix seconds since when it is not.")] | None
    stale_seconds: float


class RegistryHealth(msgspec.Struct, kw_only=True):
    """Whether changes of the registry are seen."""

    ok: bool
    stale_seconds: Annotated[float, Meta(description="For how long changes could not be seen.")]


class StoreHealth(msgspec.Struct, kw_only=True):
    """Whether threads and runs can be written."""

    ok: bool


class SecretsHealth(msgspec.Struct, kw_only=True):
    """Whether the store of secrets can be read."""

    ok: bool
    fault: str | None


class Health(msgspec.Struct, kw_only=True):
    """How the process stands."""

    status: Literal["ok", "degraded"]
    registry: RegistryHealth
    store: StoreHealth
    secrets: SecretsHealth


class Fault(msgspec.Struct, kw_only=True):
    """One thing that is wrong with an input."""

    field: Annotated[str, Meta(description="Its path; empty for the whole.")]
    message: str
    file: Annotated[str, Meta(description="Of the tenant's files.")] | UnsetType = UNSET
    line: Annotated[int, Meta(ge=1)] | UnsetType | None = UNSET


class Problem(msgspec.Struct, kw_only=True):
    """Why there is no answer (RFC 9457)."""

    type: Annotated[str, Meta(pattern="^urn:agw:[a-z-]+$", examples=["urn:agw:invalid-input"])]
    title: str
    status: int
    detail: str
    instance: str
    correlation_id: str
    errors: list[Fault] | UnsetType = UNSET
    revision: Annotated[int, Meta(description="That won, of a conflict.")] | UnsetType | None = (
        UNSET
    )
    by: Annotated[str, Meta(description="Who put it in force.")] | UnsetType = UNSET


ANSWERS: tuple[Any, ...] = (
    TenantPage,
    Tenant,
    Created,
    Published,
    Changed,
    RevisionList,
    RevisionFiles,
    Diff,
    KeyList,
    KeyFacts,
    IssuedKey,
    AuditPage,
    TenantDeleted,
    DataDeleted,
    TenantHealth,
    Health,
    Problem,
)
