"""A registry's documents as they are stored: classes of their own, so that the model can change.

Readers pass over fields that they do not know: an older program reads what a newer one wrote.
Times are Unix seconds.
"""

import attrs


@attrs.frozen
class StoredRevision:
    """A revision that was published, as the pointer remembers it.

    Args:
        revision: its number, from 1.
        sha256: of its source files, in hexadecimal.
        compiled_sha256: of its ``compiled.json``, in hexadecimal.
        published_at: when it was first in force.
    """

    revision: int
    sha256: str
    compiled_sha256: str
    published_at: int
    by: str
    note: str = ""


@attrs.frozen
class Pointer:
    """``current.json``: the revision in force.

    Args:
        revision: its number, from 1.
        sha256: of the revision's source files, in hexadecimal; the revision is addressed by it.
        compiled_sha256: of its ``compiled.json``, in hexadecimal.
        published_at: when the pointer was moved to it.
        by: who moved it.
        suspended: whether the tenant is switched off; requests then see no tenant.
        offboarding: whether its deletion has begun; it is suspended too then, and stays so.
        name: what people call the tenant.
        schema_version: of the revision's ``tenant.toml``.
        history: the newest revisions that were published, oldest first. What a publish that died
            half way has left is not among them.
    """

    revision: int
    sha256: str
    compiled_sha256: str
    published_at: int
    by: str
    note: str = ""
    suspended: bool = False
    offboarding: bool = False
    name: str = ""
    schema_version: int = 1
    history: tuple[StoredRevision, ...] = ()


@attrs.frozen
class StoredKey:
    """A key in ``keys.json``.

    Args:
        id: such as ``key_…``; not secret.
        sha256: of the whole key, in hexadecimal.
        scope: ``chat``, ``history``, ``manage``, or several with a space between.
        expires_at: it is dead from then on; None: never.
        revoked_at: it is dead from then on, whatever ``expires_at`` says.
    """

    id: str
    sha256: str
    scope: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    note: str = ""


@attrs.frozen
class StoredKeys:
    """``keys.json``."""

    keys: tuple[StoredKey, ...] = ()


@attrs.frozen
class Change:
    """An entry of the change feed.

    Args:
        sequence: from 1, without a gap.
        tenants: whose pointer or keys have changed, in one batch.
        what: such as ``published`` or ``keys``, for people.
    """

    sequence: int
    at: int
    tenants: tuple[str, ...]
    what: str


@attrs.frozen
class Changes:
    """``changes.json``: the newest changes, oldest first.

    Args:
        sequence: of the newest change; 0 where there never was one.
    """

    sequence: int = 0
    entries: tuple[Change, ...] = ()


@attrs.frozen
class AuditEntry:
    """``audit/<time>-<n>.json``: who did what; written before it takes effect.

    Args:
        action: such as ``publish``, ``rollback``, ``keys.revoke``, or ``refused`` for what then
            did not happen.
        details: such as the revision or the key's id; never a secret.
    """

    at: int
    by: str
    action: str
    details: dict[str, str | int] = attrs.field(factory=dict)
