"""What ``/metrics`` tells Prometheus, of the service and of the connection to TWS, from a registry of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from .._runtime._session import Stats

__all__ = ["CONTENT_TYPE", "HasStats", "Metrics"]

CONTENT_TYPE = CONTENT_TYPE_LATEST

_PREFIX = "trio_ibtws_graphql"
_SECONDS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0)


class HasStats(Protocol):
    """What is asked of the client."""

    def stats(self) -> Stats:
        """Return the connection's counters."""
        ...


class Metrics:
    """The counters of one app."""

    def __init__(self, client: HasStats) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Tws(client))
        self.operations: Counter = Counter(
            f"{_PREFIX}_operations", "Operations by kind and outcome.", ["kind", "outcome"], registry=self._registry
        )
        self.seconds: Histogram = Histogram(
            f"{_PREFIX}_operation_seconds",
            "How long queries and mutations took.",
            ["kind"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.responses: Counter = Counter(
            f"{_PREFIX}_responses", "Answers over HTTP.", ["status"], registry=self._registry
        )
        self.refused: Counter = Counter(
            f"{_PREFIX}_refused", "Requests that were not executed, by error code.", ["code"], registry=self._registry
        )
        self.events: Counter = Counter(f"{_PREFIX}_events", "Events sent to subscribers.", registry=self._registry)
        self.sockets: Gauge = Gauge(f"{_PREFIX}_sockets", "Open websockets and event streams.", registry=self._registry)
        self.subscriptions: Gauge = Gauge(f"{_PREFIX}_subscriptions", "Open subscriptions.", registry=self._registry)

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Measure how long a block takes, however it ends."""
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds.labels(kind).observe(perf_counter() - began)

    def text(self) -> bytes:
        """Return all of it in Prometheus's text format."""
        return generate_latest(self._registry)


class _Tws(Collector):
    """The connection's own counters, read when they are asked for."""

    def __init__(self, client: HasStats) -> None:
        self._client = client

    def describe(self) -> Iterable[Metric]:
        """Return nothing: what there is is asked of the client each time."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Return the counters as they are now."""
        stats = self._client.stats()
        for name in Stats.__struct_fields__:
            kind = GaugeMetricFamily if name in _NOW else CounterMetricFamily
            about = f"The connection to TWS: {name.replace('_', ' ')}."
            yield kind(f"trio_ibtws_{name}", about, value=getattr(stats, name))


_NOW = frozenset({"open_requests", "unsent_frames"})
"""The counters that also go down."""
