"""Bodies that are no message: refused with every fault, and nothing reaches the model."""

import gzip
import json

import pytest

from gateway.http.wire import MAX_BODY_BYTES
from tests.fakes.conversation import EVENTS
from tests.fakes.raw_client import RawClient, ask, request

LONGEST = 32_768
DEEP = 10_000
NOT_JSON = {
    "nothing": b"",
    "blanks": b"  \n",
    "words": b"hello",
    "half": b'{"message":"hi"',
    "two": b'{"message":"a"}{"message":"b"}',
    "form": b"message=hi",
    "trailing comma": b'{"message":"hi",}',
    "not a number": b'{"message":"hi","x":NaN}',
    "beyond a number": b'{"message":"hi","x":1e999}',
    "endless digits": b'{"message":"hi","x":1' + b"0" * 5000 + b"}",
    "deep array": b"[" * DEEP + b"]" * DEEP,
    "deep object": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep beside a message": b'{"message":"hi","x":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep and never closed": b"[" * DEEP,
    "a bare NUL": b'{"message":"a\0b"}',
    "a lone high surrogate": b'{"message":"a\\ud800b"}',
    "a lone low surrogate": b'{"message":"a\\udc00b"}',
    "surrogates the wrong way round": b'{"message":"\\ude00\\ud83d"}',
    "a lone surrogate in a name": b'{"message":"hi","\\ud800":1}',
    "an encoded surrogate": b'{"message":"a\xed\xa0\x80b"}',
    "not UTF-8": b'{"message":"\xff"}',
    "overlong UTF-8": b'{"message":"\xc0\xaf"}',
    "UTF-16": '{"message":"hi"}'.encode("utf-16"),
}
NO_OBJECT = {
    "array": b'["message"]',
    "string": b'"message"',
    "number": b"7",
    "true": b"true",
    "null": b"null",
}
WRONG = {
    "no message": ({}, ["message"]),
    "null": ({"message": None}, ["message"]),
    "number": ({"message": 3.5}, ["message"]),
    "true": ({"message": True}, ["message"]),
    "array": ({"message": ["hi"]}, ["message"]),
    "object": ({"message": {"text": "hi"}}, ["message"]),
    "empty": ({"message": ""}, ["message"]),
    "blank": ({"message": " \n\t "}, ["message"]),
    "too long": ({"message": "x" * (LONGEST + 1)}, ["message"]),
    "NUL": ({"message": "a\0b"}, ["message"]),
    "too long, with NUL": ({"message": "\0" * (LONGEST + 1)}, ["message", "message"]),
    "thread is a number": ({"message": "hi", "thread_id": 0}, ["thread_id"]),
    "thread is false": ({"message": "hi", "thread_id": False}, ["thread_id"]),
    "thread is an array": ({"message": "hi", "thread_id": []}, ["thread_id"]),
    "thread is an object": ({"message": "hi", "thread_id": {}}, ["thread_id"]),
    "everything": ({"message": {}, "thread_id": []}, ["message", "thread_id"]),
    "everything, and no message": ({"thread_id": 1}, ["message", "thread_id"]),
}
WRONG_STARTS = {
    "array": ([], [""]),
    "metadata is an array": ({"metadata": []}, ["metadata"]),
    "metadata is zero": ({"metadata": 0}, ["metadata"]),
    "metadata is false": ({"metadata": False}, ["metadata"]),
    "metadata is empty text": ({"metadata": ""}, ["metadata"]),
    "metadata is text": ({"metadata": "a"}, ["metadata"]),
    "a value is a number": ({"metadata": {"a": 1}}, ["metadata.a"]),
    "a value is null": ({"metadata": {"a": None}}, ["metadata.a"]),
    "a value has NUL": ({"metadata": {"a": "\0"}}, ["metadata.a"]),
    "a key has NUL": ({"metadata": {"a\0": "b"}}, ["metadata.a\0"]),
    "a long value": ({"metadata": {"a": "x" * 513}}, ["metadata.a"]),
    "a long key": ({"metadata": {"k" * 65: "x"}}, ["metadata." + "k" * 64]),
    "many pairs": ({"metadata": {str(n): "x" for n in range(17)}}, ["metadata"]),
    "unknown field": ({"thread_id": "x"}, ["thread_id"]),
    "all of it": ({"metadata": {"a": 1, "b": []}, "x": 1}, ["metadata.a", "metadata.b", "x"]),
}
WRONG_PAGES = {
    "limit=0&order=up&x=1": ["limit", "order", "x"],
    "limit=101": ["limit"],
    "limit=-1": ["limit"],
    "limit=%D9%A3": ["limit"],
    "limit=": ["limit"],
    "limit=" + "9" * 10_240: ["limit"],
    "limit=%00": ["limit"],
    "order=%ff": ["order"],
}
OTHER_TYPES = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "json",
    "text/json; charset=utf-8",
)


@pytest.fixture
def refused(acme, simulator):
    """Posts a body; the fields that are at fault, told alike to either kind of client."""

    async def post(path, body, status=400, kind="application/json"):
        fields = []
        for accept in ({}, EVENTS):
            headers = {"Content-Type": kind, **accept}
            async with acme.session.post(acme.path(path), data=body, headers=headers) as answer:
                problem = await answer.json()
            assert answer.content_type == "application/problem+json"
            assert (answer.status, problem["status"]) == (status, status), problem
            assert problem["correlation_id"] == answer.headers["X-Correlation-ID"]
            fields.append([fault["field"] for fault in problem.get("errors", ())])
        assert simulator.requests == []
        assert fields[0] == fields[1]
        return fields[0]

    return post


async def test_what_is_no_json_is_refused(refused):
    """Whatever is not JSON in UTF-8 is 400, and so is any JSON but an object."""
    found = {name: await refused("/chat", body) for name, body in (NOT_JSON | NO_OBJECT).items()}

    assert found == {name: [""] for name in NOT_JSON | NO_OBJECT}


async def test_all_faults_of_a_message_are_told(refused):
    """Each fault is told with its field, not only the first one."""
    found = {name: await refused("/chat", json.dumps(body)) for name, (body, _) in WRONG.items()}

    assert found == {name: fields for name, (_, fields) in WRONG.items()}


async def test_all_faults_of_a_start_are_told(refused):
    """``/start`` takes an object of strings as metadata, or null, and no other field."""
    found = {
        name: await refused("/start", json.dumps(body)) for name, (body, _) in WRONG_STARTS.items()
    }

    assert found == {name: fields for name, (_, fields) in WRONG_STARTS.items()}


async def test_other_content_types_are_refused(refused):
    """Good JSON under another name is 415: a page of another origin can send that unasked."""
    for path in ("/chat", "/start"):
        for kind in OTHER_TYPES:
            assert await refused(path, b'{"message":"hi"}', 415, kind) == []


async def test_a_body_that_says_it_is_compressed_is_not_json(acme):
    """A content coding that is not undone leaves bytes that are not JSON."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    body = gzip.compress(b'{"message":"hi"}')
    status, _ = await acme.ask("POST", "/chat", data=body, headers=headers)

    assert status == 400


async def test_the_longest_message_is_answered(acme, simulator):
    """32,768 characters after trimming are a message, whatever their bytes."""
    messages = [letter * LONGEST for letter in "xé😀"]

    for message in messages:
        await acme.say(f"  {message}\n")

    said = [asked.json["input"][0]["content"][0]["text"] for asked in simulator.requests]
    assert said == messages


async def test_a_body_of_the_greatest_size_is_read(acme):
    """1 MiB to the byte is taken."""
    body = b'{"message":"hi","x":"' + b"x" * (MAX_BODY_BYTES - 23) + b'"}'
    assert len(body) == MAX_BODY_BYTES

    headers = {"Content-Type": "application/json"}
    status, _ = await acme.ask("POST", "/chat", data=body, headers=headers)

    assert status == 200


async def test_a_body_that_is_announced_as_too_large_is_not_waited_for(gateway):
    """413 comes before the body does."""
    headers = {"Content-Length": str(MAX_BODY_BYTES + 1), "Content-Type": "application/json"}
    for path in ("/t/acme/chat", "/t/acme/start"):
        async with RawClient(gateway.url) as client:
            await client.send(request("POST", path, headers=headers))
            head = await client.read_until(b"\r\n\r\n")

        assert b" 413 " in head


async def test_a_body_in_chunks_without_end_is_cut_off(gateway, simulator):
    """A chunked body is read no further than 1 MiB: 413, and the connection goes."""
    headers = {"Transfer-Encoding": "chunked", "Content-Type": "application/json"}
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    async with RawClient(gateway.url) as client:
        await client.send(request("POST", "/t/acme/chat", headers=headers))
        for _ in range(17):
            await client.send(chunk)
        answer = await client.read_all()

    assert b" 413 " in answer.split(b"\r\n")[0]
    assert b"urn:agw:body-too-large" in answer
    assert simulator.requests == []


async def test_a_length_that_is_none_is_refused(gateway):
    """A ``Content-Length`` that cannot be one is the client's fault, and never ours."""
    for length in ("abc", "-1", "1, 2", "0x10", "9" * 30):
        sent = request("POST", "/t/acme/chat", headers={"Content-Length": length}) + b"{}"

        assert (await ask(gateway.url, sent)).status in {400, 413}


async def test_odd_headers_harm_nothing(gateway):
    """A header that nobody understands is passed over."""
    for name in ("Accept", "Last-Event-ID", "X-Correlation-ID", "Authorization"):
        for value in ("\xff\xfe", ";;;,,,=", "x" * 10_240, "text/event-stream;q=é"):
            sent = request("POST", "/t/acme/chat", b'{"message":"hi"}', {name: value})

            assert (await ask(gateway.url, sent)).status == 200


async def test_an_origin_that_is_none_may_not_ask(gateway):
    """Nonsense in ``Origin`` is no page that the tenant lists: 403."""
    for value in ("\xff\xfe", ";;;,,,=", "x" * 10_240):
        sent = request("POST", "/t/acme/chat", b'{"message":"hi"}', {"Origin": value})

        assert (await ask(gateway.url, sent)).status == 403


async def test_an_idempotency_key_has_a_bound(gateway):
    """A key of 255 characters is kept, a longer one refused."""
    for size, status in ((255, 200), (256, 400), (10_240, 400)):
        sent = request("POST", "/t/acme/chat", b'{"message":"hi"}', {"Idempotency-Key": "é" * size})

        assert (await ask(gateway.url, sent)).status == status


async def test_all_faults_of_a_page_are_told(gateway):
    """Wrong parameters of a list are 400, each with its name."""
    for query, fields in WRONG_PAGES.items():
        path = f"/t/acme/threads/thread_0/messages?{query}"
        answer = await ask(gateway.url, request("GET", path))

        assert answer.status == 400
        assert [fault["field"] for fault in answer.json["errors"]] == fields


async def test_good_messages_are_answered_beside_bad_ones(acme, gateway):
    """On one connection a refused body does not spoil the next request."""
    body = b'{"message":"hi"}'
    good = request("POST", "/t/acme/chat", body)
    bad = request("POST", "/t/acme/chat", NOT_JSON["deep object"], {"Connection": "keep-alive"})

    both = await ask(gateway.url, bad + good)

    assert both.status == 400
    assert b" 200 " in both.body
    assert (await acme.say("still there?"))["status"] == "completed"
