"""What a contestant's process can be asked: runs in the worker, one contestant a process."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from contestants import Features, auc, enter
from worker import peak_memory
from workload import WORKLOADS, Rows

CANDIDATE_SETS = 32
SETTLING = 5


class Session:
    """Holds a contestant and the rows; answers are JSON values.

    Args:
        contestant: its name in the tables.
        folder: where the parent saved the rows.
    """

    def __init__(self, contestant: str, folder: str) -> None:
        self.contestant = enter(contestant)
        self.rows = Rows.load(Path(folder))

    def version(self) -> str:
        """See :attr:`Contestant.version`."""
        return self.contestant.version

    def prepare(self, workload: str, rows: int, seed: int = 0) -> None:
        """Give the contestant the first rows to train on."""
        self.contestant.prepare(WORKLOADS[workload], self.rows[:rows], seed)

    def warm_up(self) -> None:
        """See :meth:`Contestant.warm_up`."""
        self.contestant.warm_up()

    def train_epoch(self) -> float:
        """Return the seconds of one epoch."""
        return self.contestant.train_epoch()

    def peak_memory(self) -> int:
        """Return the bytes that the process had at most, the rows included."""
        return peak_memory()

    def learn(self, valid: tuple[int, int], epochs: int) -> Iterator[list[float]]:
        """Yield the AUC of both tasks on the validation rows after every epoch."""
        yield from self.contestant.learn(self.rows[slice(*valid)], epochs)

    def judge(self, test: tuple[int, int], batch_size: int) -> list[float]:
        """Return the AUC of both tasks on the test rows."""
        rows = self.rows[slice(*test)]
        return auc(rows.labels, self.contestant.predict(rows.features(), batch_size))

    def make_calls(self, candidates: int) -> None:
        """Get ready to score: some sets of candidates, each as features and as what the model reads."""
        sets = [self.rows[i * candidates : (i + 1) * candidates].features() for i in range(CANDIDATE_SETS)]
        self.model_calls = itertools.cycle([self.contestant.forward(features) for features in sets])
        self.whole_calls = itertools.cycle([self._predictor(features, candidates) for features in sets])

    def time_model(self, calls: int) -> list[float]:
        """Return the seconds of some calls of the model alone."""
        return _block(self.model_calls, calls)

    def time_whole(self, calls: int) -> list[float]:
        """Return the seconds of some calls from columns to predictions."""
        return _block(self.whole_calls, calls)

    def time_bulk(self, rows: int, batch_size: int) -> float:
        """Return the seconds of predicting many rows from columns."""
        return _seconds(self._predictor(self.rows[:rows].features(), batch_size))

    def _predictor(self, features: Features, batch_size: int) -> Callable[[], object]:
        return lambda: self.contestant.predict(features, batch_size)


def _block(turn: Iterator[Callable[[], object]], calls: int) -> list[float]:
    """Time some calls; the first ones after others had their turn do not count."""
    return [_seconds(next(turn)) for _ in range(SETTLING + calls)][SETTLING:]


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
