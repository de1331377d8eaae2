"""A run's log gives every reader the same, whenever it comes and wherever the log is read from."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.engines.events import Event
from gateway.runs.log import Batch, Reader, RunLog
from tests.fakes.run_logs import LOGS, START_MS

_logs = st.sampled_from(sorted(LOGS)).map(LOGS.__getitem__)


def read(batches):
    """What batches hold, in a form that can be compared."""
    return [(at, [(event.type, event.raw) for event in events]) for at, events in batches]


def cut(log, sizes):
    """A log's events in batches of these sizes; what is left is one more."""
    events = list(log)
    batches = []
    for size in [*sizes, len(events)]:
        if events:
            batches.append((START_MS + len(batches), events[:size]))
            del events[:size]
    return batches


@given(_logs, st.lists(st.integers(1, 4), max_size=12), st.data())
def test_readers_get_the_same_whenever_they_come(events, sizes, data):
    """Early, late and slow ones are given every batch once, in its order, with its time."""
    log, batches = RunLog(), cut(events, sizes)
    given_to = []
    readers = []
    for batch in batches:
        readers.append(Reader(log))
        given_to.append([])
        log.append(*batch)
        for reader, given_ in zip(readers, given_to, strict=True):
            if data.draw(st.booleans()):
                given_.extend(read(reader.take()))

    for reader, given_ in zip(readers, given_to, strict=True):
        assert given_ + read(reader.take()) == read(batches)
        assert list(reader.take()) == []
    assert log.count == len(events)


@given(_logs, st.lists(st.integers(1, 4), max_size=12))
def test_a_stored_log_is_the_log(events, sizes):
    """What is stored, with the end that is not told yet, is read again as it was."""
    log, batches = RunLog(), cut(events, sizes)
    for batch in batches[:-1]:
        log.append(*batch)
    *_, last = batches

    again = RunLog(log.encoded(Batch(*last)))

    assert again.closed
    assert read(again.since(0)) == read(batches)
    assert again.encoded() == log.encoded(Batch(*last))


def test_old_events_are_kept_as_they_are_stored():
    """A long log holds its events' bytes, and hardly anything around them."""
    log = RunLog()
    for number in range(100):
        log.append(number, [Event("x", b'{"type":"x","delta":"%d"}' % number)])

    decoded = log.since(0)

    assert next(decoded).events[0] is not next(log.since(0)).events[0]
    assert next(log.since(99)).events[0] is next(log.since(99)).events[0]
