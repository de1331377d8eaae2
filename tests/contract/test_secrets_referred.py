"""How a tenant's document refers to secrets."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.cli.schema import document_schema
from tenants.fields import secret_ref
from tenants.model import SecretRef
from tenants.secrets.references import references

GOOD = {
    "secret:openai-api-key": SecretRef("openai-api-key"),
    "secret:a@latest": SecretRef("a"),
    "secret:a@3": SecretRef("a", "3"),
    f"secret:{'a' * 63}@12": SecretRef("a" * 63, "12"),
}
BAD = [
    "a",
    "secret:",
    "secret:a@",
    "secret:@1",
    "secret:a@0",
    "secret:a@-1",
    "secret:a@b",
    "secret:a@1@2",
    "secret:a@1\n",
    f"secret:{'a' * 64}",
    "Secret:a",
    "sk-planted",
]


def pattern():
    """What the JSON Schema of tenant.toml says of a reference."""
    schema = document_schema()
    return re.compile(schema["properties"]["upstream"]["properties"]["api_key"]["pattern"])


@pytest.mark.parametrize(("text", "ref"), GOOD.items())
def test_reference_names_a_secret_and_perhaps_a_version(text, ref):
    """The newest version unless one is named; the schema for editors agrees."""
    assert secret_ref(text) == ref
    assert pattern().search(text)


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_no_reference(text):
    """Nothing of it is quoted, since it may be the secret itself."""
    with pytest.raises(ValueError, match="name a secret") as raised:
        secret_ref(text)

    assert "planted" not in str(raised.value)
    assert text.endswith("\n") or not pattern().search(text)


def test_everything_that_a_document_refers_to_is_found():
    """Its account, its servers of tools, and what its functions may read; once each."""
    raw = {
        "upstream": {"api_key": "secret:a", "base_url": "https://secret.example"},
        "tools": {
            "secrets": ["b", "c", "NO", 7],
            "mcp": {"x": {"authorization": "secret:b"}, "y": {"authorization": "secret:d@2"}},
        },
        "models": {"secret": "e"},
    }

    found = references(raw)

    assert found == {SecretRef("a"), SecretRef("b"), SecretRef("c"), SecretRef("d", "2")}


_SCALARS = st.one_of(st.text(max_size=20), st.integers(), st.booleans())
_TOML = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
)


@given(st.dictionaries(st.sampled_from(["tools", "upstream", "x"]), _TOML))
def test_any_document_can_be_looked_through(raw):
    """Also one that is wrong everywhere."""
    assert all(isinstance(each, SecretRef) for each in references(raw))
