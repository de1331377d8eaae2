"""The operator's API over revisions and the audit, on a directory and on a bucket."""

import asyncio
import base64
import io

import pytest
from structlog.testing import capture_logs

from gateway.http.admin.bodies import LARGEST_BODY_BYTES
from tenants.sources import KNOWLEDGE_STATE
from tests.fakes.admin_client import files_of

pytest_plugins = ("tests.fakes.admin_fixtures",)

REVISIONS = "/tenants/acme/revisions"
PDF = b"%PDF-1.7\n\xff\xfe\0"
ON_DISK = pytest.mark.parametrize("place", ["directory"], indirect=True)
CLAIMED = '{"vector_store": {"id": "vs_of_another_tenant"}}'


async def test_revisions_go_forth_and_back(admin):
    """Published, listed, compared, rolled back; the numbers stay what they were."""
    await admin.create(note="one")
    second = await admin.post(REVISIONS, 201, files=files_of("acme", "Be kind."), note="two")
    back = await admin.ask("POST", "/tenants/acme/rollback")
    forth = await admin.post("/tenants/acme/rollback", revision=2, expected_revision=1)

    listed = (await admin.get(REVISIONS))["data"]
    change = await admin.get("/tenants/acme/diff?from=1&to=2")
    of_the_newest = await admin.get("/tenants/acme/diff")

    assert (second["revision"], second["changed"]) == (2, True)
    assert [(each["name"], each["kind"]) for each in second["files"]] == [
        ("instructions.md", "changed")
    ]
    assert (back.json["revision"], forth["revision"]) == (1, 2)
    assert [(each["revision"], each["in_force"], each["note"]) for each in listed] == [
        (2, True, "two"),
        (1, False, "one"),
    ]
    assert change == of_the_newest
    assert (change["from"], change["to"]) == (1, 2)
    assert {"-Be brief.", "+Be kind."} <= set(change["files"][0]["lines"])


async def test_the_files_of_a_revision_can_be_published_again(admin):
    """Texts as texts and the rest in base64: the same bytes, so that nothing changes."""
    pdf = {"base64": base64.b64encode(PDF).decode()}
    files = files_of("acme", "Ünïcode\r\n") | {"knowledge/a.pdf": pdf}
    made = await admin.create(files=files)

    read = await admin.get(f"{REVISIONS}/1")
    again = await admin.post(REVISIONS, 200, files=read["files"])

    assert read["files"] == files
    assert read["sha256"] == made["sha256"] == again["sha256"]
    assert (again["changed"], again["revision"], again["files"]) == (False, 1, [])


async def test_a_dry_run_publishes_nothing(admin):
    """It says what would change; a fault is a fault."""
    await admin.create()

    tried = await admin.post(REVISIONS, files=files_of("acme", "Be kind."), dry_run=True)
    await admin.post(REVISIONS, 400, files={}, dry_run=True)

    assert (tried["dry_run"], tried["changed"], tried["revision"]) == (True, True, 1)
    assert len((await admin.get(REVISIONS))["data"]) == 1


async def test_who_expects_another_revision_is_told_what_won(admin):
    """Nothing of theirs is in force, of whatever they asked for."""
    await admin.create()
    options = {"json": {"files": files_of("acme", "Be kind.")}, "headers": {"X-Admin-User": "ada"}}
    await admin.ask("POST", REVISIONS, **options)

    stale = await admin.post(
        REVISIONS, 409, files=files_of("acme", "Be stale."), expected_revision=1
    )
    rollback = await admin.post("/tenants/acme/rollback", 409, expected_revision=1)
    good = await admin.post(REVISIONS, 201, files=files_of("acme", "Be good."), expected_revision=2)

    for problem in (stale, rollback):
        assert problem["type"] == "urn:agw:publish-conflict"
        assert (problem["revision"], problem["by"]) == (2, "admin-api:ada")
        assert "Revision 2 is in force, by admin-api:ada" in problem["detail"]
    assert good["revision"] == 3


async def test_of_two_who_publish_at_once_one_wins(admin):
    """Both saw revision 1; the other one is told."""
    await admin.create()

    answers = await asyncio.gather(
        *(
            admin.ask(
                *("POST", REVISIONS),
                json={"files": files_of("acme", words), "expected_revision": 1},
            )
            for words in ("Be kind.", "Be quick.")
        )
    )

    assert sorted(answer.status for answer in answers) == [201, 409]
    assert (await admin.get("/tenants/acme"))["revision"] == 2


async def test_all_faults_of_the_files_come_at_once(admin):
    """Each with its file, line and field, and how to mend it; nothing is published."""
    more = 'temperature = 9\n[tools]\nmodule = "tools.py"\nisolatoin = "inline"\n'
    files = files_of("acme", more=more) | {"tools.py": "def", "stray.txt": "", "../x": ""}

    problem = await admin.post("/tenants", 400, id="acme", files=files)

    found = {(each["file"], each["field"]): each for each in problem["errors"]}
    assert found["tenant.toml", "assistant.temperature"]["line"] == 6
    assert "isolation" in found["tenant.toml", "tools.isolatoin"]["message"]
    assert {"stray.txt", "../x"} <= {file for file, _ in found}
    assert (await admin.get("/tenants"))["data"] == []


@ON_DISK
async def test_all_faults_of_a_body_come_at_once(admin):
    """Unknown fields by the nearest known one, wrong types and missing fields by their paths."""
    body = {
        "id": "Acme",
        "filez": {},
        "files": {"a": 1, "b": {"base64": "*"}, "c": {"base65": ""}},
        "note": "x" * 201,
        "key": {"scope": "admin", "expire_at": 1},
        "dry_run": 1,
    }

    answer = await admin.ask("POST", "/tenants", json=body)

    faults = {each["field"]: each["message"] for each in answer.json["errors"]}
    assert answer.status == 400
    assert set(faults) == {
        *("id", "filez", "note", "dry_run", "key.scope", "key.expire_at"),
        *("files[a]", "files[b].base64", "files[c].base64", "files[c].base65"),
    }
    assert "did you mean files?" in faults["filez"]
    assert "did you mean expires_at?" in faults["key.expire_at"]


@ON_DISK
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"files": {str(number): 1 for number in range(1_000)}}, 100),
        ({"files": {str(number): 1 for number in range(1_001)}}, 1),
        ({"files": {}} | {str(number): 1 for number in range(1_000)}, 100),
    ],
)
async def test_of_very_many_faults_the_first_are_told(admin, body, told):
    """Finding them all would hold up everybody's turns for seconds; too many files are one."""
    problem = await admin.post("/tenants", 400, id="acme", **body)

    assert len(problem["errors"]) == told


@ON_DISK
@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{REVISIONS}/9", 404),
        (f"{REVISIONS}/0", 404),
        (f"{REVISIONS}/{'9' * 5000}", 404),
        ("/tenants/acme/diff?from=9", 404),
        ("/tenants/acme/diff", 404),
        ("/tenants/acme/diff?from=x", 400),
        ("/tenants/acme/diff?form=1", 400),
        ("/tenants?limit=0", 400),
        ("/tenants?limit=1001", 400),
        ("/tenants?page=2", 400),
        ("/tenants/acme/audit?order=up", 400),
        ("/tenants/acme/audit?after=never", 400),
        ("/tenants/globex/revisions", 404),
        ("/tenants/globex/audit", 404),
    ],
)
async def test_what_cannot_be_read_is_told(admin, path, status):
    """Unknown revisions are not found; parameters that make no sense are all named."""
    await admin.create()

    problem = await admin.get(path, status)

    assert (status == 400) == ("errors" in problem)


@ON_DISK
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"note":"\xff"}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * (LARGEST_BODY_BYTES + 1), "application/json", 413),
    ],
)
async def test_bad_bodies_are_refused(admin, body, content_type, status):
    """Whatever is sent, the answer is a problem."""
    await admin.create()

    answer = await admin.ask(
        "POST", REVISIONS, data=io.BytesIO(body), headers={"Content-Type": content_type}
    )

    assert answer.status == status


async def test_nobody_brings_a_state_of_knowledge(admin):
    """`knowledge.json` says which store a tenant searches: only its own sync writes it."""
    made = await admin.create(files=files_of("acme") | {KNOWLEDGE_STATE: CLAIMED})
    again = await admin.post(REVISIONS, 200, files=files_of("acme") | {KNOWLEDGE_STATE: CLAIMED})

    assert KNOWLEDGE_STATE not in (await admin.get(f"{REVISIONS}/1"))["files"]
    assert made["sha256"] == again["sha256"]


async def test_the_audit_says_who_did_what(admin):
    """By whom the caller names, in pages, in either order."""
    headers = {"X-Admin-User": "ada@example.com"}
    await admin.create()
    for what in ("suspend", "resume"):
        path = f"/tenants/acme/{what}"
        await admin.ask("POST", path, json={"note": "why not"}, headers=headers)

    whole = await admin.get("/tenants/acme/audit")
    first = await admin.get("/tenants/acme/audit?limit=2&order=asc")
    rest = await admin.get(f"/tenants/acme/audit?limit=2&order=asc&after={first['last_id']}")

    assert [(each["action"], each["by"]) for each in whole["data"]] == [
        ("resume", "admin-api:ada@example.com"),
        ("suspend", "admin-api:ada@example.com"),
        ("publish", "admin-api"),
    ]
    assert whole["data"][0]["details"] == {"note": "why not"}
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert [*first["data"], *rest["data"]] == whole["data"][::-1]


@ON_DISK
@pytest.mark.parametrize("user", ["", "a b", "x" * 65, "ada;--", "é"])
async def test_an_impossible_author_is_refused(admin, user):
    """What stands in the audit is a plain name."""
    await admin.create()

    answer = await admin.ask(
        "POST", "/tenants/acme/suspend", headers={"X-Admin-User": user.encode().decode("latin-1")}
    )

    assert answer.status == 400
    assert answer.json["errors"][0]["field"] == "X-Admin-User"


@ON_DISK
async def test_only_changes_are_logged(admin):
    """Neither a dry run nor what was refused; each with who asked."""
    await admin.create()
    files = files_of("acme", "Be kind.")
    body = {"json": {"files": files, "dry_run": True}, "headers": {"X-Admin-User": "ada"}}

    with capture_logs() as logs:
        await admin.ask("POST", REVISIONS, **body)
        await admin.post(REVISIONS, 409, files=files, expected_revision=7)
        body["json"]["dry_run"] = False
        await admin.ask("POST", REVISIONS, **body)
        await admin.delete("/tenants/unknown", 404)

    told = [each for each in logs if each["event"] == "operator_changed"]
    assert [(each["what"], each["by"]) for each in told] == [("publish", "admin-api:ada")]


@ON_DISK
@pytest.mark.parametrize("path", ["/tenants", REVISIONS])
async def test_another_tenants_files_are_refused(admin, path):
    """A document says whose it is."""
    await admin.create()
    body = {"files": files_of("globex")} | ({"id": "initech"} if path == "/tenants" else {})

    problem = await admin.post(path, 400, **body)

    assert [each["field"] for each in problem["errors"]] == ["tenant_id"]
