"""A directory that holds tenants in both forms, with keys beside them."""

import pytest
from structlog.testing import capture_logs

from tenants.errors import TenantUnavailableError, UnknownTenantError
from tenants.registry.directory import DirectoryRegistry
from tenants.registry.files import FileObjects
from tests.fakes.operator import Operator
from tests.fakes.published_registry import DirectoryReplica
from tests.fakes.tenants import until, write_tenant

TOOLS = "def f() -> str:\n    return 'x'\nTOOL_MAP = {'f': f}\n"


@pytest.fixture
def root(tmp_path):
    """An empty directory."""
    (tmp_path / "tenants").mkdir()
    return tmp_path / "tenants"


@pytest.fixture
def operator(root):
    """Who publishes into it."""
    return Operator(FileObjects(root))


@pytest.fixture
async def replica(root):
    """A process that serves it; tests start it."""
    replica = DirectoryReplica(root)
    yield replica
    await replica.registry.stop()


async def test_keys_beside_a_working_form_are_honoured(root, operator, replica):
    """They open from their issue to their revocation, and nothing is compiled anew for them."""
    write_tenant(root, tools=TOOLS)
    await replica.registry.start()
    await replica.registry.load("acme")

    key = operator.issue()
    await until(lambda: replica.opens(key.text))
    operator.revoke(key.record.id)
    await until(lambda: not replica.opens(key.text))

    assert replica.events == ["loaded"]


async def test_keys_stay_with_a_working_form_that_is_edited(root, operator, replica):
    """A saved file, also one that breaks the tenant, takes no key away and brings none back."""
    directory = write_tenant(root)
    kept, dead = operator.issue(), operator.issue()
    operator.revoke(dead.record.id)
    await replica.registry.start()
    await replica.registry.load("acme")

    (directory / "instructions.md").write_text("Rhyme.")
    await replica.says("Rhyme.")
    edited = [replica.opens(key.text) for key in (kept, dead)]
    (directory / "tenant.toml").write_text("x")
    await until(lambda: replica.registry.health("acme").refused != "")
    operator.revoke(kept.record.id)
    await until(lambda: not replica.opens(kept.text))

    assert edited == [True, False]
    assert replica.instructions() == "Rhyme."


async def test_audit_and_old_revisions_are_not_looked_at(root, operator, replica):
    """What is only ever written down changes nothing of what is served."""
    operator.publish()
    await replica.registry.start()
    tenant = await replica.registry.load("acme")

    for folder in ("audit", "revisions"):
        (root / "acme" / folder / "note.json").write_text("{}")
    (root / "acme" / "instructions.md").write_text("Not published.")
    operator.publish("globex")
    await replica.says("Be brief.", "globex")

    assert replica.registry.cached("acme") is tenant
    assert replica.events == ["loaded", "loaded"]


async def test_published_revision_goes_before_the_working_form(root, operator, replica):
    """Publishing beside the files that one works on puts the published revision in force."""
    directory = write_tenant(root, instructions="Draft.")
    await replica.registry.start()
    await replica.says("Draft.")

    operator.publish(instructions="Published.")
    await replica.says("Published.")
    (directory / "instructions.md").write_text("Draft again.")
    operator.publish("globex")
    await replica.says("Be brief.", "globex")

    assert replica.instructions() == "Published."


@pytest.mark.parametrize("left", ["revision", "keys"])
async def test_what_is_left_of_a_tenant_is_no_tenant(operator, replica, left):
    """Files that no pointer names are told of to nobody, again and again."""
    if left == "revision":
        operator.publish_half()
    else:
        operator.objects.write("tenants/acme/keys.json", b'{"keys":[]}', expected=0)
    await replica.registry.start()
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(UnknownTenantError):
                await replica.registry.load("acme")
            await replica.registry._sweep()

    assert [line["event"] for line in logs].count("tenant_removed") == 0


async def test_tools_are_refused_where_cells_are_required(root):
    """Without cells a gateway that requires them serves no tenant with a tool module."""
    write_tenant(root, tools=TOOLS)
    registry = DirectoryRegistry(
        root, private_upstreams=frozenset(), on_event=lambda _: None, inline_tools=False
    )
    await registry.start()

    with pytest.raises(TenantUnavailableError):
        await registry.load("acme")
    assert "GATEWAY_TOOL_ISOLATION" in registry.health("acme").refused
    await registry.stop()
