"""An operator who changes a registry of published tenants, as tests need one."""

import contextlib
import itertools
import time

from tenants.registry.objects import Objects
from tenants.releases import keyrings, offboarding, publishing, switching
from tenants.releases.pointers import Intent, find, in_working_form
from tenants.releases.release import Release, prepare
from tests.fakes.objects import Interrupted, KilledError

DOCUMENT = """schema_version = 1
tenant_id = "{tenant_id}"
[assistant]
id = "asst_{tenant_id}"
model = "gpt-6-luna"
"""


def release(tenant_id: str = "acme", instructions: str = "Be brief.", more: str = "") -> Release:
    """A release without functions; ``more`` is added to the document."""
    document = DOCUMENT.format(tenant_id=tenant_id) + more
    files = {"tenant.toml": document.encode(), "instructions.md": instructions.encode()}
    return prepare(tenant_id, files)


class Operator:
    """Publishes, suspends and handles keys; everything is announced."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self._times = itertools.count(int(time.time()))

    def intent(self) -> Intent:
        """Who and when."""
        return Intent("operator", next(self._times))

    def publish(self, tenant_id: str = "acme", instructions: str = "Be brief.") -> None:
        """Put instructions in force, of a new tenant or of one that exists."""
        made = release(tenant_id, instructions)
        is_there = find(self.objects, tenant_id) or in_working_form(self.objects, tenant_id)
        put = publishing.publish if is_there else publishing.create
        put(self.objects, made, self.intent())

    def publish_half(self, tenant_id: str = "acme") -> None:
        """Die right before a new tenant's pointer is written."""
        files = len(release(tenant_id).files) + 1  # and the compiled form
        killed = Interrupted(self.objects, writes=files + 1)  # and the audit entry
        with contextlib.suppress(KilledError):
            publishing.create(killed, release(tenant_id), self.intent())

    def rollback(self, tenant_id: str = "acme") -> None:
        """Put the revision before in force."""
        switching.rollback(self.objects, tenant_id, self.intent())

    def suspend(self, tenant_id: str = "acme") -> None:
        """Switch a tenant off."""
        switching.suspend(self.objects, tenant_id, self.intent())

    def resume(self, tenant_id: str = "acme") -> None:
        """Switch a tenant on."""
        switching.resume(self.objects, tenant_id, self.intent())

    def offboard(self, tenant_id: str = "acme") -> None:
        """Delete a tenant."""
        offboarding.offboard(self.objects, tenant_id, self.intent())

    def issue(self, tenant_id: str = "acme") -> keyrings.IssuedKey:
        """A new key for chatting."""
        return keyrings.issue(self.objects, tenant_id, ["chat"], self.intent())

    def revoke(self, key_id: str, tenant_id: str = "acme") -> None:
        """End a key."""
        keyrings.revoke(self.objects, tenant_id, key_id, self.intent())
