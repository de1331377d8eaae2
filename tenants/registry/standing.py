"""How a published tenant stands: what was found of it, and what of that is in force."""

import time
from typing import Self

import attrs

from tenants.compiled import CompiledTenant
from tenants.ports import TenantHealth
from tenants.registry.objects import NEW, Stored
from tenants.registry.stored import Pointer


@attrs.frozen
class Standing:
    """What is known of a published tenant.

    Args:
        pointer: of the revision in force, without its history; None: none ever was.
        pointer_generation: of the newest pointer that was seen.
        tenant: the revision in force, with its keys; None: there is no good one.
        keys: ``keys.json`` as it was read; None: there is none.
        refused: why the newest is not in force; empty: it is.
        refused_revision: the SHA-256 of files in working form that were refused, in hexadecimal.
    """

    pointer: Pointer | None = None
    pointer_generation: int = NEW
    tenant: CompiledTenant | None = None
    keys: Stored | None = None
    refused: str = ""
    refused_revision: str = ""

    @property
    def suspended(self) -> bool:
        """Whether requests see no tenant."""
        return self.pointer is not None and self.pointer.suspended

    @property
    def generations(self) -> tuple[int, int]:
        """Of the pointer and of the keys."""
        return self.pointer_generation, self.keys.generation if self.keys else NEW

    @property
    def in_force(self) -> CompiledTenant | None:
        """What requests see."""
        return None if self.suspended else self.tenant

    @property
    def revision(self) -> str:
        """The SHA-256 of what is in force; empty: nothing is."""
        tenant = self.in_force
        return tenant.revision if tenant else ""


NOTHING = Standing()


@attrs.frozen
class Since:
    """Since when a tenant stands here as it does, in Unix seconds.

    Args:
        in_force: its revision is in force; None: none is.
        refused: the newest is not; None: it is.
    """

    in_force: int | None = None
    refused: int | None = None

    def after(self, before: Standing, now: Standing) -> Self:
        """As ``before`` has become ``now``, at this moment."""
        moment = int(time.time())
        in_force = self.in_force if now.revision == before.revision else moment
        refused = self.refused if before.refused else moment
        return type(self)(in_force if now.revision else None, refused if now.refused else None)

    def health(self, standing: Standing) -> TenantHealth:
        """What operators are told."""
        return TenantHealth(
            standing.revision or None, self.in_force, standing.refused, self.refused
        )
