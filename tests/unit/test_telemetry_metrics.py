"""What the metrics count, and that their size has a bound."""

import contextlib

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.engines.errors import Cause
from gateway.runs.lifecycle import RunEnded, Usage
from gateway.store.model import TERMINAL
from gateway.telemetry.metrics import OUTCOMES, UPSTREAM_OUTCOMES, Metrics


def value(metrics, name, **labels):
    """One sample of what /metrics would answer."""
    families = text_string_to_metric_families(metrics.render().decode())
    found = {
        sample.name: sample.value
        for family in families
        for sample in family.samples
        if sample.labels == labels
    }
    return found[name]


@pytest.fixture
def metrics():
    """Fresh metrics."""
    return Metrics()


def test_a_turn_is_counted_with_its_tokens_and_times(metrics):
    """One turn moves the counts of its surface, its times and its tokens."""
    ending = RunEnded("completed", Usage(10, 20, 30), elapsed_ms=1500, first_token_ms=200)

    metrics.turn_ended("sse", ending)

    assert value(metrics, "agw_turns_total", surface="sse", outcome="completed") == 1
    assert value(metrics, "agw_turn_seconds_sum") == 1.5
    assert value(metrics, "agw_time_to_first_token_seconds_sum") == 0.2
    assert value(metrics, "agw_tokens_total", kind="prompt") == 10
    assert value(metrics, "agw_tokens_total", kind="completion") == 20


def test_a_turn_without_text_has_no_first_token(metrics):
    """A turn that said nothing does not count as one whose first token came at once."""
    metrics.turn_ended("json", RunEnded("failed"))

    assert value(metrics, "agw_time_to_first_token_seconds_count") == 0


def test_unknown_values_do_not_make_new_series(metrics):
    """Whatever a label is given, the number of series stays the same."""
    size = len(metrics.render().splitlines())

    for n in range(100):
        metrics.turn_ended(f"surface-{n}", RunEnded(f"status-{n}"))
        metrics.tenant_loaded(f"tenant-{n}")

    assert len(metrics.render().splitlines()) == size
    assert value(metrics, "agw_turns_total", surface="other", outcome="other") == 100


def test_half_known_labels_keep_the_known_half(metrics):
    """An unknown surface does not hide the outcome."""
    metrics.turn_ended("carrier-pigeon", RunEnded("failed"))

    assert value(metrics, "agw_turns_total", surface="other", outcome="failed") == 1


def test_open_streams_are_counted_while_they_are_open(metrics):
    """A stream that ends, well or not, is no longer counted."""
    with contextlib.suppress(ConnectionError), metrics.streaming("websocket"):
        during = value(metrics, "agw_open_streams", surface="websocket")
        raise ConnectionError

    assert (during, value(metrics, "agw_open_streams", surface="websocket")) == (1, 0)


def test_watched_figures_are_asked_for_at_each_scrape(metrics):
    """Gauges of the store and the registry say how things are, not how they were."""
    names = ("agw_store_healthy", "agw_tenants_loaded", "agw_registry_stale_seconds")
    state = {"healthy": True, "tenants": 3, "stale": 0}
    metrics.watch_store(lambda: state["healthy"])
    metrics.watch_tenants(lambda: state["tenants"], lambda: state["stale"])

    before = [value(metrics, name) for name in names]
    state.update(healthy=False, tenants=4, stale=7)

    assert before == [1, 3, 0]
    assert [value(metrics, name) for name in names] == [0, 4, 7]


def test_the_other_counts_move(metrics):
    """Tools, upstream calls, retries, detached clients and active runs are counted."""
    metrics.tool_called(failed=True)
    metrics.upstream_called("rate_limited")
    metrics.upstream_retried()
    metrics.client_detached()
    metrics.watch_runs(lambda: 7)

    assert value(metrics, "agw_tool_calls_total", outcome="failed") == 1
    assert value(metrics, "agw_upstream_requests_total", outcome="rate_limited") == 1
    assert value(metrics, "agw_upstream_retries_total") == 1
    assert value(metrics, "agw_clients_detached_total") == 1
    assert value(metrics, "agw_runs_active") == 7


def test_the_labels_know_every_outcome():
    """A new cause or status of a run gets a label of its own instead of vanishing in `other`."""
    assert set(UPSTREAM_OUTCOMES) == {"answered"} | {cause.value for cause in Cause}
    assert set(OUTCOMES) == TERMINAL


def test_processes_share_nothing():
    """Two sets of metrics in one process do not count each other's turns."""
    first, second = Metrics(), Metrics()

    first.client_detached()

    assert value(second, "agw_clients_detached_total") == 0
