"""Real streams, recorded from the model's provider, through every surface."""

import json

import aiohttp
import msgspec
import pytest

from gateway.runs.projections.frames import Frame
from tests.fakes import assistants_oracle
from tests.fakes.conversation import Talker, parse_all, text_of
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.upstream import Upstream, stream_reply, text_answer

NAMES = [
    "background_mode_streaming_starting_after_vcr.0",
    "background_mode_streaming_starting_after_vcr.1",
    "openai_responses_model_file_search_tool_stream.3",
    "openai_responses_model_web_search_tool_stream.0",
    "openai_responses_stream.0",
    "openai_responses_stream.1",
    "openai_responses_streaming_usage.0",
    "openai_responses_thinking_part_iter.0",
]
CAPITAL = '''
def get_capital(country: str) -> str:
    """The capital of a country."""
    return "Paris"

def final_result(city: str = "", country: str = "") -> str:
    """Takes the result."""
    return "taken"

TOOL_MAP = {"get_capital": get_capital, "final_result": final_result}
'''


@pytest.fixture
async def upstream():
    """An upstream that plays recordings."""
    async with Upstream(text_answer("done")) as server:
        yield server


@pytest.fixture
async def talker(tmp_path, upstream):
    """A client of a gateway before it."""
    write_tenant(tmp_path / "tenants", "acme", tools=CAPITAL)
    environ = {
        "GATEWAY_TENANTS": f"dir:{tmp_path / 'tenants'}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": "sk-x",
    }
    async with serving(environ) as gateway, aiohttp.ClientSession(gateway.url) as session:
        yield Talker(session)


def pieces(recording: bytes, size: int) -> list[bytes]:
    """The recording cut into pieces of so many bytes, in the middle of anything."""
    return [recording[at : at + size] for at in range(0, len(recording), size)]


def text_in(recording: bytes) -> str:
    """What its text deltas say."""
    datas = [json.loads(line[6:]) for line in recording.split(b"\n") if line.startswith(b"data: ")]
    return "".join(data["delta"] for data in datas if data["type"] == "response.output_text.delta")


@pytest.mark.parametrize("name", NAMES)
async def test_a_recording_reaches_every_surface_whole_and_in_order(
    talker, upstream, shared_folder, name
):
    """Cut at odd bytes, a real stream gives valid events with all its text, on each surface."""
    recording = (shared_folder / "recordings" / f"{name}.sse").read_bytes()
    upstream.script(*[stream_reply(*pieces(recording, size)) for size in (997,)])

    events = await talker.stream("go")

    frames = [Frame(event.name, msgspec.json.encode(event.object)) for event in events[:-1]]
    assistants_oracle.check([frame for frame in frames if not _passing(frame)], exact=False)
    assert events[-2].name == "thread.run.completed"
    assert text_of(events).startswith(text_in(recording))
    run_id = events[0].object["id"]
    assert parse_all(await talker.events(run_id)) == events
    assert await _over_websocket(talker, run_id) == [(e.id, e.name) for e in events]


@pytest.mark.parametrize("name", NAMES)
async def test_a_recording_is_one_json_answer(talker, upstream, shared_folder, name):
    """An upstream that streams though it was not asked to is read all the same."""
    recording = (shared_folder / "recordings" / f"{name}.sse").read_bytes()
    upstream.script(stream_reply(*pieces(recording, 1021)))

    answer = await talker.say("go")

    assert "".join(answer["responses"]).startswith(text_in(recording))
    assert answer["status"] == "completed"


async def test_a_recorded_tool_round_goes_through(talker, upstream, shared_folder):
    """The call of one recording is answered by our function, and the next one ends the run."""
    folder = shared_folder / "recordings"
    first, second = (folder / f"openai_responses_stream.{n}.sse" for n in (0, 1))
    upstream.script(
        stream_reply(*pieces(first.read_bytes(), 7)), stream_reply(*pieces(second.read_bytes(), 7))
    )

    events = await talker.stream("What is the capital of France?")

    call, output = upstream.requests[1].json["input"][-2:]
    assert json.loads(call["arguments"]) == {"country": "France"}
    assert (output["call_id"], output["output"]) == (call["call_id"], "Paris")
    assert text_of(events) == text_in(second.read_bytes())
    usage = events[-1].data["usage"]
    assert usage["total_tokens"] > 271


def _passing(frame: Frame) -> bool:
    """Whether a frame is one of those that this dialect alone repeats."""
    return frame.name == "thread.run.requires_action"


async def _over_websocket(talker, run_id):
    seen = []
    async with talker.session.ws_connect(talker.path("/ws/chat")) as socket:
        await socket.send_json({"type": "resume", "run_id": run_id})
        while not seen or seen[-1][1] != "metadata":
            frame = await socket.receive_json(timeout=5)
            seen.append((frame["id"], frame["event"]))
    return seen
