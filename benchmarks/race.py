"""Contestants that train in turn, one epoch each a round, so that drift of the machine hits all alike."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from quiet import TOO_MUCH, busy_share
from reporting import digits, say
from worker import Worker, WorkerError
from workload import Rows, Workload


class Race:
    """The contestants of one workload, each in its own process.

    Attributes:
        rates: training samples a second, one a round, by contestant.
        memory: peak memory in bytes, by contestant.
        failures: one line each, by contestant; who failed is left out of further rounds.
        busy: what share of the processors others used just before every epoch.
    """

    def __init__(self, workers: dict[str, Worker], rows: dict[str, int]) -> None:
        self.workers, self.rows = workers, rows
        self.rates: dict[str, list[float]] = {name: [] for name in workers}
        self.memory: dict[str, int] = {}
        self.failures: dict[str, str] = {}
        self.busy: list[float] = []

    def each(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call a method of every contestant in turn and return the answers; who fails is left out from then on."""
        answers = {}
        for name in list(self.workers):
            with self._failing(name):
                answers[name] = self.workers[name].call(method, **arguments)
        return answers

    def prepare(self, workload: Workload) -> None:
        """Build and warm up, one after the other."""
        for name in list(self.workers):
            with self._failing(name):
                say(f"{workload.name}: {name} gets ready")
                self.workers[name].call("prepare", workload=workload.name, rows=self.rows[name])
                self.workers[name].call("warm_up")

    def run_round(self, title: str) -> None:
        """Let everyone train one epoch."""
        for name in list(self.workers):
            with self._failing(name):
                self.busy.append(busy_share())
                if self.busy[-1] > TOO_MUCH:
                    say(f"{title}: others use {self.busy[-1]:.0%} of the processors, the next figure will be wrong")
                self.rates[name].append(self.rows[name] / self.workers[name].call("train_epoch"))
                self.memory[name] = self.workers[name].call("peak_memory")
                say(f"{title}: {name} {digits(self.rates[name][-1])} samples/s")

    def failure_lines(self) -> str:
        """Say who could not take part and why, as Markdown below a table."""
        return "".join(f"\n{name} could not take part: {line}\n" for name, line in self.failures.items())

    def ratios(self, name: str, other: str) -> list[float]:
        """Return how many times faster one is than another, round by round; none where either failed."""
        if not {name, other} <= self.workers.keys():
            return []
        return [one / two for one, two in zip(self.rates[name], self.rates[other], strict=True)]

    def company(self) -> str:
        """Say how busy others kept the processors."""
        if not self.busy:
            return "nothing was measured"
        return f"before each epoch others used {median(self.busy):.0%} of the processors (at most {max(self.busy):.0%})"

    @contextmanager
    def _failing(self, name: str) -> Iterator[None]:
        try:
            yield
        except WorkerError as error:
            self.failures[name] = str(error)
            self.workers.pop(name).close()
            say(f"{name} is left out: {error}")


@contextmanager
def race(workload: Workload, rows: Rows, counts: dict[str, int]) -> Iterator[Race]:
    """Start a process for every contestant of ``counts``, which says how many rows each trains on."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rows.save(folder)
        workers, failures = {}, {}
        for name in counts:
            try:
                worker = Worker(f"{workload.name} {name}", "session", "Session", contestant=name, folder=str(folder))
                workers[name] = stack.enter_context(worker)
            except WorkerError as error:
                failures[name] = str(error)
                say(f"{name} is left out: {error}")
        running = Race(workers, counts)
        running.failures |= failures
        running.prepare(workload)
        yield running
