"""``tenantctl`` where a tenant's ``current.json`` is lost or broken: mended without an editor."""

import json

import pytest

from tenants.registry import layout
from tenants.registry.files import FileObjects
from tests.fakes.operator import Operator
from tests.fakes.releases import served
from tests.fakes.tenantctl import tenantctl


@pytest.fixture(params=["lost", "broken"])
def registry(request, tmp_path):
    """A registry whose tenant ``acme`` has two revisions and no pointer that makes sense."""
    operator = Operator(FileObjects(tmp_path))
    operator.publish()
    operator.publish(instructions="Rhyme.")
    pointer = tmp_path / "acme" / "current.json"
    if request.param == "lost":
        pointer.unlink()
    else:
        pointer.write_text("{")
    return tmp_path


def ctl(registry, *arguments):
    """Run a command, and give its code and its object, which holds its errors too."""
    done = tenantctl(*arguments, "--registry", f"dir:{registry}", "--json")
    return done.exit_code, json.loads(done.stdout)


def test_history_names_revisions_and_rollback_restores_one(registry):
    """Which there are is shown, none in force; the chosen one is served again."""
    _, shown = ctl(registry, "history", "acme")
    dry = ctl(registry, "rollback", "acme", "2", "--dry-run")
    code, done = ctl(registry, "rollback", "acme", "2")

    assert [(each["revision"], each["in_force"]) for each in shown] == [(2, False), (1, False)]
    assert dry[0] == code == 0
    assert (done["revision"], done["before"], done["changed"]) == (2, None, True)
    assert served(FileObjects(registry)) == "Rhyme."


def test_commands_say_how_to_mend_it(registry):
    """Nothing is guessed and nothing deleted unasked; where it is broken the remedy is told."""
    for arguments in (["rollback", "acme"], ["show", "acme"], ["offboard", "acme", "--yes"]):
        code, told = ctl(registry, *arguments)
        assert code == 1
        if (registry / "acme" / "current.json").exists() or arguments[0] == "offboard":
            assert "tenantctl rollback acme REV" in str(told)
    assert [*FileObjects(registry).list(layout.revisions("acme", "*"))]


def test_what_is_left_can_be_taken_away(registry):
    """With --no-export all of it goes, and the id is free."""
    code, done = ctl(registry, "offboard", "acme", "--no-export", "--yes")

    assert (code, done["directory"]) == (0, None)
    assert [*FileObjects(registry).list(layout.everything("acme"))] == []
    assert ctl(registry, "offboard", "acme", "--no-export", "--yes")[0] == 1
