"""Releases of small tenants, as tests need them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tenants.registry.objects import Objects
from tenants.releases.loading import Loaded, load
from tenants.releases.pointers import Intent
from tenants.releases.release import Release, prepare
from tests.fakes.tenants import DOCUMENT

NOW = 1_800_000_000
ALICE = Intent("alice", NOW, "as agreed")
BOB = Intent("bob", NOW + 60)


def files_of(
    tenant_id: str = "acme", instructions: str = "Be brief.", **more: bytes
) -> dict[str, bytes]:
    """The files of a small tenant; ``more`` are further ones, with __ for / and _ for a dot."""
    return {
        "tenant.toml": DOCUMENT.format(tenant_id=tenant_id).encode(),
        "instructions.md": instructions.encode(),
        **{name.replace("__", "/").replace("_", "."): content for name, content in more.items()},
    }


def release_of(tenant_id: str = "acme", instructions: str = "Be brief.", **more: bytes) -> Release:
    """A release of a small tenant."""
    return prepare(tenant_id, files_of(tenant_id, instructions, **more))


def served(objects: Objects, tenant_id: str = "acme") -> str | None:
    """The instructions that requests would get; None where they would see no tenant."""
    found = load(objects, tenant_id, private_upstreams=frozenset())
    return found.tenant.default.instructions if isinstance(found, Loaded) else None


def at_once(works: Sequence[Callable[[], object]]) -> list[object]:
    """Start works together on threads of their own; what each gives or raises."""
    start = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait()
        try:
            return work()
        except Exception as error:  # noqa: BLE001  (the test judges it)
            return error

    with ThreadPoolExecutor(len(works)) as threads:
        return [*threads.map(run, works)]
