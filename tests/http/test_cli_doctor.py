"""What ``tenantctl doctor`` and ``tenantctl list`` find wrong with a registry in a directory."""

import json

import pytest

from tenants.registry.files import FileObjects
from tenants.releases import publishing
from tests.fakes.operator import Operator, release
from tests.fakes.tenantctl import tenantctl
from tests.fakes.tenants import write_tenant


@pytest.fixture
def operator(tmp_path):
    """Somebody who changes the registry."""
    return Operator(FileObjects(tmp_path))


@pytest.fixture
def check(tmp_path):
    """A function that gives one check of the doctor's."""

    def call(name, **environ):
        said = tenantctl("doctor", "--json", GATEWAY_TENANTS=f"dir:{tmp_path}", **environ)
        (found,) = [each for each in json.loads(said.stdout)["checks"] if each["name"] == name]
        return found

    return call


def test_what_the_feed_does_not_say_is_told(operator, check):
    """A publish that died right before it: a warning, until the tenant changes once more."""
    operator.publish("acme")
    silent = publishing.create(
        operator.objects,
        release("globex"),
        operator.intent(),
        announce=lambda *_: None,
    )

    late = check("feed")
    operator.suspend("globex")

    assert silent.changed
    assert late["state"] == "warning"
    assert "of globex:" in late["warnings"][0]
    assert check("feed")["state"] == "ok"


def test_a_feed_that_is_gone_is_told(operator, check, tmp_path):
    """With the first of the tenants that it says nothing of."""
    for number in range(7):
        operator.publish(f"acme-{number}")
    (tmp_path / "changes.json").unlink()

    (warning,) = check("feed")["warnings"]

    assert "acme-0, acme-1, acme-2, acme-3, acme-4 and 2 more" in warning


@pytest.mark.parametrize("name", ["Acme", "acme_2"])
def test_what_can_be_no_tenant_is_told(tmp_path, check, name):
    """Nobody is served from it, as from an id that differs from another one in case alone."""
    write_tenant(tmp_path, "acme")
    write_tenant(tmp_path, name)

    found = check("tenants")

    assert len(found["faults"]) == 1
    assert found["faults"][0].startswith(f"{name} is no tenant's id")


def test_secrets_that_fold_together_are_told(check):
    """By name, in the environment; no value is."""
    found = check("secrets", AGW_ACME__CRM="sk-planted", agw_acme__crm="sk-planted")

    assert "AGW_ACME__CRM and agw_acme__crm" in found["faults"][0]
    assert "sk-planted" not in json.dumps(found)


def test_a_broken_tenant_is_listed_with_its_fault(operator, tmp_path):
    """Below the table, which stays as narrow as it is; a program finds it with the tenant."""
    operator.publish("acme")
    operator.publish("globex")
    (tmp_path / "acme" / "current.json").write_text("{")
    environ = {"GATEWAY_TENANTS": f"dir:{tmp_path}"}

    people = tenantctl("list", **environ).stdout.splitlines()
    programs = json.loads(tenantctl("list", "--json", **environ).stdout)

    assert [line.split()[:2] for line in people[1:3]] == [["acme", "broken"], ["globex", "globex"]]
    assert people[3].startswith("acme: tenants/acme/current.json")
    assert [each["state"] for each in programs] == ["broken", "in_force"]
    assert "current.json" in programs[0]["fault"]
