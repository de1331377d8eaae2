"""Streams as OpenAI's SDK reads them, over HTTP."""

import asyncio

import pytest
from openai import AsyncAssistantEventHandler, AsyncOpenAI

from gateway.runs.projections.assistants import AssistantsProjection
from gateway.runs.projections.dialect import API, CONVERSATION
from tests.fakes.run_logs import LOGS, START_MS, exposed, recorded, whole
from tests.fakes.upstream import Upstream, stream_reply

pytestmark = pytest.mark.filterwarnings("ignore:The Assistants API is deprecated")


class Listener(AsyncAssistantEventHandler):
    """Keeps what the SDK tells."""

    def __init__(self):
        super().__init__()
        self.texts, self.messages, self.steps = [], [], []

    async def on_text_delta(self, delta, _snapshot):
        """Keep a piece of text."""
        self.texts.append(delta.value)

    async def on_message_done(self, message):
        """Keep a message's last word."""
        self.messages.append(message)

    async def on_run_step_done(self, run_step):
        """Keep a step's last word."""
        self.steps.append(run_step)


async def listen(frames):
    """Send frames as the API does and let the SDK read them."""
    events = [b"event: %b\ndata: %b\n\n" % (frame.name.encode(), frame.data) for frame in frames]
    reply = stream_reply(*events, b"event: done\ndata: [DONE]\n\n")
    listener = Listener()
    async with Upstream(reply) as server:
        client = AsyncOpenAI(api_key="x", base_url=server.base_url, max_retries=0)
        async with (
            client,
            client.beta.threads.runs.stream(
                thread_id="thread_1", assistant_id="asst_1", event_handler=listener
            ) as stream,
        ):
            await stream.until_done()
            return listener, await stream.get_final_run()


@pytest.mark.parametrize("dialect", [CONVERSATION, API])
@pytest.mark.parametrize("name", LOGS)
async def test_the_sdk_reads_every_stream_to_its_end(name, dialect):
    """The SDK's event handler takes each stream without complaint and adds it up rightly."""
    frames = AssistantsProjection(dialect).feed(START_MS, exposed(LOGS[name]))

    listener, run = await listen(frames)

    assert f"thread.run.{run.status}" == frames[-1].name
    ends = ("completed", "incomplete", "failed", "cancelled", "expired")
    for kind, things in (("message", listener.messages), ("run.step", listener.steps)):
        names = {f"thread.{kind}.{end}" for end in ends}
        assert len(things) == sum(frame.name in names for frame in frames)
    told = [
        block.text.value for m in listener.messages for block in m.content if block.type == "text"
    ]
    assert sorted("".join(listener.texts)) == sorted("".join(told))


async def test_the_sdk_adds_arguments_and_outputs_up():
    """What the SDK collected from deltas is what the step says at its end."""
    frames = AssistantsProjection(API).feed(START_MS, LOGS["parallel tools"])

    listener, _ = await listen(frames)

    functions = [call.function for call in listener.steps[0].step_details.tool_calls]
    assert [(f.arguments, f.output) for f in functions] == [
        ('{"city":"Oslo"}', "cold"),
        ('{"city":"Rome"}', "warm"),
    ]


async def test_the_sdk_reads_recordings(shared_folder):
    """Every recorded stream reaches the SDK's event handler whole."""
    paths = sorted((shared_folder / "recordings").glob("*.sse"))

    frames = [AssistantsProjection(API).feed(START_MS, whole(recorded(path))) for path in paths]
    read = await asyncio.gather(*map(listen, frames))

    assert paths
    assert {run.status for _, run in read} == {"completed"}
