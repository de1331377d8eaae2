"""What a sync works on: a tenant's files, from wherever they are, and where their state goes."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path

import attrs

from tenants.documents import FILE, parse
from tenants.errors import Fault, InvalidTenantError
from tenants.knowledge.choosing import Wanted, choose
from tenants.knowledge.errors import NoKnowledgeError
from tenants.knowledge.state import AccountRef, KnowledgeState, StateError, decode, encode
from tenants.model import TenantDocument
from tenants.registry import layout
from tenants.registry.objects import Objects
from tenants.releases.errors import WorkingFormError
from tenants.releases.files import KNOWLEDGE
from tenants.releases.pointers import Held, Intent
from tenants.releases.publishing import Published, publish
from tenants.releases.reading import read_whole, revision_of, show
from tenants.releases.release import Preparing, prepare, prepare_directory
from tenants.sources import KNOWLEDGE_STATE


@attrs.frozen(kw_only=True)
class Job:
    """What is to be synced.

    Args:
        tenant_id: whose knowledge it is.
        store_name: what its vector store is called.
        account: that the knowledge goes to.
        wanted: the knowledge.
        state: what ``knowledge.json`` says now.
        now: Unix seconds.
    """

    tenant_id: str
    store_name: str
    account: AccountRef
    wanted: tuple[Wanted, ...]
    state: KnowledgeState | None
    now: int


@attrs.frozen(eq=False)
class Material:
    """A tenant's files.

    Args:
        files: by name.
        held: the pointer of a published tenant; None: the tenant is in working form.
        publishes: whether the files become a revision; else the state alone is written.
    """

    tenant_id: str
    files: Mapping[str, bytes]
    held: Held | None
    publishes: bool
    document: TenantDocument
    preparing: Preparing

    def job(self, now: int) -> Job:
        """What is to be synced, all of which the upstream takes.

        Args:
            now: Unix seconds.

        Raises:
            NoKnowledgeError: the tenant has none.
            UnfitFilesError: with everything that is wrong with its knowledge.
        """
        knowledge = self.document.knowledge
        if knowledge is None:
            raise NoKnowledgeError(self.tenant_id)
        return Job(
            tenant_id=self.tenant_id,
            store_name=knowledge.vector_store,
            account=AccountRef.of(self.document.upstream),
            wanted=choose(knowledge, self.files),
            state=self._state,
            now=now,
        )

    @property
    def _state(self) -> KnowledgeState | None:
        """What was synced last; None for a state that makes no sense: it is written anew."""
        with suppress(StateError):
            return decode(self.files[KNOWLEDGE_STATE]) if KNOWLEDGE_STATE in self.files else None
        return None

    def land(self, objects: Objects, state: KnowledgeState, intent: Intent) -> Published | None:
        """Put a state in force: in a new revision, or beside the files in working form.

        Returns:
            What was published; None where the tenant is in working form.

        Raises:
            PublishConflictError: somebody else changed the tenant meanwhile.
            InvalidTenantError, ContendedError, ObjectsUnavailableError: as ``publish``.
        """
        content = encode(state)
        if not self.publishes:
            if self.files.get(KNOWLEDGE_STATE) != content:
                name = layout.source(self.tenant_id, KNOWLEDGE_STATE)
                objects.write(name, content, expected=None)
            return None
        files = {**self.files, KNOWLEDGE_STATE: content}
        release = prepare(self.tenant_id, files, self.preparing)
        return publish(objects, release, intent)


def gather(
    objects: Objects, tenant_id: str, preparing: Preparing, directory: Path | None = None
) -> Material:
    """The files to be synced, all of which are valid.

    Args:
        objects: the registry.
        tenant_id: whose files.
        preparing: how they are judged.
        directory: takes the place of the registry's own files.

    Raises:
        UnknownTenantError: there is no such tenant.
        InvalidTenantError: with everything that is wrong with the files.
        BrokenObjectError: what the registry holds is not whole.
        ObjectsUnavailableError: the registry cannot be read.
    """
    try:
        held = show(objects, tenant_id)
    except WorkingFormError:
        held = None
    before = read_whole(objects, tenant_id, revision_of(held, None)).files if held else {}
    if directory is not None:
        files = prepare_directory(tenant_id, directory, preparing, before=before).files
    elif held is not None:
        files = prepare(tenant_id, before, preparing).files
    else:
        files = _working_form(objects, tenant_id)
    return Material(
        tenant_id=tenant_id,
        files=files,
        held=held,
        publishes=held is not None or directory is not None,
        document=_document(tenant_id, files[FILE], preparing.private_upstreams),
        preparing=preparing,
    )


def _working_form(objects: Objects, tenant_id: str) -> dict[str, bytes]:
    """The document of a tenant in working form, its knowledge, and what is known of that."""
    names = [layout.source(tenant_id, name) for name in (FILE, KNOWLEDGE_STATE)]
    names += [listed.name for listed in objects.list(layout.source(tenant_id, f"{KNOWLEDGE}**"))]
    files = {}
    for name in names:
        stored = objects.read(name)
        if stored is not None:
            files[name.removeprefix(layout.source(tenant_id, ""))] = stored.content
    return files


def _document(
    tenant_id: str, content: bytes, private_upstreams: AbstractSet[str]
) -> TenantDocument:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        fault = Fault(FILE, "", "it is not UTF-8: save it as UTF-8")
        raise InvalidTenantError(tenant_id, (fault,)) from None
    parsed = parse(text, directory=tenant_id, private_upstreams=private_upstreams)
    if parsed.document is None:
        raise InvalidTenantError(tenant_id, parsed.faults)
    return parsed.document
