"""What a training step and its memory cost as embedding tables grow: ours lazily and densely updated."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from page import machine
from reporting import digits, megabytes, say, spread, table
from worker import Worker, WorkerError, peak_memory

COMMAND = "make bench PARTS=growth"
SIZES = (100_000, 1_000_000, 10_000_000)
FEATURES = 4
DIM = 16
BATCH = 1024
STEPS = {"lazy": 200, "dense": 10}
OPTIONS: dict[str, dict[str, Any]] = {"lazy": {}, "dense": {"embedding_update": "dense"}}
QUICK = {"sizes": (20_000, 100_000), "steps": {"lazy": 20, "dense": 5}, "rounds": 1}


@dataclass(frozen=True)
class Cost:
    """Seconds a step, and what memory grew by at most while training, in bytes."""

    step: float
    memory: int


class Growth:
    """Trains on ids drawn evenly over a table of some size: runs in a process of its own.

    Args:
        rows: of the table; the id features hash into equal parts of it.
        steps: of an epoch.
        update: ``lazy`` or ``dense``.
    """

    def __init__(self, rows: int, steps: int, update: str) -> None:
        import gatewise as gw

        rng, count = np.random.default_rng(0), steps * BATCH
        self.columns = {f"id{i}": rng.integers(0, 2**62, count) for i in range(FEATURES)}
        self.columns["label"] = rng.integers(0, 2, count)
        ids = [gw.Categorical(f"id{i}", dim=DIM, hash_buckets=rows // FEATURES) for i in range(FEATURES)]
        self.ranker = gw.Ranker(
            gw.Schema(features=ids, tasks=[gw.Binary("label")]),
            gw.MMoE(experts=8, expert_dims=[16], tower_dims=[8]),
            optimizer="adam",
            batch_size=BATCH,
            epochs=2,
            device="cpu",
            **OPTIONS[update],
        )

    def train(self) -> tuple[float, int]:
        """Return the seconds of a step in the second epoch and the growth of the peak memory in bytes."""
        before = peak_memory()
        self.ranker.fit(self.columns, progress=False)
        return BATCH / self.ranker.history[-1].rows_per_second, peak_memory() - before


def measure(rows: int, steps: int, update: str) -> Cost:
    """Train in a new process."""
    started = time.perf_counter()
    with Worker(f"growth {update} {rows}", "growth", "Growth", rows=rows, steps=steps, update=update) as worker:
        cost = Cost(*worker.call("train"))
    say(f"{update}, {rows:,} rows: {digits(1e3 * cost.step)} ms a step, {time.perf_counter() - started:.0f} s in all")
    return cost


def measure_all(update: str, sizes: tuple[int, ...], steps: int, rounds: int) -> tuple[dict[int, list[Cost]], str]:
    """Measure every size in turn; return the costs, and a line where it failed."""
    costs: dict[int, list[Cost]] = {rows: [] for rows in sizes}
    try:
        for _ in range(rounds):
            for rows in sizes:
                costs[rows].append(measure(rows, steps, update))
    except WorkerError as error:
        say(f"{update}: {error}")
        return {rows: found for rows, found in costs.items() if found}, f"\n{update} could not go on: {error}\n"
    return costs, ""


def lines_of(update: str, costs: dict[int, list[Cost]]) -> list[list[str]]:
    """Return one line of the table a size; memory is compared beyond the smallest table's, which pays what is fixed."""
    lines = []
    least = min(costs, default=0)
    memory = {rows: median(cost.memory for cost in found) for rows, found in costs.items()}
    for rows, found in costs.items():
        ratios = [cost.step / first.step for cost, first in zip(found, costs[least], strict=False)]
        more = (memory[rows] - memory[least]) / (_weights(rows) - _weights(least)) if rows > least else None
        times = ("1", "") if more is None else (spread(ratios), digits(more))
        step = f"{digits(1e3 * median(cost.step for cost in found))} ms"
        sizes = [megabytes(size) for size in (_weights(rows), 3 * _weights(rows), memory[rows])]
        lines.append([update, f"{rows:,}", step, times[0], *sizes, times[1]])
    return lines


def section(sizes: tuple[int, ...] = SIZES, steps: dict[str, int] | None = None, rounds: int = 3) -> str:
    """Measure all sizes and return the section."""
    counts, lines, failures = STEPS | (steps or {}), [], ""
    for update in OPTIONS:
        costs, failure = measure_all(update, sizes, counts[update], rounds)
        lines += lines_of(update, costs)
        failures += failure
    header = ["update", "rows", "a step", f"times {min(sizes):,}", "table", "and moments", "memory", "times the table"]
    return (
        f"## Growing tables\n\n`{COMMAND}`; {machine()}; median of {rounds} rounds, and range of the ratio.\n\n"
        f"Embedding tables of width {DIM} for {FEATURES} id features with ids drawn evenly over them, batch {BATCH:,}, "
        f"Adam, experts 8 x [16]. Lazily updated, an epoch has {counts['lazy']} steps, densely {counts['dense']}; the "
        "second one is timed. Memory is what the peak of the process grew by in `Ranker.fit`; the last column compares "
        "what is added to the smallest size.\n\n" + table(header, lines) + failures
    )


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(section(tuple(given.sizes), rounds=given.rounds))


def _weights(rows: int) -> int:
    return 4 * DIM * rows


if __name__ == "__main__":
    main()
