"""Batches: a short computation runs at once, a longer one in a thread, for all waiting requests together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from gatewise.http.columns import joined, longest_list, pieces
from gatewise.http.engine import Engine
from gatewise.http.errors import RequestError
from gatewise.http.limits import Limits
from gatewise.http.metrics import Metrics

Arrays = Mapping[str, np.ndarray]

SOON = 0.002
"""Longest computation, in seconds, that runs at once: other requests wait meanwhile, but a thread would cost more."""
FEW = 64
"""A batch of fewer rows takes about as long as a batch of this size."""
PLACES = 250_000
"""Most rows times longest list in one run of the model, so that long lists take time and not memory."""
RISE = 1.2


@dataclass
class _Waiting:
    inputs: Arrays
    rows: int
    longest: int
    outputs: asyncio.Future[Arrays]


class Batcher:
    """Runs an engine on batches of requests.

    A short computation runs at once, a longer one in a thread, so that other requests are read meanwhile. No request
    waits for a batch to fill: the requests that arrived during one batch are the next batch.

    Args:
        engine: computes the outputs.
        limits: how many rows a batch has, how many requests wait, and for how long.
        pool: of threads.
        metrics: record the sizes of batches.
    """

    def __init__(self, engine: Engine, limits: Limits, pool: Executor, metrics: Metrics) -> None:
        self.engine, self.limits = engine, limits
        self._pool, self._metrics = pool, metrics
        self._waiting: deque[_Waiting] = deque()
        self._working: asyncio.Task[None] | None = None
        self._seconds_a_row = float("inf")

    async def run(self, inputs: Arrays, rows: int) -> Arrays:
        """Return the engine's outputs for some rows.

        Raises:
            RequestError: with 503: too many requests wait, or this request has waited too long.
        """
        longest = longest_list(inputs)
        if self._working is None and rows * self._seconds_a_row < SOON and rows * longest <= PLACES:
            self._metrics.batch(1, rows)
            return self._timed(inputs, rows)
        if len(self._waiting) >= self.limits.waiting:
            raise RequestError(f"busy: {len(self._waiting)} requests wait for this model already", 503)
        job = _Waiting(inputs, rows, longest, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        try:
            async with asyncio.timeout(self.limits.batch_seconds):
                return await job.outputs
        except TimeoutError:
            raise RequestError(f"the model gave no answer within {self.limits.batch_seconds:g} seconds", 503) from None

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._serve(self._next())
        finally:
            self._working = None

    def _next(self) -> list[_Waiting]:
        """Take the requests of the next batch, at least one, without those that have timed out."""
        batch: list[_Waiting] = []
        rows = longest = 0
        while self._waiting and (not batch or self._fits(rows, longest, self._waiting[0])):
            job = self._waiting.popleft()
            if not job.outputs.done():
                batch.append(job)
                rows, longest = rows + job.rows, max(longest, job.longest)
        return batch

    def _fits(self, rows: int, longest: int, job: _Waiting) -> bool:
        """Whether one more request fits into a batch of some rows, all padded to the longest list."""
        together = rows + job.rows
        return together <= self.limits.batch_rows and together * max(longest, job.longest) <= PLACES

    async def _serve(self, batch: list[_Waiting]) -> None:
        if not batch:
            return
        self._metrics.batch(len(batch), sum(job.rows for job in batch))
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._pool, self._compute, batch)
        except Exception as error:
            found = [error] * len(batch)
        for job, outputs in zip(batch, found, strict=True):
            if job.outputs.done():
                continue
            if isinstance(outputs, Exception):
                job.outputs.set_exception(outputs)
            else:
                job.outputs.set_result(outputs)

    def _compute(self, batch: list[_Waiting]) -> list[Arrays | Exception]:
        if len(batch) == 1:
            return [self._timed(batch[0].inputs, batch[0].rows)]
        together = {name: joined([job.inputs[name] for job in batch]) for name in self.engine.inputs}
        ends = np.cumsum([job.rows for job in batch])
        outputs = self._timed(together, int(ends[-1]))
        return [
            {name: array[end - job.rows : end] for name, array in outputs.items()}
            for job, end in zip(batch, ends, strict=True)
        ]

    def _timed(self, inputs: Arrays, rows: int) -> Arrays:
        started = time.perf_counter()
        longest = longest_list(inputs)
        if rows * longest <= PLACES:
            found = self.engine.run(inputs)
        else:
            parts = [self.engine.run(piece) for piece in pieces(inputs, rows, max(1, PLACES // longest))]
            found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        taken = (time.perf_counter() - started) / max(rows, FEW)
        # other programs may have had the processor meanwhile: the estimate rises slowly, and falls at once
        self._seconds_a_row = min(taken, RISE * self._seconds_a_row)
        return found
