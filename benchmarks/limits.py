"""What this machine allows: how fast it multiplies matrices and touches random rows, and so how fast training can be.

No training step can do less than the model's matrix products, one gather of every id's row, and one update of every
row that the batch touched. Their times, each measured alone on the workload's own shapes and ids, add up to the limit.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch

from page import machine
from reporting import digits, say, spread, table
from workload import TASKS, VOCABULARIES, WORKLOADS, Rows, Workload, make_rows

COMMAND = "make bench PARTS=limits"
SECONDS = 0.15
BATCHES = 64
QUICK = {"rounds": 1}


@dataclass(frozen=True)
class Product:
    """``count`` products of ``[rows, inner]`` and ``[inner, outer]``."""

    rows: int
    inner: int
    outer: int
    count: int = 1

    @property
    def flops(self) -> float:
        """A multiplication and an addition count as two."""
        return 2.0 * self.rows * self.inner * self.outer * self.count


@dataclass(frozen=True)
class Limit:
    """One measurement.

    Attributes:
        gemm: floating-point operations a second in the workload's products.
        gather: rows a second read at random.
        update: rows a second read and written at random, each with weight and both moments.
        samples: training samples a second that these allow.
    """

    gemm: float
    gather: float
    update: float
    samples: float


def products(workload: Workload) -> list[Product]:
    """Return the forward products of a batch; first expert layers and gates read the same input: one product."""
    batch, tasks, experts = workload.batch_size, len(TASKS), workload.experts
    found = [Product(batch, workload.input_dim, experts * (workload.expert_dims[0] + tasks))]
    found += [Product(batch, inner, outer, experts) for inner, outer in itertools.pairwise(workload.expert_dims)]
    tower = (workload.expert_dims[-1], *workload.tower_dims, 1)
    found += [Product(batch, inner, outer, tasks) for inner, outer in itertools.pairwise(tower)]
    return found


def training_flops(workload: Workload) -> float:
    """Return the operations of a training sample: forward, and two products backward for each."""
    return 3 * sum(product.flops for product in products(workload)) / workload.batch_size


class Limits:
    """Measures a workload's limit, as often as asked.

    Args:
        workload: gives the shapes.
        rows: give the ids.
    """

    def __init__(self, workload: Workload, rows: Rows) -> None:
        self.workload = workload
        offsets = np.concatenate([[0], np.cumsum(VOCABULARIES)[:-1]])
        size, batches = workload.batch_size, min(BATCHES, len(rows) // workload.batch_size)
        ids = [torch.from_numpy((rows.ids[i * size : (i + 1) * size] + offsets).ravel()) for i in range(batches)]
        self.lookups, self.touched = ids, [one.unique() for one in ids]
        # not zeros: memory that was never written to is no memory yet
        self.weights = torch.ones(sum(VOCABULARIES), workload.dim)
        # weight and both moments of a row lie side by side: the best layout there is
        self.states = torch.ones(sum(VOCABULARIES), 3 * workload.dim)
        self.steps = [step for product in products(workload) for step in _training_steps(product)]

    @property
    def touched_rows(self) -> float:
        """Distinct rows that a batch touches, per sample."""
        return sum(map(len, self.touched)) / len(self.touched) / self.workload.batch_size

    def measure(self) -> Limit:
        """Measure all three rates now."""
        flops = training_flops(self.workload)
        gemm = flops * self.workload.batch_size / sum(count * _seconds(call) for call, count in self.steps)
        gather = len(self.lookups[0]) / _seconds(self._over(self.lookups, self._gather))
        update = np.mean([*map(len, self.touched)]) / _seconds(self._over(self.touched, self._update))
        seconds = flops / gemm + len(VOCABULARIES) / gather + self.touched_rows / update
        return Limit(gemm, gather, float(update), 1 / seconds)

    def _gather(self, ids: torch.Tensor) -> None:
        self.weights.index_select(0, ids)

    def _update(self, ids: torch.Tensor) -> None:
        self.states[ids] = self.states.index_select(0, ids)

    @staticmethod
    def _over(batches: list[torch.Tensor], work: Callable[[torch.Tensor], None]) -> Callable[[], None]:
        turn = itertools.cycle(batches)
        return lambda: work(next(turn))


def _training_steps(product: Product) -> list[tuple[Callable[[], object], int]]:
    """Return forward, gradient of the input and gradient of the weight, each with its count."""
    x, weight = torch.randn(product.rows, product.inner), torch.randn(product.outer, product.inner)
    grad = torch.randn(product.rows, product.outer)
    calls = (lambda: torch.mm(x, weight.t()), lambda: torch.mm(grad, weight), lambda: torch.mm(grad.t(), x))
    return [(call, product.count) for call in calls]


def _seconds(call: Callable[[], object]) -> float:
    """Return the median seconds of a call, repeated for a fixed time."""
    call()
    taken: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(taken) < 3 or time.perf_counter() < end:
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return median(taken)


def _row(workload: Workload, rounds: int) -> list[str]:
    limits = Limits(workload, make_rows(BATCHES * workload.batch_size))
    found = []
    for turn in range(1, rounds + 1):
        found.append(limits.measure())
        say(f"{workload.name}, round {turn}/{rounds}: at most {digits(found[-1].samples)} samples/s")
    return [
        workload.name,
        f"{digits(training_flops(workload) / 1e6)} MFLOP",
        spread([limit.gemm / 1e9 for limit in found]),
        f"{len(VOCABULARIES)}",
        spread([limit.gather / 1e6 for limit in found]),
        digits(limits.touched_rows),
        spread([limit.update / 1e6 for limit in found]),
        spread([limit.samples for limit in found]),
    ]


def section(rounds: int = 5) -> str:
    """Measure both workloads and return the section."""
    header = ["", "a sample", "GFLOP/s", "ids", "gathers, million/s", "touched", "updates, million/s", "samples/s"]
    return (
        f"## Limits of this machine\n\n`{COMMAND}`; {machine()}; median of {rounds} rounds and their range.\n\n"
        "Training a sample takes at least its matrix products (forward once, backward twice), one random row read for "
        "each id, and its share of the distinct rows that a batch touches, each read and written with both moments of "
        "Adam. The three are measured alone, with `torch.mm`, `index_select` and indexed assignment; the last column "
        "adds up their times.\n\n" + table(header, [_row(workload, rounds) for workload in WORKLOADS.values()])
    )


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    print(section(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
