"""An ended run as something to follow: its log read back, or made again from what is left."""

from collections.abc import Sequence

import msgspec

from gateway.engines.events import decode
from gateway.runs.lifecycle import RunCreated, RunEnded
from gateway.runs.log import Batch, RunLog
from gateway.store.model import Item, Run

_created = msgspec.json.Decoder(RunCreated)
_ended = msgspec.json.Decoder(RunEnded)


def head_of(run: Run) -> RunCreated:
    """The head that a run was stored with."""
    return _created.decode(run.head)


def ending_of(run: Run) -> RunEnded | None:
    """How it ended, or None while it works."""
    return None if run.ending is None else _ended.decode(run.ending)


def outline(run: Run, items: Sequence[Item]) -> RunLog:
    """A closed log of a run's head, the messages it added, and its end."""
    messages = [item for item in items if item.type == "message" and item.role == "assistant"]
    batches = [_batch(run.created_at, run.head)]
    batches += [
        _batch(item.created_at, _item_done(index, item)) for index, item in enumerate(messages)
    ]
    if run.ending is not None:
        batches.append(_batch(run.ended_at or run.created_at, run.ending))
    return _closed(batches)


def _item_done(index: int, item: Item) -> bytes:
    return msgspec.json.encode(
        {
            "type": "response.output_item.done",
            "output_index": index,
            "item": msgspec.Raw(item.payload),
        }
    )


def _batch(at: int, raw: bytes) -> Batch:
    return Batch(at * 1000, [decode(raw)])


def _closed(batches: Sequence[Batch]) -> RunLog:
    log = RunLog()
    for batch in batches:
        log.append(*batch)
    log.close()
    return log
