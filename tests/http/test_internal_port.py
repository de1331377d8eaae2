"""The operator's routes have a port of their own in production, and tenants have the other."""

import aiohttp
import pytest
from yarl import URL

from tests.fakes.gateway import serving, write_tenant

OPERATORS = ["/metrics", "/%6detrics", "//metrics", "/metrics/", "/t/acme/metrics"]
TENANTS = ["/", "/t/acme/", "/start", "/docs", "/pages/chat.js", "/health/../start", "/adminx"]


@pytest.fixture
async def split(tmp_path):
    """A gateway with two ports."""
    write_tenant(tmp_path / "tenants", "acme")
    environ = {
        "GATEWAY_TENANTS": f"dir:{tmp_path / 'tenants'}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "GATEWAY_DEFAULT_TENANT": "acme",
        "OPENAI_API_KEY": "sk-test",
    }
    async with serving(environ, internal=True) as running:
        yield running


async def status(url: str, path: str, **headers: str) -> int:
    """What a path answers with, sent as it is."""
    async with (
        aiohttp.ClientSession(requote_redirect_url=False) as session,
        session.get(URL(url + path, encoded=True), headers=headers) as answer,
    ):
        return answer.status


@pytest.mark.parametrize("path", OPERATORS)
async def test_operators_routes_do_not_exist_beside_tenants(split, path):
    """However the path is spelled, and whatever the Host header says."""
    internal = split.internal_url.removeprefix("http://")

    assert await status(split.url, path) == 404
    assert await status(split.url, path, Host=internal) == 404


@pytest.mark.parametrize("path", TENANTS)
async def test_tenants_routes_do_not_exist_at_the_operators_port(split, path):
    """A port that a cluster keeps to itself opens no tenant."""
    assert await status(split.internal_url, path) == 404


async def test_each_port_has_its_own_routes(split):
    """Metrics here, chats there, and both say how the process is."""
    assert await status(split.internal_url, "/metrics") == 200
    assert await status(split.url, "/t/acme/") == 200
    for url in (split.url, split.internal_url):
        assert await status(url, "/ready") == 200


async def test_what_is_not_there_is_a_problem_document(split):
    """An unknown path at the operator's port is answered like any other."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{split.internal_url}/t/acme/start") as answer,
    ):
        problem = await answer.json(content_type=None)

    assert answer.content_type == "application/problem+json"
    assert (problem["type"], problem["instance"]) == ("urn:agw:not-found", "/t/acme/start")
    assert problem["correlation_id"] == answer.headers["x-correlation-id"]
