"""What is asked of every server, so that all do the same work."""

import secrets

import msgspec

from bench.jobs import Answer

MODEL = "sim-1"
# One for the whole run: LiteLLM wants a strong one, the others and the simulator take any.
KEY = "sk-" + secrets.token_hex(32)
INSTRUCTIONS = ("You are a patient and exact assistant of a small company. " * 20)[:600]
WORDS = 100


def message(**directives: str | int) -> str:
    """A message that the simulator answers as its directives say (docs/simulator.md)."""
    script = " ".join(f"{name}={value}" for name, value in directives.items())
    return f"Please tell a long story. [[{script}]]"


def http_get(path: str) -> bytes:
    """A whole HTTP/1.1 request."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n".encode()


def http_post(path: str, body: dict[str, object], *, stream: bool) -> bytes:
    """A whole HTTP/1.1 request with a JSON body."""
    encoded = msgspec.json.encode(body)
    accept = "text/event-stream" if stream else "application/json"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
        f"Accept: {accept}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(encoded)}\r\n\r\n"
    )
    return head.encode() + encoded


def responses_request(text: str, *, stream: bool) -> bytes:
    """A request to a server that speaks OpenAI's Responses API itself."""
    body = {"model": MODEL, "instructions": INSTRUCTIONS, "input": text, "store": False}
    return http_post("/v1/responses", body | {"stream": stream}, stream=stream)


def responses_answer(deltas: int) -> Answer:
    """A right answer of such a server; ``deltas=0``: unstreamed."""
    return Answer(
        words=WORDS,
        deltas=deltas,
        delta=b'"type":"response.output_text.delta"',
        end=b'"type":"response.completed"',
        shape="response",
    )


def relay_answer(deltas: int) -> Answer:
    """A right answer of the relay: the conversation's JSON, the upstream's events."""
    return msgspec.structs.replace(responses_answer(deltas), shape="conversation")


def conversation_answer(deltas: int) -> Answer:
    """A right answer of the gateway's conversation routes; ``deltas=0``: unstreamed."""
    return Answer(
        words=WORDS,
        deltas=deltas,
        delta=b"\nevent: thread.message.delta\n",
        end=b"\nevent: thread.run.completed\n",
    )
