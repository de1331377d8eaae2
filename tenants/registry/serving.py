"""The registry that serves the tenants of a place."""

from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path

from tenants.registry.copies import Copies
from tenants.registry.deferred import DeferredObjects
from tenants.registry.directory import DirectoryRegistry
from tenants.registry.opening import open_objects
from tenants.registry.outcomes import OnEvent
from tenants.registry.places import RegistryPlace
from tenants.registry.published import PublishedRegistry
from tenants.registry.published_reading import Reader


def open_registry(  # noqa: PLR0913  (each is a setting of its own)
    place: RegistryPlace,
    *,
    copies: Path,
    emulator: str | None,
    private_upstreams: AbstractSet[str],
    inline_tools: bool,
    on_event: OnEvent,
) -> DirectoryRegistry | PublishedRegistry:
    """A registry, still to be started; nothing is read so far.

    Args:
        place: where the tenants are.
        copies: the directory of last good copies, for places that can be away.
        emulator: the URL of a server in Cloud Storage's place.
        private_upstreams: hosts that an upstream may have though they are private.
        inline_tools: whether tool modules may run outside of cells.
        on_event: counts what became of a revision.
    """
    if place.kind == "dir":
        return DirectoryRegistry(
            Path(place.target),
            private_upstreams=private_upstreams,
            inline_tools=inline_tools,
            on_event=on_event,
        )
    environ = {"STORAGE_EMULATOR_HOST": emulator} if emulator else {}
    objects = DeferredObjects(partial(open_objects, str(place), environ))
    reader = Reader(objects, private_upstreams=private_upstreams, inline_tools=inline_tools)
    kept = Copies(
        copies, str(place), private_upstreams=private_upstreams, inline_tools=inline_tools
    )
    return PublishedRegistry(objects, reader, kept, on_event=on_event)
