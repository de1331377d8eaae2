"""Reading a registry: what serving loads, what is listed, and what comes back as it was."""

import json

import attrs
import pytest

from tenants.errors import BrokenObjectError, InvalidTenantError, UnknownTenantError
from tenants.registry import layout
from tenants.releases.errors import UnknownRevisionError
from tenants.releases.keyrings import issue
from tenants.releases.loading import Loaded, load
from tenants.releases.publishing import create, publish
from tenants.releases.reading import list_tenants, read_release, show
from tenants.releases.switching import suspend
from tests.fakes.releases import ALICE, BOB, NOW, files_of, release_of, served

pytest_plugins = ("tests.fakes.object_fixtures",)


@pytest.fixture
def acme(objects):
    """A registry with the tenant ``acme``, in its first revision."""
    create(objects, release_of(), ALICE)
    return objects


def test_cold_load_is_three_reads(acme):
    """Pointer, compiled form and keys are all that serving reads."""

    class Reading:
        """A registry that remembers what was read, and can do nothing else."""

        def __init__(self):
            self.names = []

        def read(self, name):
            """Read, and remember."""
            self.names.append(name)
            return acme.read(name)

    issue(acme, "acme", ["chat"], ALICE)
    reading = Reading()

    found = load(reading, "acme", private_upstreams=frozenset())

    pointer = show(acme, "acme")
    assert reading.names == [
        layout.pointer("acme"),
        layout.revision("acme", 1, pointer.pointer.sha256, "compiled.json"),
        layout.keys("acme"),
    ]
    assert found.pointer_generation == pointer.generation
    assert found.keys_generation == acme.read(layout.keys("acme")).generation


def test_revision_whose_compiled_form_was_lost_can_be_published_anew(acme):
    """The same files make a new revision where the one in force is not whole."""
    pointer = show(acme, "acme").pointer
    acme.delete(layout.revision("acme", 1, pointer.sha256, "compiled.json"))

    published = publish(acme, release_of(), ALICE)

    assert published.changed
    assert served(acme) == "Be brief."


@pytest.mark.parametrize("name", ["current.json", "keys.json", "compiled.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"null", b'{"revision": "one"}', b"\xff"])
def test_what_is_broken_is_refused_by_its_name(acme, name, content):
    """A load says which object is wrong; it never serves half of one."""
    pointer = show(acme, "acme").pointer
    where = {
        "current.json": layout.pointer("acme"),
        "keys.json": layout.keys("acme"),
        "compiled.json": layout.revision("acme", 1, pointer.sha256, name),
    }[name]
    if (name, content) == ("keys.json", b'{"revision": "one"}'):
        content = b'{"keys": [{}]}'
    acme.write(where, content, expected=None)

    with pytest.raises(BrokenObjectError) as raised:
        load(acme, "acme", private_upstreams=frozenset())
    assert raised.value.name == where


def test_pointer_to_no_revision_is_refused(acme):
    """A pointer may name what is not there; the one who loads is told which object."""
    held = show(acme, "acme")
    pointer = attrs.evolve(held.pointer, revision=9)
    acme.write(layout.pointer("acme"), json.dumps(attrs.asdict(pointer)).encode(), expected=None)

    with pytest.raises(BrokenObjectError, match="revisions/9-"):
        load(acme, "acme", private_upstreams=frozenset())


def test_compiled_form_of_another_tenant_is_refused(acme):
    """A pointer that leads to a whole revision of somebody else serves nobody."""
    create(acme, release_of("beta"), ALICE)
    theirs = show(acme, "beta").pointer
    compiled = acme.read(layout.revision("beta", 1, theirs.sha256, "compiled.json"))
    acme.write(
        layout.revision("acme", 1, theirs.sha256, "compiled.json"), compiled.content, expected=0
    )
    pointer = json.dumps(attrs.asdict(theirs)).encode()
    acme.write(layout.pointer("acme"), pointer, expected=None)

    with pytest.raises(BrokenObjectError, match="another tenant"):
        load(acme, "acme", private_upstreams=frozenset())


def test_gateway_judges_upstream_and_tools_by_its_own_settings(objects):
    """What the publisher's machine allows is not what the gateway has to allow."""
    document = files_of()["tenant.toml"] + (
        b'[upstream]\nbase_url = "https://llm.example.com/v1"\napi_key = "secret:key"\n'
        b'[tools]\nmodule = "tools.py"\nisolation = "inline"\n'
    )
    tools = b"def f() -> str:\n    return ''\nTOOL_MAP = {'f': f}\n"
    release = release_of(tenant_toml=document, tools_py=tools)
    create(objects, release, ALICE)
    public = load(objects, "acme", private_upstreams=frozenset())

    with pytest.raises(InvalidTenantError) as cells:
        load(objects, "acme", private_upstreams=frozenset(), inline_tools=False)

    assert isinstance(public, Loaded)
    assert public.tenant.tool_module.source == tools
    assert "GATEWAY_TOOL_ISOLATION" in str(cells.value)


def test_list_has_every_tenant_from_labels_alone(acme):
    """A listing says what each pointer says, and reads none of them."""
    document = files_of("beta")["tenant.toml"].replace(
        b"[assistant]", 'display_name = "Bêta"\n[assistant]'.encode()
    )
    create(acme, release_of("beta", tenant_toml=document), BOB)
    suspend(acme, "beta", BOB)

    class Unread:
        """A registry that can be listed alone."""

        list = acme.list

    found = [*list_tenants(Unread())]

    assert [
        (each.tenant_id, each.name, each.revision, each.published_at, each.by, each.suspended)
        for each in found
    ] == [("acme", "acme", 1, NOW, "alice", False), ("beta", "Bêta", 1, BOB.now, "bob", True)]
    assert [each.generation for each in found] == [
        show(acme, "acme").generation,
        show(acme, "beta").generation,
    ]
    assert {each.schema_version for each in found} == {1}


def test_list_tells_of_a_pointer_under_no_tenant_s_id(acme):
    """What differs from a tenant's id by its case alone is no tenant, and is not passed over."""
    pointer = acme.read(layout.pointer("acme")).content
    acme.write("tenants/ACME/current.json", pointer, expected=0)

    found = {each.tenant_id: each.fault for each in list_tenants(acme)}

    assert found["acme"] == ""
    assert "no tenant's id" in found["ACME"]
    assert load(acme, "acme", private_upstreams=frozenset()) is not None


def test_release_is_read_back_as_it_was_published(acme):
    """Every file of any revision comes back, binary ones too."""
    release = release_of(instructions="Be kind.", knowledge__a_pdf=bytes(range(256)))
    publish(acme, release, ALICE)

    found = read_release(acme, "acme")

    assert found.files == release.files
    assert found.compiled.default.instructions == "Be kind."
    assert read_release(acme, "acme", 1).files == files_of()
    with pytest.raises(UnknownRevisionError):
        read_release(acme, "acme", 3)
    with pytest.raises(UnknownTenantError):
        read_release(acme, "nobody")
