"""Prometheus metrics. Every label's values are a fixed set; what is not in it counts as ``other``.

A tenant is no label: their number has no bound. The log's canonical line says which tenant.
"""

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase

from gateway.runs.lifecycle import RunEnded

SURFACES = ("json", "sse", "websocket")
OUTCOMES = ("completed", "incomplete", "failed", "cancelled", "expired")
TOOL_OUTCOMES = ("answered", "failed")
UPSTREAM_OUTCOMES = (
    "answered",
    "rate_limited",
    "quota_spent",
    "rejected",
    "unauthorized",
    "unavailable",
    "timed_out",
    "broken",
)
LOAD_OUTCOMES = ("loaded", "copied", "rejected", "removed", "forgotten")
OTHER = "other"

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

Metric = TypeVar("Metric", bound=MetricWrapperBase)


class Labelled(Generic[Metric]):
    """A metric's children by their labels' values, made once.

    Args:
        metric: with as many labels as there are sets.
        allowed: the values that each label may have beside ``other``.
    """

    def __init__(self, metric: Metric, *allowed: tuple[str, ...]) -> None:
        self._allowed = allowed
        self._children = {
            values: metric.labels(*values)
            for values in itertools.product(*((*values, OTHER) for values in allowed))
        }

    def __call__(self, *values: str) -> Metric:
        """The child of these values."""
        child = self._children.get(values)
        return child if child is not None else self._children[self._folded(values)]

    def _folded(self, values: tuple[str, ...]) -> tuple[str, ...]:
        pairs = zip(values, self._allowed, strict=True)
        return tuple(value if value in allowed else OTHER for value, allowed in pairs)


class Metrics:
    """The process's metrics, in a registry of their own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # not annotated; else each counter has a second series
        self._registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"agw_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"agw_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str) -> Histogram:
            return Histogram(f"agw_{name}", text, buckets=_SECONDS, registry=registry)

        self._turns = Labelled(
            counter("turns_total", "Turns that ended.", "surface", "outcome"), SURFACES, OUTCOMES
        )
        self._turn_seconds = histogram("turn_seconds", "From a turn's admission to its end.")
        self._first_token_seconds = histogram(
            "time_to_first_token_seconds", "From admission to the first text."
        )
        tokens = Labelled(
            counter("tokens_total", "Tokens that upstreams counted.", "kind"),
            ("prompt", "completion"),
        )
        self._prompt_tokens, self._completion_tokens = tokens("prompt"), tokens("completion")
        self._tool_calls = Labelled(
            counter("tool_calls_total", "Functions that were run.", "outcome"), TOOL_OUTCOMES
        )
        self._tool_worker_deaths = counter(
            "tool_worker_deaths_total", "Workers of functions that ended unasked."
        )
        self._upstream_requests = Labelled(
            counter("upstream_requests_total", "Calls of models.", "outcome"), UPSTREAM_OUTCOMES
        )
        self._upstream_retries = counter("upstream_retries_total", "Calls that were tried again.")
        self._open_streams = Labelled(
            gauge("open_streams", "Streams that are open now.", "surface"), SURFACES
        )
        self._runs_active = gauge("runs_active", "Runs that work now.")
        self._detached = counter("clients_detached_total", "Clients that did not read.")
        self._tenant_loads = Labelled(
            counter("tenant_loads_total", "Revisions of tenants that were read.", "outcome"),
            LOAD_OUTCOMES,
        )
        self._tenants_loaded = gauge("tenants_loaded", "Tenants in memory.")
        self._registry_stale = gauge(
            "registry_stale_seconds", "For how long changes of tenants could not be seen; 0: seen."
        )
        self._store_healthy = gauge("store_healthy", "Whether the store can take work: 1 or 0.")

    def turn_ended(self, surface: str, ending: RunEnded) -> None:
        """A turn ended, stored or not."""
        self._turns(surface, ending.status).inc()
        self._turn_seconds.observe(ending.elapsed_ms / 1000)
        if ending.first_token_ms is not None:
            self._first_token_seconds.observe(ending.first_token_ms / 1000)
        self._prompt_tokens.inc(ending.usage.prompt_tokens)
        self._completion_tokens.inc(ending.usage.completion_tokens)

    def tool_called(self, *, failed: bool) -> None:
        """A function was run."""
        self._tool_calls("failed" if failed else "answered").inc()

    def tool_worker_died(self) -> None:
        """A worker of functions ended unasked, or could not be started."""
        self._tool_worker_deaths.inc()

    def upstream_called(self, outcome: str) -> None:
        """A call of a model was ``answered``, or failed for a value of ``engines.errors.Cause``."""
        self._upstream_requests(outcome).inc()

    def upstream_retried(self) -> None:
        """A call of a model is tried again."""
        self._upstream_retries.inc()

    def streaming(self, surface: str) -> AbstractContextManager[object]:
        """A stream is open while this is entered."""
        return self._open_streams(surface).track_inprogress()

    def watch_runs(self, count: Callable[[], int]) -> None:
        """Ask ``count`` at each scrape how many runs work now."""
        self._runs_active.set_function(count)

    def client_detached(self) -> None:
        """A client that did not read was detached."""
        self._detached.inc()

    def tenant_loaded(self, outcome: str) -> None:
        """What became of a tenant's revision; see ``tenants.registry.outcomes.Outcome``."""
        self._tenant_loads(outcome).inc()

    def watch_tenants(self, count: Callable[[], int], stale_seconds: Callable[[], float]) -> None:
        """Ask at each scrape how many tenants are in memory, and for how long they are stale."""
        self._tenants_loaded.set_function(count)
        self._registry_stale.set_function(stale_seconds)

    def watch_store(self, healthy: Callable[[], bool]) -> None:
        """Ask ``healthy`` at each scrape whether the store can take work."""
        self._store_healthy.set_function(healthy)

    def render(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)
