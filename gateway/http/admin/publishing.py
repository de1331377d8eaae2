"""Files that operators send, judged and published."""

from collections.abc import Mapping

import attrs

from gateway.http.admin import shapes
from gateway.http.admin.requests import NewRevision, NewTenant, Rollback
from gateway.http.admin.views import differences, files_of
from tenants.errors import BrokenObjectError
from tenants.knowledge.standing import notices
from tenants.registry.objects import Objects
from tenants.releases import differing, publishing, switching
from tenants.releases.errors import PublishConflictError, TenantExistsError, WorkingFormError
from tenants.releases.pointers import Held, Intent, find, held, in_working_form
from tenants.releases.publishing import Published
from tenants.releases.reading import read_whole, revision_of
from tenants.releases.release import Preparing, Release, prepare


def created(
    objects: Objects, asked: NewTenant, intent: Intent, preparing: Preparing
) -> shapes.Published:
    """Publish the first revision of a tenant, or say what that would be.

    Raises:
        TenantExistsError: there is such a tenant.
        InvalidTenantError: with everything that is wrong with the files.
        ReleasesError: see ``publishing.create``.
        ObjectsUnavailableError: the registry cannot be written.
    """
    if find(objects, asked.id) is not None or in_working_form(objects, asked.id):
        raise TenantExistsError(asked.id)
    release = prepare(asked.id, files_of(asked.files), preparing, before={})
    made = None if asked.dry_run else publishing.create(objects, release, intent)
    return _outcome(release, {}, None, made)


def published(
    objects: Objects,
    tenant_id: str,
    asked: NewRevision,
    intent: Intent,
    preparing: Preparing,
) -> shapes.Published:
    """Publish a revision of a tenant that exists, or say what that would change.

    Raises:
        InvalidTenantError: with everything that is wrong with the files.
        PublishConflictError: another revision is in force than was expected, or somebody else
            changes the tenant just now.
        ReleasesError: see ``publishing.publish``.
        ObjectsUnavailableError: the registry cannot be written.
    """
    seen = _seen(objects, tenant_id, intent, asked.expected_revision)
    before = _in_force(objects, seen) if seen else {}
    release = prepare(tenant_id, files_of(asked.files), preparing, before=before)
    made = None
    if not asked.dry_run:
        made = publishing.publish(objects, release, _expecting(intent, seen))
    return _outcome(release, before, seen, made)


def rolled_back(objects: Objects, tenant_id: str, asked: Rollback, intent: Intent) -> Published:
    """Put an earlier revision in force; see ``switching.rollback``."""
    if asked.expected_revision is not None:
        seen = _seen(objects, tenant_id, intent, asked.expected_revision)
        intent = _expecting(intent, seen)
    return switching.rollback(objects, tenant_id, intent, to=asked.revision)


def _seen(objects: Objects, tenant_id: str, intent: Intent, expected: int | None) -> Held | None:
    """The pointer, where it is as expected; None where the tenant is in working form."""
    try:
        found = held(objects, tenant_id, intent)
    except WorkingFormError:
        found = None
    revision = found.pointer.revision if found else None
    if expected not in {None, revision or 0}:
        raise PublishConflictError(tenant_id, revision, found.pointer.by if found else "")
    return found


def _expecting(intent: Intent, seen: Held | None) -> Intent:
    """The intent, for the pointer that was looked at and no other."""
    return attrs.evolve(intent, expected=seen.generation if seen else None)


def _in_force(objects: Objects, seen: Held) -> Mapping[str, bytes]:
    """The files in force; none where they are broken, which a publish mends."""
    try:
        return read_whole(objects, seen.tenant_id, revision_of(seen, None)).files
    except BrokenObjectError:
        return {}


def _outcome(
    release: Release, before: Mapping[str, bytes], seen: Held | None, made: Published | None
) -> shapes.Published:
    now = made.held if made else seen
    changes = differences(differing.differences(before, release.files))
    return shapes.Published(
        id=release.tenant_id,
        dry_run=made is None,
        changed=made.changed if made else bool(changes),
        revision=now.pointer.revision if now else None,
        sha256=release.sha256,
        files=changes,
        notices=notices(release.tenant_id, release.files),
    )
