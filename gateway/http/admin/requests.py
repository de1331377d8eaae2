"""What operators send; the same classes read bodies and make the document."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tenants.releases.files import MOST_FILES
from tenants.releases.pointers import LONGEST_TEXT

TenantId = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", examples=["acme"])]
Note = Annotated[str, Meta(max_length=LONGEST_TEXT, description="For people, in the audit.")]
Scope = Annotated[
    str,
    Meta(
        pattern=r"^(chat|history|manage)( (chat|history|manage))*$",
        description="One or several, with a space between; none includes another.",
        examples=["chat history"],
    ),
]
ExpiresAt = Annotated[
    int, Meta(ge=1, le=253_402_300_799, description="Unix time in seconds; null: never.")
]
Expected = Annotated[
    int,
    Meta(
        ge=0,
        description="Refuse unless this revision is in force; 0: none is, the tenant is in working "
        "form. Null: whatever it is.",
    ),
]


class Encoded(msgspec.Struct, forbid_unknown_fields=True):
    """A file that is no text."""

    base64: bytes


Files = Annotated[
    dict[str, str | Encoded],
    Meta(
        max_length=MOST_FILES,
        description='By name: a text, or `{"base64"}` for what is no text.',
        examples=[{"instructions.md": "Be brief.", "knowledge/a.pdf": {"base64": "JVBERg=="}}],
    ),
]


class NewKey(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A key that is asked for."""

    scope: Scope = "chat"
    expires_at: ExpiresAt | None = None
    note: Note = ""


class KeyRotation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A key that takes another one's place."""

    overlap_seconds: Annotated[
        int, Meta(ge=0, le=31_536_000, description="For how long the old key goes on.")
    ] = 86_400
    expires_at: ExpiresAt | None = None
    note: Note = ""


class NewTenant(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A tenant to create; with `key`, its first one is issued too."""

    id: TenantId
    files: Files
    note: Note = ""
    key: NewKey | None = None
    dry_run: Annotated[bool, Meta(description="Judge the files, and publish nothing.")] = False


class NewRevision(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Files to put in force."""

    files: Files
    note: Note = ""
    expected_revision: Expected | None = None
    dry_run: Annotated[bool, Meta(description="Judge the files, and publish nothing.")] = False


class Rollback(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An earlier revision to put in force."""

    revision: Annotated[int, Meta(ge=1)] | None = None
    expected_revision: Expected | None = None
    note: Note = ""


class Noted(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Why something is done."""

    note: Note = ""


class TenantQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which tenants."""

    limit: Annotated[int, Meta(ge=1, le=1000, description="How many.")] = 100
    after: Annotated[str, Meta(description="The id that the page follows.")] = ""
    prefix: Annotated[str, Meta(description="What the ids begin with.")] = ""


class AuditQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which entries of the audit."""

    limit: Annotated[int, Meta(ge=1, le=100, description="How many; each is a read.")] = 20
    order: Annotated[Literal["asc", "desc"], Meta(description="By time.")] = "desc"
    after: Annotated[str, Meta(description="The id that the page follows, in this order.")] = ""


class DiffQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Between which revisions."""

    one: (
        Annotated[int, Meta(ge=1, description="A revision; if absent, the one before `to`.")] | None
    ) = msgspec.field(default=None, name="from")
    other: (
        Annotated[int, Meta(ge=1, description="A revision; if absent, the one in force.")] | None
    ) = msgspec.field(default=None, name="to")


REQUESTS: tuple[Any, ...] = (NewTenant, NewRevision, Rollback, Noted, NewKey, KeyRotation)
