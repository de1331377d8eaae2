"""What a sync sends to an account, and what it makes of one that does not work."""

import pytest

from tenants.knowledge.errors import AccountError

pytest_plugins = ("tests.fakes.knowledge_fixtures",)

_OPERATORS = {
    "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer sk-planted\nX-Proxy-Key: planted",
    "OPENAI_ORG_ID": "org-planted",
    "OPENAI_PROJECT_ID": "proj_planted",
    "OPENAI_ADMIN_KEY": "sk-admin-planted",
}


async def test_nothing_of_the_operators_environment_is_sent(knowing, monkeypatch):
    """A tenant's upstream gets the tenant's key, and no header that the operator's shell names."""
    for name, value in _OPERATORS.items():
        monkeypatch.setenv(name, value)
    knowing.key = "sk-theirs"

    await knowing.sync()

    sent = knowing.upstream.headers
    assert {each["authorization"] for each in sent} == {"Bearer sk-theirs"}
    assert "planted" not in str(sent)


@pytest.mark.parametrize("asked", ["GET .*", "POST /v1/files", "POST /v1/vector_stores"])
async def test_an_upstream_that_hangs_is_given_up(knowing, asked):
    """Silence ends the sync in words; nothing is published, and the next one goes on."""
    knowing.upstream.held = asked
    with pytest.raises(AccountError, match="did not answer in time"):
        await knowing.sync(timeout_seconds=0.2)
    await knowing.upstream.release()

    await knowing.sync()

    await knowing.consistent()
