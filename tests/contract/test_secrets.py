"""The port of secrets, on every adapter, and from memory over each of them."""

import asyncio
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.errors import SecretMissingError, SecretsUnavailableError
from tenants.model import SecretRef
from tenants.secrets.cached import CachedSecrets
from tenants.secrets.directory import DirectorySecrets
from tenants.secrets.environment import EnvironmentSecrets, check
from tenants.secrets.places import prefix, stored_name, variable
from tenants.secrets.secret_manager import SecretManagerSecrets
from tests.fakes.secret_manager import PROJECT, SecretManager

SECRETS = {
    ("acme", "openai-api-key"): "sk-acme",
    ("acme-labs", "openai-api-key"): "sk-labs",
    ("acme", "labs-openai-api-key"): "sk-acme-labs",
    ("acme", "crm"): "crm value with spaces = and equals",
    ("acme", "pem"): "-----BEGIN-----\nzwölf Zeilen\n-----END-----",
    ("acme", "empty"): "",
    ("acme", "blank"): " \t",
}
IDS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
NAMES = st.from_regex(r"[a-z0-9]{1,3}(-[a-z0-9]{1,3}){0,2}", fullmatch=True)


@pytest.fixture
async def manager():
    """A Secret Manager with the secrets."""
    async with SecretManager() as running:
        for key, value in SECRETS.items():
            running.put(*key, value + "\n")
        yield running


@pytest.fixture(params=["environment", "directory", "secret-manager"])
async def store(request, tmp_path, manager):
    """The same secrets in each store."""
    match request.param:
        case "environment":
            kept = {variable(*key): f"{value}\n" for key, value in SECRETS.items()}
            store = EnvironmentSecrets(kept)
        case "directory":
            for key, value in SECRETS.items():
                (tmp_path / stored_name(*key)).write_text(value + "\n")
            store = DirectorySecrets(tmp_path)
        case _:
            store = SecretManagerSecrets(PROJECT, emulator=manager.address)
    yield store
    await store.close()


@pytest.fixture(params=["asked", "cached"])
def secrets(request, store):
    """The store itself, and what is remembered of it."""
    return CachedSecrets(store) if request.param == "cached" else store


@pytest.mark.parametrize("key", [key for key, value in SECRETS.items() if value.strip()])
async def test_secret_is_read_by_tenant_and_name(secrets, key):
    """Each tenant gets its own value, exactly, without a newline at its end; again too."""
    assert await secrets.read(key[0], SecretRef(key[1])) == SECRETS[key]
    assert await secrets.read(key[0], SecretRef(key[1])) == SECRETS[key]


@pytest.mark.parametrize(
    ("tenant_id", "name"),
    [
        ("acme", "other"),
        ("other", "openai-api-key"),
        ("acme", "labs"),
        ("acme", "../agw_acme_crm"),
        ("acme", "crm/versions/1"),
        ("acme", "labs_openai-api-key"),
        ("acme_labs", "openai-api-key"),
        ("../acme", "crm"),
        ("acme", "CRM"),
        ("ACME", "crm"),
        ("acme", ""),
        ("", "crm"),
        ("acme", "crm\n"),
    ],
)
async def test_secret_that_is_not_there_is_missing(secrets, tenant_id, name):
    """Nothing is found by a name that is not exactly its own, whichever way it is folded."""
    for _ in range(2):
        with pytest.raises(SecretMissingError) as raised:
            await secrets.read(tenant_id, SecretRef(name))

        assert (raised.value.tenant_id, raised.value.name) == (tenant_id, name)


@pytest.mark.parametrize("name", ["empty", "blank"])
async def test_empty_secret_is_missing_and_says_so(secrets, name):
    """An empty value is none, and the operator is told which of both it is."""
    with pytest.raises(SecretMissingError) as raised:
        await secrets.read("acme", SecretRef(name))

    assert raised.value.reason == "it is empty"


@pytest.mark.parametrize("version", ["7", "0", "-1", "1/..", "", "Latest", "9" * 40])
async def test_version_that_is_not_there_is_missing(secrets, version):
    """A reference to one version is never answered with another."""
    with pytest.raises(SecretMissingError):
        await secrets.read("acme", SecretRef("crm", version))


async def test_store_that_is_there_is_reached(secrets):
    """Whatever it holds."""
    await secrets.reach()


@pytest.mark.parametrize(("tenant_id", "name"), [("acme", "a/b"), ("a/b", "c"), ("acme", "a_b")])
async def test_bad_names_reach_no_store(manager, tenant_id, name):
    """They could mean something else there."""
    secrets = SecretManagerSecrets(PROJECT, emulator=manager.address)

    with pytest.raises(SecretMissingError):
        await secrets.read(tenant_id, SecretRef(name))
    with pytest.raises(SecretMissingError):
        await secrets.write(tenant_id, name, "x")

    assert not manager.calls


async def test_names_are_stored_as_the_contract_says(tmp_path, manager):
    """``AGW_<ID>__<NAME>`` in the environment, ``agw_<id>_<NAME>`` elsewhere."""
    environment = EnvironmentSecrets({"AGW_ACME_LABS__OPENAI_API_KEY": "a"})
    (tmp_path / "agw_acme-labs_openai-api-key").write_text("b\r\n")
    manager.secrets["agw_acme-labs_openai-api-key"][-1].data = b"c"
    google = SecretManagerSecrets(PROJECT, emulator=manager.address)

    ref = SecretRef("openai-api-key")

    assert await environment.read("acme-labs", ref) == "a"
    assert await DirectorySecrets(tmp_path).read("acme-labs", ref) == "b"
    assert await google.read("acme-labs", ref) == "c"
    await google.close()


async def test_versions_are_read_by_their_numbers(manager):
    """The newest unless a reference says another."""
    manager.put("acme", "crm", "second")
    secrets = SecretManagerSecrets(PROJECT, emulator=manager.address)

    assert await secrets.read("acme", SecretRef("crm")) == "second"
    assert await secrets.read("acme", SecretRef("crm", "1")) == SECRETS["acme", "crm"]
    await secrets.close()


async def test_disabled_secret_is_missing_and_says_so(manager):
    """Whoever switched the newest version off meant it: an older one does not stand in."""
    manager.put("acme", "crm", "second")
    manager.disable("acme", "crm")
    secrets = SecretManagerSecrets(PROJECT, emulator=manager.address)

    with pytest.raises(SecretMissingError) as raised:
        await secrets.read("acme", SecretRef("crm"))

    assert raised.value.reason == "its version is disabled or destroyed"
    await secrets.close()


async def test_directory_that_is_away_is_not_a_missing_secret(tmp_path):
    """A store that cannot be read says so, so that nobody looks for a wrong name."""
    secrets = DirectorySecrets(tmp_path / "nowhere")

    with pytest.raises(SecretsUnavailableError):
        await secrets.read("acme", SecretRef("crm"))
    with pytest.raises(SecretsUnavailableError):
        await secrets.reach()


def make_binary(path):
    """Bytes that are not UTF-8 are not half a key."""
    path.write_bytes(b"\xff\xfe")


def make_large(path):
    """More than any secret may have, which would be kept in memory."""
    path.write_bytes(b"x" * 65_539)


@pytest.mark.parametrize("make", [make_binary, make_large, os.mkfifo, os.mkdir])
async def test_file_that_is_no_secret_makes_the_store_unavailable(tmp_path, make):
    """It is told at once, without waiting for a pipe that nobody writes to."""
    make(tmp_path / "agw_acme_crm")

    async with asyncio.timeout(10):
        with pytest.raises(SecretsUnavailableError):
            await DirectorySecrets(tmp_path).read("acme", SecretRef("crm"))


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
async def test_the_largest_secret_is_read_whole(tmp_path, ending):
    """64 KiB, as Secret Manager takes them, and the newline of an editor."""
    (tmp_path / "agw_acme_crm").write_bytes(b"x" * 65_536 + ending)

    assert await DirectorySecrets(tmp_path).read("acme", SecretRef("crm")) == "x" * 65_536


async def test_names_of_another_tenant_are_not_listed():
    """What begins like a tenant's variables may be those of one whose id goes on."""
    store = EnvironmentSecrets({"AGW_A__B__C": "other", "AGW_A__D": "own"})

    assert [each.name for each in await store.stored("a")] == ["d"]
    assert [each.name for each in await store.stored("a--b")] == ["c"]


@given(st.tuples(IDS, NAMES), st.tuples(IDS, NAMES))
def test_no_two_secrets_share_a_place(one, other):
    """The folding of names loses nothing: one place, one tenant and one name."""
    same = one == other

    assert (variable(*one) == variable(*other)) == same
    assert (stored_name(*one) == stored_name(*other)) == same
    assert stored_name(*one).startswith(prefix(other[0])) == (one[0] == other[0])


def test_check_names_what_is_wrong_with_an_environment():
    """Twice the same secret and unreadable names are told, without any value."""
    environ = {
        "AGW_ACME__KEY": "planted",
        "agw_acme__key": "planted",
        "AGW_ACME_KEY": "planted",
        "AGW_A__B__C": "planted",
        "PATH": "planted",
    }

    faults = check(environ)

    assert [fault.split()[0] for fault in faults] == ["AGW_ACME_KEY", "AGW_ACME__KEY"]
    assert "planted" not in "".join(faults)
