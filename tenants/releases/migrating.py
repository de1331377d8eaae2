"""Brings published tenants' documents to the newest schema version, as new revisions."""

import tomllib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice

import attrs

from migrations_of_config import toml
from migrations_of_config.chain import Chain
from migrations_of_config.errors import MigrationsError
from tenants.documents import FILE, released_chain
from tenants.errors import TenantsError
from tenants.registry.objects import Objects
from tenants.releases.feed import Batch
from tenants.releases.pointers import Intent, held
from tenants.releases.publishing import publish
from tenants.releases.reading import list_tenants, read_whole, revision_of
from tenants.releases.release import PREPARING, Preparing, prepare

_AT_ONCE = 16
_AHEAD = 2 * _AT_ONCE


@attrs.frozen
class Migrated:
    """What became of one tenant.

    Args:
        before: its document.
        after: the document in the newest schema version; the same where there is nothing to do.
        steps: what the schema versions between have changed, a sentence each.
        revision: that was published; None: none was.
        error: why it could not be brought on; None: it could.
    """

    tenant_id: str
    before: str = ""
    after: str = ""
    steps: tuple[str, ...] = ()
    revision: int | None = None
    error: TenantsError | MigrationsError | None = None


def migrate(
    objects: Objects,
    tenant_ids: Iterable[str],
    intent: Intent,
    *,
    preparing: Preparing = PREPARING,
    dry_run: bool = False,
) -> Iterator[Migrated]:
    """Bring tenants on, some at a time; the change feed is written in batches.

    Args:
        objects: the registry.
        tenant_ids: of published tenants.
        intent: who wants it.
        preparing: how the new revisions are judged.
        dry_run: whether to publish nothing, and only say what would become of it.

    Yields:
        What became of each tenant, in their order. All are in the change feed at the end.
    """
    with Batch() as batch, ThreadPoolExecutor(_AT_ONCE) as threads:
        work = partial(_migrated, objects, intent, preparing, None if dry_run else batch)
        waiting = iter(tenant_ids)
        running: deque[Future[Migrated]] = deque()
        while True:
            some = islice(waiting, _AHEAD - len(running))
            running.extend(threads.submit(work, tenant_id) for tenant_id in some)
            if not running:
                return
            yield running.popleft().result()


def behind(objects: Objects, chain: Chain | None = None) -> Iterator[str]:
    """The ids of published tenants whose documents are of an earlier schema version.

    Args:
        objects: the registry; none of its objects is read.
        chain: of schema versions; None: the released one.

    Raises:
        ObjectsUnavailableError: the registry cannot be read.
    """
    newest = (chain or released_chain()).newest
    for tenant in list_tenants(objects):
        if tenant.schema_version < newest and not tenant.offboarding:
            yield tenant.tenant_id


def brought_on(document: bytes, chain: Chain) -> tuple[str, tuple[str, ...]]:
    """A good document in the newest schema version, and what that changed, a sentence each.

    Args:
        document: that was judged before.
        chain: of schema versions.
    """
    raw = tomllib.loads(document.decode("utf-8-sig"))
    steps = tuple(each.sentence for each in chain.pending(raw))
    return toml.dumps(chain.upgrade(raw)), steps


def _migrated(
    objects: Objects, intent: Intent, preparing: Preparing, batch: Batch | None, tenant_id: str
) -> Migrated:
    try:
        before = held(objects, tenant_id, intent)
        intent = attrs.evolve(intent, expected=before.generation)
        files = read_whole(objects, tenant_id, revision_of(before, None)).files
        after, steps = brought_on(files[FILE], preparing.chain or released_chain())
        text = files[FILE].decode("utf-8-sig")
        if not steps:
            return Migrated(tenant_id, text, text)
        release = prepare(tenant_id, {**files, FILE: after.encode()}, preparing)
        if batch is None:
            return Migrated(tenant_id, text, after, steps)
        published = publish(objects, release, intent, announce=batch)
        return Migrated(tenant_id, text, after, steps, published.held.pointer.revision)
    except (TenantsError, MigrationsError) as error:
        return Migrated(tenant_id, error=error)
