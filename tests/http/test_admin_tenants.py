"""The operator's API over tenants and their revisions, on a directory and on a bucket."""

import base64

import pytest

from tests.fakes.admin_client import files_of
from tests.fakes.gateway import write_tenant

pytest_plugins = ("tests.fakes.admin_fixtures",)

PDF = b"%PDF-1.7\n\xff\xfe\0"


async def test_a_tenant_from_its_creation_to_its_end(admin, http, operated):
    """Created with a key, it is talked to; deleted, it and its key are unknown."""
    made = await admin.create(note="first", key={"scope": "chat history"})
    headers = {"Authorization": f"Bearer {made['key']['key']}"}

    async with http.post(
        f"{operated.url}/t/acme/chat", json={"message": "Hi"}, headers=headers
    ) as answer:
        assert answer.status == 200
    gone = await admin.delete("/tenants/acme")
    async with http.get(f"{operated.url}/t/acme/start", headers=headers) as answer:
        assert answer.status == 404

    assert (made["id"], made["revision"], made["changed"], made["dry_run"]) == (
        *("acme", 1, True),
        False,
    )
    assert [each["kind"] for each in made["files"]] == ["added", "added"]
    assert (gone["deleted"], gone["threads_deleted"]) == (True, 1)
    assert gone["objects_deleted"] > 3
    await admin.get("/tenants/acme", 404)
    await admin.delete("/tenants/acme", 404)
    assert (await admin.get("/tenants"))["data"] == []
