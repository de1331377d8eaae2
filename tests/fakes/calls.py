"""Calls of an engine, as tests need them."""

import asyncio
from typing import Any

import pytest

from gateway.engines.errors import EngineError
from gateway.engines.events import Event
from gateway.engines.exchange import Limits
from gateway.engines.ports import Answer, Call, Credential
from tenants.compiled import Assistant

SOON = 0.1
LIMITS = Limits(connect_seconds=SOON, idle_seconds=SOON, release_seconds=SOON, refusal_seconds=SOON)
QUESTION = b'{"type":"message","role":"user","content":"hi"}'


def make_assistant(**changes: Any) -> Assistant:
    """An assistant without tools, but for what is changed."""
    fields: dict[str, Any] = {
        "id": "asst_acme_default",
        "alias": "default",
        "engine": "responses",
        "model": "gpt-4o",
        "instructions": "Be brief.",
        "initial_message": "Hello!",
        "temperature": None,
        "functions": (),
        "tools": b"[]",
        "timeout_seconds": 1.0,
        "max_rounds": 2,
    }
    return Assistant(**fields | changes)


def make_call(base_url: str, **changes: Any) -> Call:
    """A streamed call of that upstream, but for what is changed."""
    fields: dict[str, Any] = {
        "assistant": make_assistant(),
        "credential": Credential(base_url, "sk-planted-secret"),
        "input": (QUESTION,),
        "stream": True,
        "tools_allowed": True,
        "prompt_cache_key": "acme",
        "correlation_id": "corr-1",
    }
    return Call(**fields | changes)


async def read_all(answer: Answer) -> list[Event]:
    """Every event of an answer; then it is closed."""
    try:
        events = []
        while batch := await answer.read():
            events += batch
        return events
    finally:
        await answer.close()


async def read_until_error(answer: Answer) -> tuple[list[Event], EngineError]:
    """The events of an answer that fails, and how it failed."""
    events: list[Event] = []
    try:
        while batch := await answer.read():
            events += batch
    except EngineError as error:
        return events, error
    finally:
        await answer.close()
    raise AssertionError("the answer ended well")


async def refused(engine, base_url, **changes):
    """How the call was refused, within a few seconds."""
    async with asyncio.timeout(5):
        with pytest.raises(EngineError) as raised:
            await engine.open(make_call(base_url, **changes))
    return raised.value


async def failed(engine, upstream, **changes):
    """The events of the call, and how its answer failed; its connection is given back."""
    async with asyncio.timeout(5):
        answer = await engine.open(make_call(upstream.base_url, **changes))
        outcome = await read_until_error(answer)
        await upstream.until(lambda server: server.open_connections == 0)
        return outcome


async def refused_or_failed(engine, upstream):
    """How a call failed; head and body may arrive together or not."""
    async with asyncio.timeout(5):
        try:
            answer = await engine.open(make_call(upstream.base_url))
        except EngineError as error:
            return error
        return (await read_until_error(answer))[1]
