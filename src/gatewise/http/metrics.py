"""Metrics for Prometheus."""

from __future__ import annotations

import time
from typing import Any

from gatewise.errors import MissingExtraError

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
ROWS = (1, 10, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
STAGES = ("parse", "encode", "infer", "sort", "write")
"""Stages of a request: JSON to values; values to arrays; waiting for the model and its work; the order; values to
JSON."""


class Metrics:
    """Counters and histograms of one service.

    Raises:
        MissingExtraError: ``prometheus-client`` is not installed.
    """

    def __init__(self) -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
        except ImportError:
            raise MissingExtraError("serve", "gatewise serve") from None
        self.registry = CollectorRegistry()
        kept: dict[str, Any] = {"registry": self.registry}
        self._requests = Counter("gatewise_requests", "Answers by path and status.", ["path", "status"], **kept)
        self._seconds = Histogram(
            "gatewise_request_seconds", "Time from request to answer.", ["path"], buckets=SECONDS, **kept
        )
        stages = Histogram("gatewise_stage_seconds", "Where a request's time goes.", ["stage"], buckets=SECONDS, **kept)
        self._stages = {name: stages.labels(name) for name in STAGES}
        self._rows = Histogram("gatewise_batch_rows", "Rows that the model is given at once.", buckets=ROWS, **kept)
        self._batched = Counter("gatewise_batched_requests", "Requests that the model was given.", **kept)
        self._loads = Counter("gatewise_loads", "Models loaded, by how it went.", ["model", "result"], **kept)
        self._loaded = Gauge("gatewise_model_loaded_seconds", "When it was loaded.", ["model", "version"], **kept)
        self._answers = Counter("gatewise_answers", "Scored requests by the version.", ["model", "version"], **kept)
        self._disconnected = Counter("gatewise_disconnects", "Clients gone before their body was read.", **kept)
        self.in_flight = Gauge("gatewise_requests_in_flight", "Requests being answered.", **kept)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(path, status).inc()
        self._seconds.labels(path).observe(seconds)

    def scored(self, model: str, version: str) -> None:
        """Count a request that a version of a model has answered."""
        self._answers.labels(model, version).inc()

    def disconnected(self) -> None:
        """Count a client that has disconnected."""
        self._disconnected.inc()

    def batch(self, requests: int, rows: int) -> None:
        """Count a batch."""
        self._batched.inc(requests)
        self._rows.observe(rows)

    def load(self, model: str, *, failed: bool) -> None:
        """Count a model's loading, done or failed."""
        self._loads.labels(model, "failed" if failed else "loaded").inc()

    def serves(self, model: str, version: str, loaded: float | None) -> None:
        """Record since when a version is served; None: no longer."""
        if loaded is not None:
            self._loaded.labels(model, version).set(loaded)
        elif (model, version) in self._loaded._metrics:
            self._loaded.remove(model, version)

    def laps(self) -> Laps:
        """Return a stopwatch for one request."""
        return Laps(self._stages)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)


class Laps:
    """Times the stages of one request, each from the end of the stage before."""

    def __init__(self, stages: dict[str, Any]) -> None:
        self._stages, self._last = stages, time.perf_counter()

    def end(self, stage: str) -> None:
        """Record the end of a stage."""
        now = time.perf_counter()
        self._stages[stage].observe(now - self._last)
        self._last = now
