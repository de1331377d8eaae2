"""Logs of runs, written by hand and read from recordings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.engines.events import Event, decode
from gateway.runs import lifecycle
from gateway.runs.lifecycle import RoundAnswered, RunCreated, RunEnded, ToolOutput, Usage

Log = list[Event]
START_MS = 1_700_000_000_500


def head(**changes: Any) -> Event:
    """The first event of a log."""
    fields: dict[str, Any] = {
        "run_id": "run_1",
        "thread_id": "thread_1",
        "assistant_id": "asst_acme_default",
        "model": "gpt-6-luna",
        "correlation_id": "corr-1",
        "created_at": START_MS // 1000,
    }
    return lifecycle.event(RunCreated(**fields | changes))


def ended(status: str = "completed", **changes: Any) -> Event:
    """The last event of a log."""
    fields: dict[str, Any] = {"usage": Usage(10, 5, 15), "elapsed_ms": 1250, "first_token_ms": 300}
    return lifecycle.event(RunEnded(status=status, **fields | changes))


def answered(**outputs: str) -> Event:
    """The gateway answers calls: output by call id."""
    return lifecycle.event(RoundAnswered([ToolOutput(*pair) for pair in outputs.items()]))


def cancelling() -> Event:
    """Somebody cancels the run."""
    return lifecycle.event(lifecycle.RunCancelling())


def event(name: str, **fields: Any) -> Event:
    """One event of an upstream; ``response.`` is put before its name."""
    kind = name if name == "error" else f"response.{name}"
    return decode(json.dumps({"type": kind, **fields}).encode())


def created(status: str | None = "in_progress") -> Event:
    """A response begins."""
    return event("created", response={"id": "resp_1", "status": status})


def completed(*output: dict[str, Any]) -> Event:
    """A response ends well."""
    return event("completed", response={"status": "completed", "output": list(output)})


def added(index: int, **item: Any) -> Event:
    """An output item begins."""
    return event("output_item.added", output_index=index, item=item)


def done(index: int, **item: Any) -> Event:
    """An output item ends."""
    return event("output_item.done", output_index=index, item=item)


def text(index: int, delta: str, part: int = 0) -> Event:
    """A piece of text."""
    return event("output_text.delta", output_index=index, content_index=part, delta=delta)


def refusal(index: int, delta: str, part: int = 0) -> Event:
    """A piece of a refusal."""
    return event("refusal.delta", output_index=index, content_index=part, delta=delta)


def arguments(index: int, delta: str) -> Event:
    """A piece of a function's arguments."""
    return event("function_call_arguments.delta", output_index=index, delta=delta)


def annotated(index: int, number: int, note: dict[str, Any], part: int = 0) -> Event:
    """An annotation of a text."""
    return event(
        "output_text.annotation.added",
        output_index=index,
        content_index=part,
        annotation_index=number,
        annotation=note,
    )


def output_text(value: str, *notes: dict[str, Any]) -> dict[str, Any]:
    """A text part of a message item."""
    return {"type": "output_text", "text": value, "annotations": list(notes)}


def spoken(*parts: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    """A message item."""
    content = list(parts)
    return {
        "type": "message",
        "id": "msg_upstream",
        "role": "assistant",
        "status": status,
        "content": content,
    }


def called(call_id: str, name: str, written: str) -> dict[str, Any]:
    """A function call item."""
    return {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "call_id": call_id,
        "name": name,
        "arguments": written,
    }


def said(index: int, *pieces: str) -> Log:
    """A whole streamed message."""
    place = {"output_index": index, "content_index": 0}
    return [
        added(index, type="message", id=f"msg_{index}", role="assistant", content=[]),
        event("content_part.added", **place, part=output_text("")),
        *(text(index, piece) for piece in pieces),
        done(index, **spoken(output_text("".join(pieces))) | {"id": f"msg_{index}"}),
    ]


def calls(index: int, call_id: str, name: str, *pieces: str) -> Log:
    """A whole streamed function call."""
    whole = called(call_id, name, "".join(pieces))
    return [
        added(index, **whole | {"arguments": ""}),
        *(arguments(index, piece) for piece in pieces),
        done(index, **whole),
    ]


def whole(*events: Event | Log, end: Event | None = None, **changes: Any) -> Log:
    """A log from its head to its end."""
    flat = [e for entry in events for e in (entry if isinstance(entry, list) else [entry])]
    return [head(**changes), *flat, end or ended()]


def recorded(path: Path) -> Log:
    """The events of a recorded stream."""
    frames = path.read_text("utf-8").replace("\r\n", "\n").split("\n\n")
    lines = (line for frame in frames for line in frame.split("\n") if line.startswith("data: {"))
    return [decode(line.removeprefix("data: ").encode()) for line in lines]


def decode_item(raw: bytes) -> Any:
    """An item that was left encoded."""
    return json.loads(bytes(raw))


CITATION = {"type": "file_citation", "file_id": "file-1", "filename": "a.pdf", "index": 5}
CONTAINER = {
    "type": "container_file_citation",
    "container_id": "cntr_1",
    "file_id": "cfile_1",
    "filename": "plot.png",
    "start_index": 2,
    "end_index": 9,
}
URL = {"type": "url_citation", "url": "https://x.example", "title": "x", "start_index": 0}

_ROUND = [
    created(),
    *calls(0, "call_a", "weather", '{"city":', '"Oslo"}'),
    *calls(1, "call_b", "weather", '{"city":"Rome"}'),
    completed(),
    answered(call_a="cold", call_b="warm"),
]
_WEB = {"type": "web_search_call", "id": "ws_1", "action": {"type": "search", "query": "q"}}
_CODE = {
    "type": "code_interpreter_call",
    "id": "ci_1",
    "code": "print(1)",
    "outputs": [{"type": "logs", "logs": "1\n"}, {"type": "image", "url": "https://x/1.png"}],
}
_FILES = {
    "type": "file_search_call",
    "id": "fs_1",
    "queries": ["q"],
    "results": [{"file_id": "file-1", "filename": "a.pdf", "score": 0.5, "text": "found"}],
}
_MCP = {
    "type": "mcp_call",
    "id": "mcp_1",
    "server_label": "crm",
    "name": "find",
    "arguments": '{"q":"x"}',
    "output": "ok",
}
_REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
_OPEN = [created(), *said(0, "It ", "is ")[:-1]]
_REFUSED = {"type": "refusal", "refusal": "I can't."}

LOGS: dict[str, Log] = {
    "text": whole(created(), said(0, "It ", "is ", "fine."), completed()),
    "background": whole(
        created("queued"), event("queued", response={"status": "queued"}), created(), said(0, "Hi")
    ),
    "reasoning first": whole(
        created(), added(0, **_REASONING), done(0, **_REASONING), said(1, "Hm."), completed()
    ),
    "refusal": whole(
        created(), refusal(0, "I "), refusal(0, "can't."), done(0, **spoken(_REFUSED)), completed()
    ),
    "text after refusal": whole(
        created(),
        refusal(0, "I can't."),
        text(0, "But ", 1),
        text(0, "this.", 1),
        done(0, **spoken(_REFUSED, output_text("But this."))),
        completed(),
    ),
    "parallel tools": whole(_ROUND, created(), said(0, "Cold and ", "warm."), completed()),
    "several rounds": whole(
        created(),
        said(0, "Let me see."),
        calls(1, "call_a", "weather", "{}"),
        completed(),
        answered(call_a="cold"),
        _ROUND,
        created(),
        said(0, "Done."),
        completed(),
    ),
    "code interpreter": whole(
        created(),
        added(0, type="code_interpreter_call", id="ci_1", status="in_progress"),
        event("code_interpreter_call_code.delta", output_index=0, delta="print"),
        event("code_interpreter_call_code.delta", output_index=0, delta="(1)"),
        done(0, **_CODE),
        said(1, "It printed 1."),
        completed(),
    ),
    "file search": whole(
        created(),
        added(0, type="file_search_call", id="fs_1", results=None),
        done(0, **_FILES),
        text(1, "See "),
        annotated(1, 1, URL),
        annotated(1, 2, CONTAINER),
        annotated(1, 0, CITATION),
        annotated(1, 0, CITATION),
        text(1, "there."),
        done(1, **spoken(output_text("See there.", CITATION, URL, CONTAINER))),
        completed(),
    ),
    "web search": whole(
        created(), added(0, type="web_search_call", id="ws_1"), done(0, **_WEB), said(1, "Found.")
    ),
    "mcp": whole(created(), added(0, **_MCP | {"output": None}), done(0, **_MCP), completed()),
    "failed tool": whole(created(), done(0, **_MCP | {"status": "failed"}), completed()),
    "custom tool": whole(
        created(),
        added(0, type="custom_tool_call", id="ctc_1", call_id="call_c", name="shout", input=""),
        event("custom_tool_call_input.delta", output_index=0, delta="HEY"),
        done(0, type="custom_tool_call", id="ctc_1", call_id="call_c", name="shout", input="HEY"),
        completed(),
    ),
    "too long": whole(
        _OPEN,
        done(0, **spoken(output_text("It is "), status="incomplete")),
        event("incomplete", response={"status": "incomplete", "output": []}),
        end=ended("incomplete", reason="max_output_tokens"),
    ),
    "filtered": whole(_OPEN, end=ended("incomplete", reason="content_filter")),
    "failed": whole(
        _OPEN,
        event("failed", response={"error": {"code": "x", "message": "secret words"}}),
        end=ended("failed", code="invalid_prompt", message="It broke."),
    ),
    "failed at once": whole(end=ended("failed", code="rate_limit_exceeded", message="Busy.")),
    "error event": whole(
        _OPEN,
        event("error", message="secret words"),
        end=ended("failed", code="server_error", message="It broke."),
    ),
    "cancelled": whole(_OPEN, cancelling(), text(0, "more"), end=ended("cancelled")),
    "cancelled in a call": whole(_ROUND[:3], end=ended("cancelled")),
    "expired": whole(_OPEN, end=ended("expired")),
    "unstreamed": whole(
        created(),
        done(0, **spoken(output_text("One.", CITATION), output_text("Two."))),
        done(1, **called("call_a", "weather", "{}")),
        completed(),
        answered(call_a="cold"),
        created(),
        done(0, **spoken(output_text("Three."))),
        completed(),
    ),
    "only the whole": whole(completed(spoken(output_text("Whole.")), called("c", "f", "{}"))),
    "only deltas": whole(text(0, "a"), text(0, ""), text(0, "b"), completed()),
    "no parts": whole(created(), added(0, type="message"), done(0, **spoken()), completed()),
    "empty part": whole(created(), done(0, **spoken(output_text(""))), completed()),
    "one index for all": whole(
        created(),
        calls(0, "call_a", "weather", "{}"),
        calls(0, "call_b", "weather", "{}"),
        said(0, "a"),
        said(0, "b"),
        completed(),
        answered(call_b="warm", call_a="cold"),
    ),
    "repeated": whole(
        created(),
        created(),
        said(0, "once")[0],
        said(0, "once"),
        done(0, **spoken(output_text("once")) | {"id": "msg_0"}),
        calls(1, "call_a", "f", "{}")[0],
        calls(1, "call_a", "f", "{}"),
        arguments(1, "late"),
        done(1, **called("call_a", "f", "{}")),
        completed(spoken(output_text("once")), called("call_a", "f", "{}")),
    ),
    "one id for all": whole(
        created(),
        added(0, type="message", id="msg"),
        added(1, type="message", id="msg"),
        text(0, "a"),
        text(1, "b"),
        done(1, **spoken(output_text("b")) | {"id": "msg"}),
        done(0, **spoken(output_text("a")) | {"id": "msg"}),
        completed(),
    ),
    "no ids": whole(
        created(),
        text(0, "a"),
        done(1, **spoken(output_text("b")) | {"id": None}),
        done(0, **spoken(output_text("a")) | {"id": None}),
        completed(),
    ),
    "late name": whole(
        created(),
        added(0, type="function_call", id="fc_call_a"),
        done(0, **called("call_a", "weather", "{}")),
        completed(),
        answered(call_a="cold"),
    ),
    "never done": whole(
        created(),
        text(0, "Let me see."),
        added(1, **_MCP | {"output": None}),
        calls(2, "call_a", "weather", "{}"),
        completed(),
        answered(call_a="cold"),
    ),
    "forgotten annotation": whole(
        created(),
        text(0, "See."),
        annotated(0, 0, CITATION),
        done(0, **spoken(output_text("See.", CONTAINER))),
        completed(),
    ),
    "gaps between parts": whole(created(), text(0, "b", 3), text(0, "a", 1), completed()),
    "strangers": whole(
        created(),
        event("unheard_of.delta", delta=1),
        event("output_text.delta", output_index="x", delta=1),
        added(0, type="mcp_approval_request", id="a"),
        done(0, type="mcp_list_tools", id="b"),
        event("content_part.added", output_index=0, content_index=0, part={}),
        arguments(7, "{}"),
        annotated(1, 0, {"type": "file_citation"}),
        done(1, type="message", content=[None, 3, {"type": "new"}, {"text": 1}]),
        done(2, type="file_search_call", results=[{"score": "x"}, None]),
        completed(),
    ),
}


def exposed(log: Log) -> Log:
    """The same log of a tenant that shows what goes through tools."""
    return [head(expose_tool_calls=True), *log[1:]]


def feed_one_by_one(feed: Callable[[int, Log], Any], log: Log) -> list[Any]:
    """Feed a log event by event, a quarter of a second apart."""
    return [feed(START_MS + 250 * n, [entry]) for n, entry in enumerate(log)]
