"""The operator's API over tenants, on a directory and on a bucket."""

import contextlib

import attrs
import pytest
from structlog.testing import capture_logs

from tenants.knowledge.progress import LeftStore, read_progress
from tenants.knowledge.state import AccountRef
from tenants.registry import layout
from tenants.releases import offboarding
from tenants.releases.pointers import Intent
from tests.fakes.admin_client import files_of
from tests.fakes.gateway import write_tenant
from tests.fakes.gcs import refusal
from tests.fakes.objects import Interrupted, KilledError

pytest_plugins = ("tests.fakes.admin_fixtures",)


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

    assert (made["id"], made["revision"], made["changed"]) == ("acme", 1, True)
    assert [each["kind"] for each in made["files"]] == ["added", "added"]
    assert (gone["deleted"], gone["threads_deleted"]) == (True, 1)
    assert gone["objects_deleted"] > 3
    await admin.get("/tenants/acme", 404)
    await admin.delete("/tenants/acme", 404)
    assert (await admin.get("/tenants"))["data"] == []


async def test_a_tenant_is_created_once_and_without_a_key_unless_asked(admin):
    """What is there already is left as it was."""
    made = await admin.create()
    problem = await admin.post("/tenants", 409, id="acme", files=files_of("acme", "Mine."))

    assert made["key"] is None
    assert (await admin.get("/tenants/acme/keys"))["data"] == []
    assert problem["type"] == "urn:agw:tenant-exists"
    assert "publish to it, or take another id" in problem["detail"]
    assert (await admin.get("/tenants/acme"))["revision"] == 1


async def test_a_dry_run_creates_nothing(admin, place):
    """Neither a tenant nor a single object; what would be refused is refused."""
    files = files_of("acme")

    tried = await admin.post("/tenants", 200, id="acme", files=files, key={}, dry_run=True)
    assert [*place.objects.list("**")] == []
    await admin.create()
    again = await admin.ask(
        "POST", "/tenants", json={"id": "acme", "files": files, "dry_run": True}
    )

    assert (tried["dry_run"], tried["changed"], tried["revision"]) == (True, True, None)
    assert tried["key"] is None
    assert again.status == 409


async def test_tenants_are_listed_in_pages_by_id(admin):
    """Ids that begin alike come one after the other, whatever order their objects have."""
    names = ["acme", "acme-x", "acme1", "globex"]
    for name in reversed(names):
        await admin.create(name)
    await admin.post("/tenants/globex/suspend")

    first = await admin.get("/tenants?limit=3")
    rest = await admin.get(f"/tenants?limit=3&after={first['last_id']}")
    some = await admin.get("/tenants?prefix=acme-")

    assert [each["id"] for each in first["data"]] == names[:3]
    assert (first["first_id"], first["last_id"], first["has_more"]) == ("acme", "acme1", True)
    assert [(each["id"], each["state"]) for each in rest["data"]] == [("globex", "suspended")]
    assert rest["has_more"] is False
    assert [each["id"] for each in some["data"]] == ["acme-x"]
    assert first["data"][0] | {"sha256": "", "published_at": 0} == {
        "id": "acme",
        "state": "in_force",
        "name": "acme",
        "revision": 1,
        "sha256": "",
        "published_at": 0,
        "by": "admin-api",
        "schema_version": 1,
        "fault": None,
    }


@pytest.mark.parametrize("place", ["bucket"], indirect=True)
async def test_a_listing_reads_no_tenant(admin, place):
    """One request lists them all."""
    for name in ("acme", "globex"):
        await admin.create(name)
    before = place.bucket.counts.copy()

    await admin.get("/tenants")

    assert place.bucket.counts - before == {"list": 1}


async def test_a_tenant_shows_what_is_in_force_and_no_secret(admin):
    """Its pointer, assistants, models, functions; secrets by name."""
    more = """
[assistants.research]
id = "asst_research"
model = "smart"
[models]
smart = "gpt-6-sol"
[upstream]
base_url = "https://api.example.com/v1"
api_key = "secret:openai-api-key"
[tools]
module = "tools.py"
isolation = "inline"
[access]
allowed_origins = ["https://acme.example"]
"""
    tools = 'def ping() -> str:\n    """Ping."""\n    return ""\nTOOL_MAP = {"ping": ping}\n'
    await admin.create(files=files_of("acme", more=more) | {"tools.py": tools}, note="first")

    found = await admin.get("/tenants/acme")

    assert (found["state"], found["revision"], found["note"]) == ("in_force", 1, "first")
    facts = found["facts"]
    assert [each["alias"] for each in facts["assistants"]] == ["default", "research"]
    assert facts["models"] == ["gpt-6-luna", "gpt-6-sol"]
    assert facts["functions"] == ["ping"]
    assert (facts["base_url"], facts["secrets"]) == (
        *("https://api.example.com/v1", ["openai-api-key"]),
    )
    assert facts["allowed_origins"] == ["https://acme.example"]


async def test_a_suspended_tenant_is_unknown_until_it_is_resumed(admin, http, operated):
    """Switching twice changes nothing the second time."""
    headers = {"X-API-Key": (await admin.create(key={}))["key"]["key"]}

    async def start():
        async with http.get(f"{operated.url}/t/acme/start", headers=headers) as answer:
            return answer.status

    async def starts_with(status):
        while await start() != status:
            pass

    await starts_with(200)
    off = await admin.post("/tenants/acme/suspend", note="unpaid")
    await starts_with(404)
    again = await admin.post("/tenants/acme/suspend")
    on = await admin.ask("POST", "/tenants/acme/resume")
    await starts_with(200)

    assert (off["state"], off["changed"]) == ("suspended", True)
    assert (again["state"], again["changed"]) == ("suspended", False)
    assert (on.json["state"], on.json["changed"]) == ("in_force", True)


@pytest.mark.parametrize("place", ["directory"], indirect=True)
async def test_a_tenant_in_working_form_is_read_only_but_for_its_keys(admin, tmp_path):
    """It is listed and shown; what cannot be done says that it must be published, which can be."""
    write_tenant(tmp_path / "tenants", "draft")

    listed = (await admin.get("/tenants"))["data"]
    shown = await admin.get("/tenants/draft")
    key = await admin.post("/tenants/draft/keys", 201)
    problems = [await admin.post(f"/tenants/draft/{each}", 409) for each in ("suspend", "rollback")]
    problems += [
        await admin.get("/tenants/draft/revisions", 409),
        await admin.delete("/tenants/draft", 409),
    ]
    await admin.post("/tenants/draft/revisions", 409, files=files_of("draft"), expected_revision=1)
    made = await admin.post(
        "/tenants/draft/revisions", 201, files=files_of("draft"), expected_revision=0
    )

    assert [(each["id"], each["state"]) for each in listed] == [("draft", "working_form")]
    assert (shown["state"], shown["name"], shown["revision"]) == ("working_form", "Draft", None)
    assert shown["facts"]["models"] == ["gpt-6-luna"]
    assert key["key"].startswith("agw_draft_")
    for problem in problems:
        assert problem["type"] == "urn:agw:tenant-in-working-form"
        assert "POST /admin/api/tenants/draft/revisions" in problem["detail"]
    assert made["revision"] == 1
    assert [each["state"] for each in (await admin.get("/tenants"))["data"]] == ["in_force"]


@pytest.mark.parametrize("place", ["directory"], indirect=True)
async def test_health_says_why_the_newest_is_not_in_force(admin, place, operated):
    """What is in force here goes on, and the reason names the object."""
    made = await admin.create()
    await operated.app._registry.load("acme")

    place.objects.write(layout.pointer("acme"), b"{", expected=None)
    while not (found := await admin.get("/tenants/acme/health"))["refused"]:
        pass
    shown = await admin.get("/tenants/acme", 503)
    listed = (await admin.get("/tenants"))["data"]

    assert (found["loaded"], found["sha256"]) == (True, made["sha256"])
    assert "tenants/acme/current.json" in found["refused"]
    assert found["refused_since"] >= found["since"] > 1_700_000_000
    assert "tenants/acme/current.json" in shown["detail"]
    assert "roll back to a revision by its number" in shown["detail"]
    assert [each["state"] for each in listed] == ["broken"]
    await admin.get("/tenants/globex/health", 404)


async def test_health_of_a_tenant_in_force(admin, operated):
    """The revision that this process serves, and since when."""
    made = await admin.create()
    await operated.app._registry.load("acme")

    found = await admin.get("/tenants/acme/health")

    assert (found["loaded"], found["sha256"]) == (True, made["sha256"])
    assert found["since"] > 1_700_000_000
    assert (found["refused"], found["refused_since"]) == (None, None)


async def test_health_of_the_process(admin):
    """Registry, store and secrets, each by itself."""
    found = await admin.get("/health")

    assert found == {
        "status": "ok",
        "registry": {"ok": True, "stale_seconds": 0.0},
        "store": {"ok": True},
        "secrets": {"ok": True, "fault": None},
    }


@pytest.mark.parametrize("place", ["bucket"], indirect=True)
async def test_a_bucket_that_refuses_is_told_to_its_operator(admin, place):
    """503, with the role that is missing; the process says that it does not see changes."""
    await admin.create()
    place.bucket.fail(refusal(403), times=float("inf"))

    problem = await admin.get("/tenants/acme", 503)
    await until_degraded(admin)
    place.bucket.heal()

    assert problem["type"] == "urn:agw:registry-unavailable"
    assert "roles/storage.object" in problem["detail"]


async def until_degraded(admin):
    """Wait until the process has missed a read of the feed."""
    while (found := await admin.get("/health"))["status"] == "ok":
        pass
    assert found["registry"]["ok"] is False
    assert found["store"]["ok"] is True


@pytest.mark.parametrize(
    "tenant_id", ["Acme", "a_b", "-a", "a" * 64, "*", "%2e%2e", "a%0a", "%C3%A9"]
)
async def test_what_is_no_id_is_no_tenant(admin, place, tenant_id):
    """Nothing else becomes part of an object's name, on any route."""
    await admin.create()
    before = [*place.objects.list("**")]

    answers = [
        await admin.ask(method, f"/tenants/{tenant_id}{path}", json={})
        for method, path in (
            *(("GET", ""), ("DELETE", ""), ("DELETE", "/data"), ("GET", "/keys")),
            *(("POST", "/keys"), ("POST", "/suspend"), ("GET", "/audit"), ("GET", "/health")),
            ("DELETE", "/keys/key_1"),
        )
    ]

    assert {answer.status for answer in answers} == {404}
    assert [*place.objects.list("**")] == before


@pytest.mark.parametrize("place", ["directory"], indirect=True)
async def test_a_broken_working_form_says_what_is_wrong(admin, tmp_path):
    """With file and field, as far as this process has looked at it."""
    write_tenant(tmp_path / "tenants", "draft", rest="temperature = 9")

    found = await admin.get("/tenants/draft")

    assert (found["state"], found["facts"]) == ("working_form", None)
    assert "assistant.temperature" in found["fault"]


async def test_what_can_be_no_tenant_is_listed_with_its_fault(admin, place):
    """Somebody put it there by hand."""
    await admin.create()
    place.objects.write("tenants/ACME/current.json", b"{}", expected=None)

    listed = (await admin.get("/tenants"))["data"]

    assert [(each["id"], each["state"]) for each in listed] == [
        ("ACME", "broken"),
        ("acme", "in_force"),
    ]


async def test_a_lost_pointer_is_restored_or_what_remains_is_deleted(admin, place):
    """By a rollback to a number, or by a deletion."""
    await admin.create()
    place.objects.write(layout.pointer("acme"), b"{", expected=None)

    await admin.post("/tenants/acme/suspend", 503)
    restored = await admin.post("/tenants/acme/rollback", revision=1)
    place.objects.delete(layout.pointer("acme"))
    gone = await admin.delete("/tenants/acme")

    assert (restored["state"], restored["revision"]) == ("in_force", 1)
    assert gone["objects_deleted"] >= 4
    assert {each.name for each in place.objects.list("**")} <= {layout.CHANGES}


async def test_what_syncs_have_left_upstream_is_named(admin, place):
    """In the answer and in the log, since the registry alone knew of it."""
    await admin.create()
    old = LeftStore("vs_old", AccountRef("https://old.example/v1", "openai-api-key"))
    progress = read_progress(place.objects, "acme")
    progress.write(attrs.evolve(progress.stored, vector_store_id="vs_new", left=(old,)))

    with capture_logs() as logs:
        gone = await admin.delete("/tenants/acme")

    assert [(each["vector_store_id"], each["base_url"]) for each in gone["left_upstream"]] == [
        ("vs_new", None),
        ("vs_old", "https://old.example/v1"),
    ]
    (told,) = (each for each in logs if each["event"] == "knowledge_left_upstream")
    assert told["stores"] == ["vs_new", "vs_old"]
    assert told["mark"] == gone["left_upstream"][0]["token"] == progress.stored.token


async def test_a_deletion_that_died_half_way_is_finished(admin, place):
    """It shows as such, and nothing else can be done with it."""
    await admin.create(key={})
    killed = Interrupted(place.objects, writes=4)
    with contextlib.suppress(KilledError):
        offboarding.offboard(killed, "acme", Intent("operator", 1))

    shown = await admin.get("/tenants/acme")
    problems = [
        await admin.post("/tenants/acme/resume", 409),
        await admin.post("/tenants/acme/keys", 409),
    ]
    await admin.delete("/tenants/acme")

    assert shown["state"] == "offboarding"
    assert {each["type"] for each in problems} == {"urn:agw:tenant-offboarding"}
    assert all("delete it once more" in each["detail"] for each in problems)
    assert {each.name for each in place.objects.list("**")} == {layout.CHANGES}
