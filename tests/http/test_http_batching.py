"""What waits is computed together, each request gets its own rows, and no request waits for ever."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gatewise.http.batching import FEW, Batcher
from gatewise.http.errors import RequestError
from gatewise.http.limits import Limits
from gatewise.http.metrics import Metrics


class Doubling:
    """An engine that takes its time by the row, and remembers what it was given."""

    inputs, outputs = ("ids", "tags"), ("twice", "length")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.batches: list[int] = []
        self.threads: list[int] = []

    def run(self, inputs):
        time.sleep(self.seconds)
        self.batches.append(len(inputs["ids"]))
        self.threads.append(threading.get_ident())
        return {"twice": 2 * inputs["ids"][:, 0], "length": (inputs["tags"] >= 0).sum(axis=1)}


def rows(start: int, count: int, length: int) -> dict[str, np.ndarray]:
    return {"ids": np.arange(start, start + count)[:, np.newaxis], "tags": np.full((count, length), 7)}


def run(engine: Doubling, limits: Limits, work):
    async def main():
        with ThreadPoolExecutor(2) as pool:
            return await work(Batcher(engine, limits, pool, Metrics()))

    return asyncio.run(main())


def test_requests_that_come_while_it_computes_make_the_next_batch():
    engine = Doubling(0.1)

    async def work(batcher: Batcher):
        asked = [batcher.run(rows(10 * place, 1 + place, place % 3), 1 + place) for place in range(6)]
        return await asyncio.gather(*asked)

    answers = run(engine, Limits(batch_rows=12), work)
    for place, answer in enumerate(answers):
        assert answer["twice"].tolist() == [2 * (10 * place + row) for row in range(1 + place)]
        assert answer["length"].tolist() == [place % 3] * (1 + place)
    # 1 + 2 + 3 + 4 rows are 10, with the next 15: more than a batch
    assert engine.batches == [10, 11]


def test_what_is_soon_done_is_done_at_once_and_the_rest_in_a_thread():
    engine = Doubling(0)

    async def work(batcher: Batcher):
        for _ in range(3):
            await batcher.run(rows(0, FEW, 1), FEW)
        engine.seconds = 0.05
        await batcher.run(rows(0, FEW, 1), FEW)
        for _ in range(60):
            await batcher.run(rows(0, FEW, 1), FEW)

    run(engine, Limits(), work)
    here = threading.get_ident()
    assert engine.threads[0] != here
    assert engine.threads[2] == here
    assert engine.threads[-1] != here


def test_too_many_that_wait_are_told_so():
    async def work(batcher: Batcher):
        asked = [asyncio.create_task(batcher.run(rows(0, 1, 1), 1)) for _ in range(5)]
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = run(Doubling(0.1), Limits(waiting=3), work)
    refused = [answer for answer in answers if isinstance(answer, RequestError)]
    assert [error.status for error in refused] == [503] * 2
    assert str(refused[0]) == "busy: 3 requests wait for this model already"


def test_what_waits_too_long_is_given_up_and_not_computed():
    engine = Doubling(0.4)

    async def work(batcher: Batcher):
        first = asyncio.create_task(batcher.run(rows(0, 1, 1), 1))
        await asyncio.sleep(0.05)
        late = [asyncio.create_task(batcher.run(rows(0, 5, 1), 5)) for _ in range(2)]
        late[0].cancel()
        found = await asyncio.gather(first, *late, return_exceptions=True)
        # and the next is answered
        engine.seconds = 0
        return found, await batcher.run(rows(3, 1, 1), 1)

    (first, cancelled, late), after = run(engine, Limits(batch_seconds=0.2), work)
    assert (first.status, late.status) == (503, 503)
    assert str(late) == "the model gave no answer within 0.2 seconds"
    assert isinstance(cancelled, asyncio.CancelledError)
    assert after["twice"].tolist() == [6]
    assert engine.batches == [1, 1]


def test_an_engine_that_fails_fails_the_requests_that_it_had_and_no_others():
    class Failing(Doubling):
        def run(self, inputs):
            if inputs["ids"][0, 0] < 0:
                raise ValueError("negative")
            return super().run(inputs)

    async def work(batcher: Batcher):
        with pytest.raises(ValueError, match="negative"):
            await batcher.run(rows(-5, 1, 1), 1)
        return await batcher.run(rows(1, 1, 1), 1)

    assert run(Failing(0), Limits(), work)["twice"].tolist() == [2]
