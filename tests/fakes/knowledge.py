"""A tenant with knowledge in a registry, and its syncs with an upstream."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import attrs
import openai

from tenants.knowledge.account import Account
from tenants.knowledge.material import gather
from tenants.knowledge.planning import Plan
from tenants.knowledge.progress import read_progress
from tenants.knowledge.state import KnowledgeState, decode
from tenants.knowledge.syncing import Pace, Sync
from tenants.registry.objects import Objects
from tenants.releases.pointers import Intent
from tenants.releases.publishing import create, publish
from tenants.releases.reading import read_release
from tenants.releases.release import Preparing, prepare
from tests.fakes.faulty_upstream import FaultyUpstream

PREPARING = Preparing(frozenset({"127.0.0.1"}))
NOW = 1_700_000_000
KEY = "sk-operator-planted"
DOCUMENT = """schema_version = 1
tenant_id = "{id}"
[assistant]
id = "asst_{id}_default"
model = "gpt-6-luna"
[tools]
hosted = ["file_search", "code_interpreter"]
[knowledge]
vector_store = "{id} docs"
files = ["knowledge/**"]
"""
FILES = {
    "knowledge/returns.md": b"Returns are accepted within 30 days of purchase.\n",
    "knowledge/shipping.md": b"Parcels to Norway travel for six days.\n",
}


def files_of(tenant_id: str, knowledge: Mapping[str, bytes] = FILES) -> dict[str, bytes]:
    """The files of a tenant."""
    document = DOCUMENT.format(id=tenant_id).encode()
    return {"tenant.toml": document, "instructions.md": b"Be brief.", **knowledge}


def change(knowing: "Knowing", knowledge: Mapping[str, bytes], document: str = DOCUMENT) -> None:
    """Publish other knowledge, the state of what is synced going on."""
    before = read_release(knowing.objects, knowing.tenant_id).files
    files = files_of(knowing.tenant_id, knowledge)
    files["tenant.toml"] = document.format(id=knowing.tenant_id).encode()
    release = prepare(knowing.tenant_id, files, PREPARING, before=before)
    publish(knowing.objects, release, Intent("ann", NOW))


def write_files(directory: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a directory, and nothing else of knowledge."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


@attrs.define
class Knowing:
    """A published tenant whose knowledge is synced.

    Attributes:
        told: what the last sync told its watcher.
    """

    objects: Objects
    upstream: FaultyUpstream
    tenant_id: str = "acme"
    key: str = KEY
    told_last: list[tuple[str, int, int]] = attrs.field(factory=list)

    def onboard(self, knowledge: Mapping[str, bytes] = FILES) -> None:
        """Publish its first revision."""
        release = prepare(self.tenant_id, files_of(self.tenant_id, knowledge))
        create(self.objects, release, Intent("ann", NOW))

    async def sync(self, objects: Objects | None = None, **options: object) -> Plan:
        """One sync, in a thread, of the revision in force."""
        return await asyncio.to_thread(self._sync, objects or self.objects, **options)

    def told(self, what: str, done: int, total: int) -> None:
        """See ``Watcher``."""
        self.told_last.append((what, done, total))

    def _sync(  # noqa: PLR0913  (each is an option of a sync)
        self,
        objects: Objects,
        directory: Path | None = None,
        *,
        dry_run: bool = False,
        retries: int = 0,
        stalled_seconds: float = 5.0,
        timeout_seconds: float = 30.0,
    ) -> Plan:
        self.told_last = []
        account = Account(
            self.upstream.base_url,
            self.key,
            pause=lambda _: None,
            retries=retries,
            timeout_seconds=timeout_seconds,
        )
        try:
            material = gather(objects, self.tenant_id, PREPARING, directory)
            sync = Sync(
                material.job(NOW),
                account,
                read_progress(objects, self.tenant_id),
                pace=Pace(poll_seconds=0.01, stalled_seconds=stalled_seconds),
                watcher=self,
            )
            plan = sync.look()
            if not dry_run:
                sync.carry_out(lambda state: material.land(objects, state, Intent("ann", NOW)))
            return plan
        finally:
            account.close()

    @property
    def revision(self) -> int:
        """The number of the revision in force."""
        return read_release(self.objects, self.tenant_id).revision.revision

    @property
    def state(self) -> KnowledgeState:
        """What ``knowledge.json`` of the revision in force says."""
        return decode(read_release(self.objects, self.tenant_id).files["knowledge.json"])

    async def there(self) -> dict[str, set[str]]:
        """What is upstream: file ids by where they are: uploaded, and in each store."""
        async with openai.AsyncOpenAI(base_url=self.upstream.base_url, api_key=self.key) as client:
            found = {"uploaded": {file.id async for file in client.files.list()}}
            async for store in client.vector_stores.list():
                files = client.vector_stores.files.list(store.id)
                found[store.id] = {file.id async for file in files}
            return found

    async def consistent(self, knowledge: Mapping[str, bytes] = FILES) -> None:
        """Assert that upstream, registry and files say the same, and that nothing is left over."""
        state = self.state
        ids = {file.file_id for file in state.files}
        assert {file.path for file in state.files} == set(knowledge)
        assert len(ids) == len(knowledge)
        assert await self.there() == {"uploaded": ids, state.vector_store_id: ids}
        assert read_progress(self.objects, self.tenant_id).stored.begun_at is None
