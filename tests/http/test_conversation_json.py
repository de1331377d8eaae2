"""The conversation over plain JSON."""

import asyncio

from openai.types.beta.threads import Message

from tests.fakes.conversation import next_event


async def test_a_turn_answers_with_its_text_and_its_tokens(acme):
    """``POST /chat`` starts a thread, answers with a string a text block, and counts tokens."""
    answer = await acme.say("good morning")

    assert "good morning" in answer["responses"][0]
    assert answer["status"] == "completed"
    assert answer["thread_id"].startswith("thread_")
    assert answer["usage"]["total_tokens"] == (
        answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"]
    )


async def test_a_thread_remembers_what_was_said(acme, upstream):
    """The next turn sends upstream everything said so far, with nothing stored there."""
    first = await acme.say("my name is Ada")

    await acme.say("what did I say first?", first["thread_id"])

    sent = upstream.requests[-1].json
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]
    assert sent["input"][0]["content"][0]["text"] == "my name is Ada"
    assert sent["store"] is False
    assert not any("id" in item for item in sent["input"])


async def test_a_function_is_run_and_its_result_answers(acme, upstream):
    """A tool round: the call and its output go back upstream, and the answer comes of them."""
    answer = await acme.say("what is the weather in Paris?")

    call, output = upstream.requests[-1].json["input"][-2:]
    assert (call["type"], output["type"]) == ("function_call", "function_call_output")
    assert call["call_id"] == output["call_id"]
    assert output["output"] == '{"city":"Paris","sky":"sunny"}'
    assert "sunny" in answer["responses"][0]


async def test_the_turn_after_a_tool_round_keeps_calls_and_outputs_together(acme, upstream):
    """What was called in an earlier turn is sent again with its output."""
    first = await acme.say("weather in Paris and Rome?")

    await acme.say("thank you", first["thread_id"])

    items = upstream.requests[-1].json["input"]
    calls = [item["call_id"] for item in items if item["type"] == "function_call"]
    outputs = [item["call_id"] for item in items if item["type"] == "function_call_output"]
    assert len(calls) == 2
    assert calls == outputs


async def test_an_incomplete_answer_says_so(acme):
    """An answer cut by its token limit is 200 with the text so far and the reason."""
    answer = await acme.say("tell me all [[incomplete=max_output_tokens]]")

    assert answer["status"] == "incomplete"
    assert answer["incomplete_details"] == {"reason": "max_output_tokens"}
    assert answer["responses"]


async def test_a_failed_run_is_no_success(acme):
    """A run that fails after it exists is a problem document that names the run."""
    status, problem = await acme.ask(
        "POST", "/chat", json={"message": "go [[failed=server_error]]"}
    )

    assert status == 502
    assert problem["type"] == "urn:agw:upstream-unavailable"
    assert problem["run_status"] == "failed"
    assert (await acme.ask("GET", f"/runs/{problem['run_id']}"))[1]["status"] == "failed"


async def test_an_early_failure_leaves_nothing_on_the_thread(acme):
    """What fails before a run exists is an HTTP error, and the thread is as it was."""
    first = await acme.say("hello")
    thread_id = first["thread_id"]

    status, problem = await acme.ask(
        "POST",
        "/chat",
        json={"message": "go [[status=429 retry-after=77]]", "thread_id": thread_id},
    )

    assert (status, problem["type"]) == (429, "urn:agw:upstream-rate-limited")
    messages = (await acme.ask("GET", f"/threads/{thread_id}/messages"))[1]["data"]
    assert len(messages) == 2
    assert "run_id" not in problem


async def test_messages_come_in_pages_of_the_assistants_api(acme):
    """``GET /threads/{id}/messages`` pages by cursors and its objects are the SDK's."""
    thread_id = (await acme.say("one"))["thread_id"]
    await acme.say("two", thread_id)

    _, page = await acme.ask("GET", f"/threads/{thread_id}/messages?limit=3")
    _, rest = await acme.ask("GET", f"/threads/{thread_id}/messages?after={page['last_id']}")

    said = [Message.model_validate(message) for message in page["data"] + rest["data"]]
    assert [message.role for message in said] == ["assistant", "user", "assistant", "user"]
    assert (page["has_more"], rest["has_more"]) == (True, False)
    assert said[-1].content[0].text.value == "one"


async def test_the_same_idempotency_key_is_the_same_run(acme, upstream):
    """A key gives the same run again; with another body it is refused."""
    headers = {"Idempotency-Key": "k1"}
    body = {"message": "pay once"}

    first = await acme.ask("POST", "/chat", json=body, headers=headers)
    again = await acme.ask("POST", "/chat", json=body, headers=headers)
    other = await acme.ask("POST", "/chat", json={"message": "pay twice"}, headers=headers)

    assert first[1]["run_id"] == again[1]["run_id"]
    assert first[1]["responses"] == again[1]["responses"]
    assert (other[0], other[1]["type"]) == (422, "urn:agw:idempotency-mismatch")
    assert len(upstream.requests) == 1


async def test_two_posts_with_one_key_at_once_are_one_run(acme, upstream):
    """The second of two simultaneous posts joins the first."""
    headers = {"Idempotency-Key": "k2"}
    body = {"message": "pay once"}

    answers = await asyncio.gather(
        *(acme.ask("POST", "/chat", json=body, headers=headers) for _ in range(5))
    )

    assert len({answer["run_id"] for _, answer in answers}) == 1
    assert len(upstream.requests) == 1


async def test_an_early_failure_does_not_use_up_the_key(acme):
    """After an error before the run existed, the same key starts a run."""
    headers = {"Idempotency-Key": "k3"}
    body = {"message": "go [[status=400 times=1]]"}

    first = await acme.ask("POST", "/chat", json=body, headers=headers)
    again = await acme.ask("POST", "/chat", json=body, headers=headers)

    assert (first[0], again[0]) == (502, 200)


async def test_one_run_at_a_time_works_on_a_thread(acme):
    """Another message is refused with the running run's id; the same one joins it."""
    thread_id = (await acme.say("hello"))["thread_id"]
    async with acme.open("count [[deltas=50 delay=20ms]]", thread_id) as stream:
        run_id = (await next_event(stream)).object["id"]

        status, problem = await acme.ask(
            "POST", "/chat", json={"message": "other", "thread_id": thread_id}
        )
        deleted, _ = await acme.ask("DELETE", f"/threads/{thread_id}")
        joined = await acme.say("count [[deltas=50 delay=20ms]]", thread_id)

    assert (status, problem["type"]) == (409, "urn:agw:thread-busy")
    assert problem["run_id"] == joined["run_id"] == run_id
    assert deleted == 409


async def test_a_deleted_thread_is_gone(acme):
    """Deleting answers as OpenAI does, and nothing of the thread can be found."""
    answer = await acme.say("secret words")

    status, deleted = await acme.ask("DELETE", f"/threads/{answer['thread_id']}")

    assert status == 200
    assert deleted == {"id": answer["thread_id"], "object": "thread.deleted", "deleted": True}
    for path in (f"/threads/{answer['thread_id']}/messages", f"/runs/{answer['run_id']}"):
        assert (await acme.ask("GET", path))[0] == 404
    assert (await acme.ask("GET", f"/runs/{answer['run_id']}/events"))[0] == 404
    again = {"message": "x", "thread_id": answer["thread_id"]}
    assert (await acme.ask("POST", "/chat", json=again))[0] == 404


async def test_start_greets(acme):
    """``/start`` makes a thread, by GET and by POST, and says the initial message."""
    for method in ("GET", "POST"):
        status, started = await acme.ask(method, "/start")

        assert (status, started["initial_message"]) == (200, "Hello from Acme.")
        assert (await acme.say("hi", started["thread_id"]))["thread_id"] == started["thread_id"]
