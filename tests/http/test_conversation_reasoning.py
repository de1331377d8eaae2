"""Models that think: their reasoning goes back to them, encrypted, and to nobody else."""

import pytest

from tests.fakes.conversation import parse_all
from tests.fakes.gateway import write_tenant
from tests.fakes.two_tenants import WEATHER


@pytest.fixture
def environ(environ, tmp_path):
    """Acme's model is one that reasons."""
    write_tenant(tmp_path / "tenants", "acme", model="o1", tools=WEATHER)
    return environ


async def test_reasoning_goes_back_with_the_call_that_it_led_to(acme, upstream):
    """In the next round and in the next turn, encrypted, each before the item that follows it."""
    first = await acme.say("weather in Paris?")
    await acme.say("and now something else", first["thread_id"])

    second_round, next_turn = (request.json for request in upstream.requests[1:3])
    assert second_round["include"] == ["reasoning.encrypted_content"]
    kinds = [item["type"] for item in second_round["input"]]
    assert kinds == ["message", "reasoning", "function_call", "function_call_output"]
    assert all(
        item["encrypted_content"] and "id" not in item
        for item in next_turn["input"]
        if item["type"] == "reasoning"
    )
    assert [item["type"] for item in next_turn["input"]][-3:] == ["reasoning", "message", "message"]


async def test_reasoning_reaches_no_client(acme, upstream):
    """Neither streams nor messages carry it."""
    async with acme.open("weather in Paris?") as stream:
        body = await stream.read()
    thread_id = parse_all(body)[0].object["thread_id"]
    _, page = await acme.ask("GET", f"/threads/{thread_id}/messages")
    secret = next(
        item["encrypted_content"]
        for item in upstream.requests[1].json["input"]
        if item["type"] == "reasoning"
    )

    assert secret.encode() not in body
    assert secret not in str(page)
