"""``tenantctl`` where it asks a server: upstream for its models, a gateway for its data."""

import json

import pytest

from tests.fakes.json_server import json_server
from tests.fakes.tenantctl import tenantctl
from tests.fakes.tenants import write_tenant

DAY = 86_400
OWN = '[upstream]\nbase_url = "https://api.example/v1"\napi_key = "secret:openai-api-key"\n'


@pytest.fixture
def environ(tmp_path):
    """The variables of an operator with two tenants."""
    root = tmp_path / "registry"
    root.mkdir()
    environ = {"GATEWAY_TENANTS": f"dir:{root}", "GATEWAY_ADMIN_KEY": "admin-1, admin-2"}
    for tenant_id in ("acme", "globex"):
        tenantctl("onboard", tenant_id, "--model", f"model-{tenant_id}", **environ)
    return environ


def said(*arguments, code=0, **environ):
    """What a command prints with ``--json``."""
    result = tenantctl(*arguments, "--json", **environ)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def models_of(report):
    """What the doctor says of the models."""
    (found,) = (each for each in report["checks"] if each["name"] == "models")
    return found


def upstream(*models):
    """An upstream that serves these, each an id and the date of its end."""
    data = [{"id": name, "object": "model", "shutdown_date": ends} for name, ends in models]
    return json_server({("GET", "/v1/models"): (200, {"object": "list", "data": data})})


def doctor(environ, server, code=0):
    """Ask the doctor with an account at this upstream."""
    account = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "sk-planted"}
    return models_of(said("doctor", code=code, **environ, **account))


def test_models_that_will_retire_are_warned_of(environ):
    """With their date and the tenants that use them; it is no fault yet."""
    with upstream(("model-acme", "2027-01-14"), ("model-globex", None)) as server:
        found = doctor(environ, server)

    (warning,) = found["warnings"]
    assert warning.startswith("model-acme is shut down on 2027-01-14, and acme uses it: ")
    assert "[models]" in warning
    assert server.asked == [("GET", "/v1/models", "Bearer sk-planted")]


def test_models_that_are_not_served_are_warned_of(environ):
    """As where a name was mistyped."""
    with upstream(("model-acme", None)) as server:
        found = doctor(environ, server)

    assert found["warnings"][0].startswith("model-globex is not served to this account")


def test_models_of_a_tenant_s_own_account_are_not_judged_by_the_operator_s(environ, tmp_path):
    """The operator's key goes to the operator's URL alone."""
    tenantctl("onboard", "own", "--from", write_tenant(tmp_path, "own", document=OWN), **environ)
    secret = {"AGW_OWN__OPENAI_API_KEY": "sk-own"}

    with upstream(("model-acme", None), ("model-globex", None)) as server:
        found = doctor({**environ, **secret}, server)

    assert found["warnings"] == []
    assert found["found"].startswith("2 in use")


@pytest.mark.parametrize(
    "answer", [(401, {"error": {"message": "bad key"}}), (200, b"<html>"), (302, b"")]
)
def test_an_upstream_that_does_not_say_is_a_warning(environ, answer):
    """Nothing is known then, and nothing is wrong with the tenants; the key is not printed."""
    with json_server({("GET", "/v1/models"): answer}) as server:
        found = doctor(environ, server)

    assert len(found["warnings"]) == 1
    assert "sk-planted" not in json.dumps(found)


def test_missing_secrets_are_named_with_where_to_set_them(environ, tmp_path):
    """Exit code 1; never a value."""
    tenantctl("onboard", "own", "--from", write_tenant(tmp_path, "own", document=OWN), **environ)

    missing = said("doctor", "--tenant", "own", code=1, **environ)
    there = said("doctor", "--tenant", "own", **environ, AGW_OWN__OPENAI_API_KEY="sk-planted-own")

    (secrets,) = (each for each in missing["checks"] if each["name"] == "secrets")
    assert "AGW_OWN__OPENAI_API_KEY" in secrets["faults"][0]
    assert there["ok"]
    assert "sk-planted-own" not in json.dumps(there)


def test_a_gateway_knows_when_keys_were_last_used(environ):
    """By its operator's API, with the first of the operator's keys."""
    (key,) = said("keys", "list", "acme", **environ)
    answer = {"data": [{"id": key["id"], "last_used_at": 4 * DAY}]}

    with json_server({("GET", "/admin/api/tenants/acme/keys"): (200, answer)}) as gateway:
        (with_use,) = said("keys", "list", "acme", "--gateway", gateway.url, **environ)
        table = tenantctl("keys", "list", "acme", "--gateway", gateway.url, **environ).stdout

    assert key["last_used_at"] is None
    assert with_use["last_used_at"] == 4 * DAY
    assert "1970-01-05" in table
    assert gateway.asked[0][2] == "Bearer admin-1"


def gateway_of(tenant_id, status=200):
    """A gateway that deletes a tenant's data."""
    return json_server(
        {
            ("GET", "/admin/api/health"): (200, {"status": "ok"}),
            ("DELETE", f"/admin/api/tenants/{tenant_id}/data"): (status, {"detail": "not now"}),
        }
    )


def test_offboarding_deletes_the_threads_through_a_gateway(environ, tmp_path):
    """After the registry, so that no new turns begin."""
    with gateway_of("acme") as gateway:
        gone = said(
            *("offboard", "acme", "--yes", "--export", tmp_path / "kept"),
            *("--gateway", gateway.url),
            **environ,
        )

    assert gone["threads_deleted"]
    assert [each[:2] for each in gateway.asked] == [
        ("GET", "/admin/api/health"),
        ("DELETE", "/admin/api/tenants/acme/data"),
    ]
    assert [each["id"] for each in said("list", **environ)] == ["globex"]


def test_offboarding_that_stops_before_the_threads_says_how_to_go_on(environ, tmp_path):
    """And that command does, though the registry knows the tenant no more."""
    with gateway_of("acme", status=503) as gateway:
        options = ("--yes", "--export", tmp_path / "kept", "--gateway", gateway.url)
        stopped = tenantctl("offboard", "acme", *options, **environ)
        gateway.answers["DELETE", "/admin/api/tenants/acme/data"] = (200, {})
        again = said("offboard", "acme", *options, **environ)

    assert stopped.exit_code == 1
    assert "Done so far: acme is deleted from the registry" in stopped.stderr
    assert f"tenantctl offboard acme --gateway {gateway.url}" in stopped.stderr
    assert again["threads_deleted"]


@pytest.mark.parametrize("away", ["gateway", "key"])
def test_offboarding_begins_only_where_it_can_end(environ, tmp_path, away):
    """A gateway that is away, or a key that is missing, is found before anything is deleted."""
    with json_server({}) as server:
        url = server.url
    environ = environ if away == "gateway" else {**environ, "GATEWAY_ADMIN_KEY": ""}

    refused = tenantctl(
        *("offboard", "acme", "--yes", "--export", tmp_path / "kept", "--gateway", url), **environ
    )

    assert refused.exit_code == 1
    assert ("gave no answer" if away == "gateway" else "GATEWAY_ADMIN_KEY") in refused.stderr
    assert [each["id"] for each in said("list", **environ)] == ["acme", "globex"]
    assert not (tmp_path / "kept").exists()
