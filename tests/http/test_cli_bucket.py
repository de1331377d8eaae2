"""``gateway check`` and ``gateway serve`` on a registry in a bucket, as people run them."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tenants.registry.gcs import GcsObjects
from tenants.releases.loading import compiled_name, decode_pointer
from tests.fakes.gateway_process import gateway_process
from tests.fakes.gcs import FakeGcs, fake_gcs, refusal
from tests.fakes.operator import Operator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def gcs():
    """Cloud Storage."""
    with fake_gcs("tenants") as gcs:
        yield gcs


@pytest.fixture
def operator(gcs):
    """Who publishes there."""
    return Operator(GcsObjects("tenants", "production", emulator=gcs.url))


@pytest.fixture
def environ(gcs, tmp_path):
    """The variables of a gateway that serves it."""
    return {
        **gcs.environ,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "GATEWAY_TENANTS": "gs://tenants/production",
        "GATEWAY_TENANTS_COPIES": str(tmp_path / "copies"),
        "OPENAI_API_KEY": "sk-operator-planted",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    }


def check(environ, folder) -> tuple[int, dict]:
    """The exit code, and what is said of the registry."""
    command = [sys.executable, "-m", "gateway", "check", "--json"]
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    checks = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
    return done.returncode, checks["registry"]


def test_check_counts_the_tenants_of_a_bucket(operator, environ, tmp_path):
    """It reaches the bucket, and finds the default tenant good."""
    operator.publish()
    operator.publish("globex")

    code, registry = check({**environ, "GATEWAY_DEFAULT_TENANT": "acme"}, tmp_path)

    assert code == 0
    assert registry["found"] == "2 tenants in gs://tenants/production"


@pytest.mark.parametrize(
    ("status", "words"), [(403, "Grant them roles/storage.objectViewer"), (404, "Make it, or name")]
)
def test_check_says_how_to_mend_a_bucket(gcs: FakeGcs, environ, tmp_path, status, words):
    """What is wrong with the place of the registry comes with its remedy, and no traceback."""
    gcs.fail(refusal(status), times=math.inf)

    code, registry = check(environ, tmp_path)

    assert code == 1
    (fault,) = registry["faults"]
    assert fault.startswith("GATEWAY_TENANTS: ")
    assert words in fault


def test_check_names_a_default_tenant_that_is_not_there_or_broken(operator, environ, tmp_path):
    """The one tenant that requests without a name go to is looked at whole."""
    environ = {**environ, "GATEWAY_DEFAULT_TENANT": "acme"}
    operator.publish("globex")
    _, missing = check(environ, tmp_path)
    operator.publish()
    stored = operator.objects.read("tenants/acme/current.json")
    operator.objects.delete(compiled_name("acme", decode_pointer("acme", stored.content)))

    code, broken = check(environ, tmp_path)

    assert "there is no tenant acme" in missing["faults"][0]
    assert code == 1
    assert broken["faults"][0].startswith("acme/")
    assert "compiled.json" in broken["faults"][0]


def test_copies_that_cannot_be_written_are_told_at_the_start(environ, tmp_path):
    """A gateway that could not survive a restart without the bucket says so."""
    (tmp_path / "copies").write_text("a file")
    command = [sys.executable, "-m", "gateway", "serve", "--port", "0"]

    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "GATEWAY_TENANTS_COPIES" in done.stderr
    assert "Traceback" not in done.stderr


async def test_gateway_starts_without_its_bucket_and_says_when_to_return(
    gcs, operator, environ, tmp_path
):
    """It is ready, a tenant never seen is 503 with Retry-After, and the metric says how stale."""
    operator.publish()
    gcs.fail(refusal(500), times=math.inf)

    async with gateway_process(environ, tmp_path) as gateway, aiohttp.ClientSession() as client:
        ready = await client.get(f"{gateway.url}/ready")
        answer = await client.get(f"{gateway.url}/t/acme/")
        problem = await answer.json()
        metrics = await (await client.get(f"{gateway.url}/metrics")).text()

    assert ready.status == 200
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert problem["type"] == "urn:agw:tenant-unavailable"
    assert "bucket" not in str(problem)
    assert "agw_registry_stale_seconds" in metrics


@pytest.mark.parametrize("module", ["tenants.cli", "gateway.app"])
def test_vendors_are_imported_only_where_they_are_used(module):
    """Neither the operator's command nor a gateway on a directory loads Google's libraries."""
    program = f"""
import sys
import {module}
from pathlib import Path
from tenants.registry.places import RegistryPlace
from tenants.registry.serving import open_registry
open_registry(RegistryPlace("dir", "."), copies=Path("."), emulator=None,
    private_upstreams=frozenset(), inline_tools=True, on_event=print)
print(*sorted({{name.partition(".")[0] for name in sys.modules}} & {{"google", "openai"}}))
"""

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []
