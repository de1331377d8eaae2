"""Two syncs of one tenant at once, against a real, local upstream."""

import asyncio

import pytest

from tenants.knowledge.progress import read_progress
from tenants.registry import layout
from tenants.registry.objects import ObjectChangedError
from tests.fakes.knowledge import FILES, change

pytest_plugins = ("tests.fakes.knowledge_fixtures",)

STORE = "POST /v1/vector_stores"
UPLOAD = "POST /v1/files"
ATTACH = "POST /v1/vector_stores/.*/file_batches"


async def overtaken(knowing, asked):
    """Start a sync, let another one end while it waits for an answer, and return the first."""
    knowing.upstream.held = asked
    first = asyncio.create_task(knowing.sync())
    await knowing.upstream.holds()
    knowing.upstream.held = ""
    await knowing.sync()
    await knowing.upstream.release()
    return first


@pytest.mark.parametrize("asked", [STORE, UPLOAD, ATTACH])
async def test_of_two_syncs_at_once_one_is_told(knowing, asked):
    """Wherever it was overtaken it publishes nothing, and the next sync finds all in order."""
    first = await overtaken(knowing, asked)

    with pytest.raises(ObjectChangedError):
        await first
    assert knowing.revision == 2
    await knowing.sync()
    await knowing.consistent()


async def test_what_another_sync_may_want_is_not_deleted(knowing):
    """A sync that was about to delete a file leaves it where another one has begun meanwhile."""
    await knowing.sync()
    change(knowing, {"knowledge/returns.md": FILES["knowledge/returns.md"]})

    with pytest.raises(ObjectChangedError):
        await knowing.sync(Overtaking(knowing.objects))

    change(knowing, FILES)
    plan = await knowing.sync()
    assert sorted(plan.keep) == sorted(FILES)
    await knowing.consistent()


class Overtaking:
    """Objects where another sync begins just after the pointer was moved."""

    def __init__(self, objects):
        self._objects = objects

    def __getattr__(self, name):
        return getattr(self._objects, name)

    def write(self, name, content, *, expected, labels=None):
        """See ``Objects``."""
        generation = self._objects.write(name, content, expected=expected, labels=labels)
        if name == layout.pointer("acme"):
            other = read_progress(self._objects, "acme")
            other.begin(other.stored)
        return generation
