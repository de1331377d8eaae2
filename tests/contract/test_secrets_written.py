"""Stores of secrets that can be written, on each of them."""

import asyncio
import stat

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.errors import SecretsUnavailableError
from tenants.model import SecretRef
from tenants.secrets.directory import DirectorySecrets
from tenants.secrets.secret_manager import SecretManagerSecrets
from tenants.secrets.stored import value_fault
from tests.fakes.secret_manager import PROJECT, SecretManager

REF = SecretRef("crm")


@pytest.fixture
async def manager():
    """An empty Secret Manager."""
    async with SecretManager() as running:
        yield running


@pytest.fixture
async def google(manager):
    """The adapter over it."""
    secrets = SecretManagerSecrets(PROJECT, emulator=manager.address)
    yield secrets
    await secrets.close()


@pytest.fixture(params=["directory", "secret-manager"])
def secrets(request, tmp_path, google):
    """Each store, empty."""
    return google if request.param == "secret-manager" else DirectorySecrets(tmp_path)


async def test_what_is_written_is_read(secrets):
    """The newest value, exactly but for a newline at its end."""
    await secrets.write("acme", "crm", "one")
    await secrets.write("acme", "crm", "zwei\nlines")

    assert await secrets.read("acme", REF) == "zwei\nlines"


async def test_a_tenants_secrets_are_listed_alone(secrets):
    """By name, however alike other tenants' ids and names are."""
    written = [("acme", "crm"), ("acme", "api-key"), ("acme", "b"), ("acme-labs", "crm")]
    for tenant_id, name in [*written, ("labs", "acme"), ("ac", "me")]:
        await secrets.write(tenant_id, name, "x")

    names = [each.name for each in await secrets.stored("acme")]
    versions = [[each.state for each in secret.versions] for secret in await secrets.stored("acme")]

    assert names == ["api-key", "b", "crm"]
    assert versions == [["enabled"]] * 3
    assert await secrets.stored("nobody") == ()


async def test_writers_who_come_together_are_all_done(secrets):
    """Also where the secret is made by the first of them; one value wins, whole."""
    values = [f"value-{number}" * 100 for number in range(8)]

    await asyncio.gather(*(secrets.write("acme", "crm", value) for value in values))

    assert await secrets.read("acme", REF) in values


async def test_versions_rise_and_the_two_newest_stay(manager, google):
    """Older ones that are enabled are disabled, none is destroyed, and what is read stays."""
    numbers = [await google.write("acme", "crm", f"value-{n}") for n in range(5)]
    manager.secrets["agw_acme_crm"][2].state = 2  # disabled by hand

    assert numbers == [1, 2, 3, 4, 5]
    assert await google.retire("acme", "crm") == (2, 1)
    assert await google.retire("acme", "crm") == ()
    (secret,) = await google.stored("acme")
    assert [(each.number, each.state) for each in secret.versions] == [
        (5, "enabled"),
        (4, "enabled"),
        (3, "disabled"),
        (2, "disabled"),
        (1, "disabled"),
    ]
    assert await google.read("acme", REF) == "value-4"


async def test_write_that_is_refused_says_why(manager, google):
    """Whoever may not write is told so, and nothing was written."""
    manager.away(grpc.StatusCode.PERMISSION_DENIED)

    with pytest.raises(SecretsUnavailableError) as raised:
        await google.write("acme", "crm", "planted")

    assert "Grant" in raised.value.detail
    assert "planted" not in raised.value.detail
    assert manager.secrets == {}


async def test_file_is_the_owners_alone(tmp_path):
    """Its mode lets nobody else read it, and nothing is left beside it."""
    secrets = DirectorySecrets(tmp_path)

    await secrets.write("acme", "crm", "one")
    await secrets.write("acme", "crm", "two")

    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_directory_that_cannot_be_written_says_so(tmp_path):
    """As one that is not there cannot; a directory in the file's place is left alone."""
    (tmp_path / "agw_acme_crm").mkdir()

    for secrets in (DirectorySecrets(tmp_path / "nowhere"), DirectorySecrets(tmp_path)):
        with pytest.raises(SecretsUnavailableError):
            await secrets.write("acme", "crm", "x")

    assert [each.name for each in tmp_path.iterdir()] == ["agw_acme_crm"]


@pytest.mark.parametrize("value", ["", " \n", "a\0b", "x" * 65_537, "ü" * 32_769, "\ud800"])
def test_what_can_be_no_secret_is_refused(value):
    """And is not quoted."""
    fault = value_fault(value)

    assert fault is not None
    assert not value or value not in fault


@given(st.text(min_size=1, max_size=100).filter(lambda text: text.strip() and "\0" not in text))
def test_any_other_text_can_be_a_secret(value):
    """Lines, quotes and other alphabets too."""
    assert value_fault(value) is None
