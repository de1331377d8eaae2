"""What a streamed event costs between the log and a client's bytes, in microseconds."""

import json
import time
from collections.abc import Callable

from gateway.engines.events import Event, decode
from gateway.runs import lifecycle
from gateway.runs.lifecycle import RunCreated, RunEnded
from gateway.runs.projections import conversation_sse, conversation_ws
from gateway.runs.projections.conversation import ConversationProjection, Numbered

DELTAS = 100_000
BURST = 108


def main() -> None:
    """Print a line for each surface and each way in which events come."""
    log = _log()
    print(f"{'surface':12}{'events a batch':>16}{'us an event':>14}")
    for size in (1, BURST):
        for name, encode in _SURFACES.items():
            print(f"{name:12}{size:>16}{_measure(log, size, encode):>14.2f}")


def _measure(log: list[Event], size: int, encode: Callable[[Numbered], object]) -> float:
    projection = ConversationProjection()
    batches = [log[at : at + size] for at in range(0, len(log), size)]
    began = time.process_time()
    for batch in batches:
        encode(projection.feed(1_700_000_000_000, batch))
    return (time.process_time() - began) / len(log) * 1e6


_SURFACES: dict[str, Callable[[Numbered], object]] = {
    "frames": len,
    "SSE": lambda numbered: conversation_sse.encode("run_1", numbered, 0, 5000),
    "WebSocket": lambda numbered: conversation_ws.encode("run_1", numbered, 0),
}


def _log() -> list[Event]:
    head = RunCreated("run_1", "thread_1", "asst_1", "gpt-6-luna", "corr-1", 1_700_000_000)
    place = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0}
    delta = json.dumps({**place, "delta": "word ", "logprobs": [], "obfuscation": "xxxx"}).encode()
    end = lifecycle.event(RunEnded("completed"))
    return [lifecycle.event(head), *(decode(delta) for _ in range(DELTAS)), end]


if __name__ == "__main__":
    main()
