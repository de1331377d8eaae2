"""``tenantctl chat`` with a gateway that demands keys."""

import asyncio

import pytest

from tests.fakes.tenantctl import run

pytest_plugins = ("tests.fakes.locked_gateway",)

EVERY = pytest.mark.parametrize("protocol", ["sse", "ws", "json"])


@pytest.fixture
def chat(locked, tmp_path):
    """Says something by ``tenantctl chat``; what became of it."""

    async def call(protocol, *more, **environ):
        arguments = ("chat", "acme", "--gateway", locked.url, "--protocol", protocol)
        return await asyncio.to_thread(
            run, *arguments, "--message", "Hello", *more, environ=environ, folder=tmp_path
        )

    return call


@EVERY
async def test_the_key_is_a_variable(chat, keys, protocol):
    """And no word of the command line, which others can read."""
    key = await keys.give("chat")

    done = await chat(protocol, TENANTCTL_KEY=f" {key.text}\n")

    assert done.returncode == 0, done.stderr
    assert "Hello" in done.stdout


async def test_a_header_of_the_users_own_comes_first(chat, keys):
    """As for a session's token, while the variable holds a key."""
    key = await keys.give("chat")

    done = await chat(
        *("sse", "--header", f"Authorization: Bearer {key.text}"), TENANTCTL_KEY="agw_wrong"
    )

    assert done.returncode == 0, done.stderr


@EVERY
async def test_without_a_key_the_variable_is_named(chat, protocol):
    """With the command that makes one."""
    refused = await chat(protocol)

    assert refused.returncode == 1
    assert "Set TENANTCTL_KEY" in refused.stderr
    assert "tenantctl keys issue" in refused.stderr
