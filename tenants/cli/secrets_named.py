"""The secrets that the document of a registry's tenant refers to."""

import attrs

from tenants.documents import FILE, readable
from tenants.errors import TenantsError
from tenants.model import LATEST, SecretRef
from tenants.registry import layout
from tenants.registry.objects import Objects
from tenants.releases import reading
from tenants.releases.errors import WorkingFormError
from tenants.secrets.references import references


@attrs.frozen
class Needed:
    """What a document refers to.

    Args:
        refs: to secrets.
        known: whether the document could be read.
    """

    refs: frozenset[SecretRef] = frozenset()
    known: bool = False

    @property
    def names(self) -> frozenset[str]:
        """Of secrets."""
        return frozenset(each.name for each in self.refs)

    def says(self, name: str) -> bool | None:
        """Whether it refers to a secret; None where nobody knows."""
        return name in self.names if self.known else None

    def versions(self, name: str) -> frozenset[int]:
        """Versions of a secret that it refers to by number."""
        return frozenset(
            int(each.version) for each in self.refs if each.name == name and each.version != LATEST
        )


def needed(objects: Objects, tenant_id: str) -> Needed:
    """What the document in force refers to; a store of secrets can be looked at without it."""
    try:
        stored = objects.read(_document(objects, tenant_id))
    except TenantsError:
        return Needed()
    if stored is None:
        return Needed()
    raw = readable(stored.content.decode("utf-8-sig", errors="replace"))
    return Needed(references(raw), known=True)


def _document(objects: Objects, tenant_id: str) -> str:
    try:
        held = reading.show(objects, tenant_id)
    except WorkingFormError:
        return layout.source(tenant_id, FILE)
    revision = reading.revision_of(held, None)
    return layout.revision(tenant_id, revision.revision, revision.sha256, FILE)
