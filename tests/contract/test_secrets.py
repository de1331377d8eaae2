"""The port of secrets, on every adapter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.errors import SecretMissingError, SecretsUnavailableError
from tenants.model import SecretRef
from tenants.secrets.directory import DirectorySecrets
from tenants.secrets.environment import EnvironmentSecrets, check
from tenants.secrets.places import variable

SECRETS = {
    ("acme", "openai-api-key"): "sk-acme",
    ("acme-labs", "openai-api-key"): "sk-labs",
    ("acme", "crm"): "crm value with spaces = and equals",
    ("acme", "empty"): "",
}


@pytest.fixture(params=["environment", "directory"])
def secrets(request, tmp_path):
    """The same secrets in each store."""
    if request.param == "environment":
        return EnvironmentSecrets({variable(*key): value for key, value in SECRETS.items()})
    for (tenant_id, name), value in SECRETS.items():
        (tmp_path / f"agw_{tenant_id}_{name}").write_text(value + "\n")
    return DirectorySecrets(tmp_path)


@pytest.mark.parametrize("key", [key for key, value in SECRETS.items() if value])
async def test_secret_is_read_by_tenant_and_name(secrets, key):
    """Each tenant gets its own value, exactly, without the newline of a file."""
    assert await secrets.read(key[0], SecretRef(key[1])) == SECRETS[key]


@pytest.mark.parametrize(
    ("tenant_id", "name"),
    [
        ("acme", "empty"),
        ("acme", "other"),
        ("other", "openai-api-key"),
        ("acme", "labs"),
        ("acme", "../agw_acme_crm"),
        ("../acme", "crm"),
        ("acme", "CRM"),
        ("ACME", "crm"),
        ("acme", ""),
        ("acme", "crm\n"),
    ],
)
async def test_secret_that_is_not_there_is_missing(secrets, tenant_id, name):
    """An empty value is none, and nothing outside the grammar reaches the store."""
    with pytest.raises(SecretMissingError) as raised:
        await secrets.read(tenant_id, SecretRef(name))

    assert (raised.value.tenant_id, raised.value.name) == (tenant_id, name)


async def test_names_are_stored_as_the_contract_says(tmp_path):
    """``AGW_<ID>__<NAME>`` in the environment, ``agw_<id>_<NAME>`` in a directory."""
    environment = EnvironmentSecrets({"AGW_ACME_LABS__OPENAI_API_KEY": "a"})
    (tmp_path / "agw_acme-labs_openai-api-key").write_text("b\r\n")

    ref = SecretRef("openai-api-key")

    assert await environment.read("acme-labs", ref) == "a"
    assert await DirectorySecrets(tmp_path).read("acme-labs", ref) == "b"


async def test_directory_that_is_away_is_not_a_missing_secret(tmp_path):
    """A store that cannot be read says so, so that nobody looks for a wrong name."""
    with pytest.raises(SecretsUnavailableError):
        await DirectorySecrets(tmp_path / "nowhere").read("acme", SecretRef("crm"))


async def test_file_that_is_no_text_makes_the_store_unavailable(tmp_path):
    """Bytes that are not UTF-8 are not half a key."""
    (tmp_path / "agw_acme_crm").write_bytes(b"\xff\xfe")

    with pytest.raises(SecretsUnavailableError):
        await DirectorySecrets(tmp_path).read("acme", SecretRef("crm"))


IDS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
NAMES = st.from_regex(r"[a-z0-9]{1,3}(-[a-z0-9]{1,3}){0,2}", fullmatch=True)


@given(st.tuples(IDS, NAMES), st.tuples(IDS, NAMES))
def test_no_two_secrets_share_a_variable(one, other):
    """The folding of names loses nothing: one variable, one tenant and one name."""
    assert (variable(*one) == variable(*other)) == (one == other)


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
