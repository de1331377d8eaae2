"""``tenantctl offboard`` of a tenant whose knowledge lies upstream."""

import asyncio
import json

import pytest

from tenants.knowledge.progress import read_progress
from tests.fakes.faulty_upstream import Fault
from tests.fakes.knowledge import FILES, KEY
from tests.fakes.tenantctl import tenantctl
from tests.fakes.tenants import write_tenant

pytest_plugins = ("tests.fakes.knowledge_fixtures",)

OFFBOARD = ("offboard", "acme", "--yes", "--no-export")


@pytest.fixture
async def ctl(knowing, faulty, tmp_path):
    """Runs a command beside the upstream, once the tenant's knowledge lies there."""
    await knowing.sync()
    environ = {
        "GATEWAY_TENANTS": f"dir:{tmp_path / 'registry'}",
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": faulty.base_url,
    }

    async def call(*arguments, **more):
        return await asyncio.to_thread(tenantctl, *arguments, **environ | more)

    return call


async def test_nothing_of_an_offboarded_tenant_stays_upstream(ctl, knowing):
    """Its vector store and files are deleted, which is said before and after."""
    store_id = knowing.state.vector_store_id

    plan = await ctl(*OFFBOARD, "--dry-run")
    done = json.loads((await ctl(*OFFBOARD, "--json")).stdout)

    assert "Its vector store and files at the operator's upstream are deleted." in plan.stdout
    assert done["upstream"] == {
        "kept": False,
        "stores_deleted": [store_id],
        "files_deleted": len(FILES),
        "left_stores": [],
    }
    assert await knowing.there() == {"uploaded": set()}
    assert json.loads((await ctl("list", "--json")).stdout) == []


async def test_what_is_to_stay_upstream_is_told(ctl, knowing):
    """With what to look for, since the registry will not know it any more."""
    there = await knowing.there()
    token = read_progress(knowing.objects, "acme").stored.token

    done = await ctl(*OFFBOARD, "--keep-upstream")

    assert done.exit_code == 0
    assert f"agw_sync = {token}" in done.stdout
    assert await knowing.there() == there


async def test_without_a_key_nothing_is_begun(ctl, knowing):
    """The remedy is told; the tenant is as it was."""
    there = await knowing.there()

    refused = await ctl(*OFFBOARD, OPENAI_API_KEY="")

    assert refused.exit_code == 1
    assert "--keep-upstream" in refused.stderr
    assert json.loads((await ctl("show", "acme", "--json")).stdout)["state"] == "in_force"
    assert await knowing.there() == there


async def test_an_upstream_that_fails_is_gone_on_with(ctl, knowing, faulty):
    """The tenant is switched off and still known, and the same command finishes it."""
    faulty.faults = [Fault("DELETE /v1/vector_stores/.*", status=403, times=1)]

    failed = await ctl(*OFFBOARD)
    state = json.loads((await ctl("show", "acme", "--json")).stdout)["state"]
    again = await ctl(*OFFBOARD)

    assert failed.exit_code == 1
    assert "To go on: the same command once more" in failed.stderr
    assert state == "offboarding"
    assert again.exit_code == 0, again.stderr
    assert await knowing.there() == {"uploaded": set()}


def test_a_directory_that_was_never_published_is_not_offboarded(tmp_path):
    """There is nothing but the directory itself, which it says."""
    directory = write_tenant(tmp_path, "acme")

    refused = tenantctl(*OFFBOARD, GATEWAY_TENANTS=f"dir:{tmp_path}")

    assert refused.exit_code == 1
    assert "Delete that directory" in refused.stderr
    assert (directory / "tenant.toml").exists()


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_mistyped_tenant_is_not_offboarded(tmp_path, more):
    """The nearest one is named, and stays."""
    environ = {"GATEWAY_TENANTS": f"dir:{tmp_path}"}
    tenantctl("onboard", "acme2", **environ)

    refused = tenantctl(*OFFBOARD, *more, **environ)

    assert refused.exit_code == 1
    assert "Did you mean acme2?" in refused.output
    assert json.loads(tenantctl("list", "--json", **environ).stdout)[0]["id"] == "acme2"
