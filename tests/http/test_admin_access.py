"""Who gets to the operator's API, and from where."""

import aiohttp
import pytest
from structlog.testing import capture_logs
from yarl import URL

from tests.fakes.admin_client import ADMIN_KEY, SECOND_KEY, AdminClient, files_of
from tests.fakes.gateway import serving

pytest_plugins = ("tests.fakes.admin_fixtures",)
pytestmark = pytest.mark.parametrize("place", ["directory"], indirect=True)

SPELLINGS = [
    "/admin/api/health",
    "//admin/api/health",
    "/admin//api/health/",
    "/%61dmin/api/health",
]
METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]


async def status(http, method, url, **headers):
    """What is answered to a request that is sent as it is."""
    async with http.request(method, URL(url, encoded=True), headers=headers) as answer:
        return answer.status


def bearer(key):
    """The header of a credential."""
    return {"Authorization": f"Bearer {key}"}


async def test_either_key_opens_it_and_nothing_else_does(admin, http):
    """So one of them can be replaced; every refusal is the same."""
    await admin.create()
    tenants = (await admin.post("/tenants/acme/keys", 201, scope="chat history manage"))["key"]

    for key in (ADMIN_KEY, SECOND_KEY):
        assert (await AdminClient(http, admin.url, key).ask("GET", "/tenants")).status == 200
    refused = [
        await AdminClient(http, admin.url, key).ask("GET", "/tenants")
        for key in (None, "wrong", tenants, ADMIN_KEY[:-1], f"{ADMIN_KEY},{SECOND_KEY}")
    ]

    assert {answer.status for answer in refused} == {401}
    assert len({answer.json["detail"] for answer in refused}) == 1
    assert all(answer.headers["www-authenticate"].startswith("Bearer") for answer in refused)


async def test_it_is_a_bearer_and_nothing_that_browsers_send_by_themselves(admin, http):
    """Not Basic, not another header, not the query."""
    url = f"{admin.url}/admin/api/health"
    basic = aiohttp.encode_basic_auth("x", ADMIN_KEY)

    assert await status(http, "GET", url, Authorization=basic) == 401
    assert await status(http, "GET", url, **{"X-API-Key": ADMIN_KEY}) == 401
    assert await status(http, "GET", f"{url}?token={ADMIN_KEY}") == 401
    assert await status(http, "GET", url, **bearer(ADMIN_KEY)) == 200


async def test_wrong_keys_are_limited_and_good_ones_never(admin, http):
    """From one address; who brings none is not counted."""
    wrong, nothing = (AdminClient(http, admin.url, key) for key in ("wrong", None))

    for _ in range(50):
        assert (await nothing.ask("GET", "/health")).status == 401
    tried = [await wrong.ask("GET", "/health") for _ in range(30)]

    assert [answer.status for answer in tried[:20]] == [401] * 20
    assert tried[-1].status == 429
    assert int(tried[-1].headers["retry-after"]) > 0
    assert (await admin.ask("GET", "/health")).status == 200


async def test_the_operators_key_opens_no_tenant(admin, http, operated):
    """It is nobody's credential there, whichever way it comes."""
    await admin.create()

    for headers in (bearer(ADMIN_KEY), {"X-API-Key": ADMIN_KEY}):
        url = f"{operated.url}/t/acme"
        assert await status(http, "GET", f"{url}/start", **headers) == 401
        assert await status(http, "GET", f"{url}/runs/run_1", **headers) == 401


@pytest.mark.parametrize("method", METHODS)
async def test_without_a_key_there_is_no_such_api(admin_environ, http, method):
    """Every path of it, by any method, answers as one that never was."""
    async with serving(admin_environ | {"GATEWAY_ADMIN_KEY": ""}) as gateway:
        found = {
            await status(http, method, f"{gateway.url}{path}", **bearer(ADMIN_KEY))
            for path in (*SPELLINGS, "/admin", "/admin/api", "/admin/api/openapi.json")
        }

    assert found == {404}


@pytest.mark.parametrize("method", METHODS)
async def test_production_has_it_on_the_operators_port_alone(admin_environ, http, method):
    """However it is spelled and whatever the Host header says; under no tenant's prefix at all."""
    environ = {"ENVIRONMENT": "production", "GATEWAY_SECRETS": "env"}
    async with serving(admin_environ | environ, internal=True) as gateway:
        admin = AdminClient(http, gateway.internal_url)
        await admin.create()
        host = gateway.internal_url.removeprefix("http://")
        beside = {
            await status(http, method, gateway.url + path, **bearer(ADMIN_KEY), Host=host)
            for path in (*SPELLINGS, "/admin", "/t/acme/admin/api/health")
        }
        below = await status(
            http, method, f"{gateway.internal_url}/t/acme/admin/api/health", **bearer(ADMIN_KEY)
        )

    assert beside == {404}
    assert below in {404, 405}


async def test_it_is_no_tenants_route(admin, http, operated):
    """A proxy that lets `/t/…` through lets nothing of the operator's through."""
    await admin.create()
    url = f"{operated.url}/t/acme/admin/api/health"

    assert await status(http, "GET", url, **bearer(ADMIN_KEY)) == 404


async def test_no_key_gets_into_answers_or_logs(admin, http, caplog):
    """Neither the operator's nor a tenant's, whatever is done or refused."""
    with capture_logs() as logs:
        made = await admin.create(key={}, note="first")
        answers = [
            await admin.ask("GET", "/tenants/acme"),
            await admin.ask("GET", "/tenants/acme/audit"),
            await admin.ask("POST", "/tenants", json={"id": "x", "files": {"a": ADMIN_KEY}}),
            await admin.ask("GET", "/tenants/globex"),
            await AdminClient(http, admin.url, f"{ADMIN_KEY}x").ask("GET", "/health"),
            await admin.ask("POST", "/tenants", json={"id": "globex", "files": files_of("globex")}),
        ]

    text = f"{logs} {caplog.text} {[(each.text, each.headers) for each in answers]}"
    assert any(each["event"] == "operator_changed" for each in logs)
    assert ADMIN_KEY not in text
    assert made["key"]["key"] not in text
