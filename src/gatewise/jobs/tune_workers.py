"""Who trains the trials of a search: this process alone, or several beside each other."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from gatewise.errors import TrainingError
from gatewise.jobs.child_processes import begin_child, nothing_from_here
from gatewise.jobs.tables import Tables
from gatewise.jobs.trial_storage import connected
from gatewise.jobs.tune_attempt import Outcome, attempted
from gatewise.jobs.tune_plan import Plan

if TYPE_CHECKING:
    import optuna

MOST_ENDS = 3
"""Processes that may end one after the other, without a trial between them, before a search gives up."""


class Begun(NamedTuple):
    """A trial that is being trained."""

    number: int
    trial: optuna.Trial
    options: Mapping[str, Any]


class Workers(Protocol):
    """Trains trials.

    Attributes:
        count: how many it trains beside each other.
        running: the trials that are being trained.
    """

    count: int
    running: list[Begun]

    @property
    def room(self) -> bool:
        """Whether another trial can begin."""

    def begin(self, begun: Begun, seconds: float | None) -> None:
        """Begin a trial, which ends after so many seconds."""

    def next(self) -> tuple[Begun, Outcome | None]:
        """Return a trial that came to its end, and what became of it; None: its process ended."""

    def close(self) -> None:
        """End all processes, whatever they do."""


class Alone:
    """One process, which is the caller's, with all its threads."""

    count = 1

    def __init__(self, plan: Plan, tables: Tables) -> None:
        self.plan, self.tables = plan, tables
        self.running: list[Begun] = []
        self._seconds: float | None = None

    @property
    def room(self) -> bool:
        """Whether no trial waits."""
        return not self.running

    def begin(self, begun: Begun, seconds: float | None) -> None:
        """Note the trial; :meth:`next` trains it."""
        self.running, self._seconds = [begun], seconds

    def next(self) -> tuple[Begun, Outcome | None]:
        """Train the trial."""
        begun = self.running[0]
        outcome = attempted(self.plan, self.tables, begun.trial, begun.options, self._seconds)
        self.running = []
        return begun, outcome

    def close(self) -> None:
        """There is nothing to end."""


class _Child(NamedTuple):
    process: BaseProcess
    connection: Connection


class Several:
    """Processes beside each other, each with its share of the threads and a connection of its own to the study.

    Args:
        plan: the search.
        count: how many processes.
        threads: of each process.
    """

    def __init__(self, plan: Plan, count: int, threads: int) -> None:
        self.plan, self.count, self.threads = plan, count, threads
        self.running: list[Begun] = []
        self._idle: list[_Child] = []
        self._busy: dict[Connection, tuple[_Child, Begun]] = {}
        self._ended = 0

    @property
    def room(self) -> bool:
        """Whether a process is idle, or there can be another one."""
        return len(self._busy) < self.count

    def begin(self, begun: Begun, seconds: float | None) -> None:
        """Give a process the trial."""
        child = self._idle.pop() if self._idle else self._started()
        self._busy[child.connection] = (child, begun)
        self.running.append(begun)
        # a process that has ended meanwhile is found by whoever waits for it
        try:
            child.connection.send((begun.trial._trial_id, dict(begun.options), seconds))
        except OSError:
            return

    def next(self) -> tuple[Begun, Outcome | None]:
        """Wait for a trial.

        Raises:
            TrainingError: several processes ended one after the other.
        """
        connection = cast("Connection", wait(list(self._busy))[0])
        child, begun = self._busy.pop(connection)
        self.running.remove(begun)
        try:
            outcome: Outcome = connection.recv()
        except (EOFError, OSError):
            child.connection.close()
            child.process.join()
            self._ended += 1
            if self._ended >= MOST_ENDS:
                raise TrainingError(
                    f"tune: {MOST_ENDS} processes ended one after the other (exit status {child.process.exitcode}); "
                    "with too little memory try fewer workers, and in a script call tune under "
                    "if __name__ == '__main__'"
                ) from None
            return begun, None
        self._ended = 0
        self._idle.append(child)
        return begun, outcome

    def close(self) -> None:
        """End all processes."""
        children = [*self._idle, *(child for child, _ in self._busy.values())]
        for child in children:
            child.process.kill()
        for child in children:
            child.process.join()
            child.connection.close()
        self._idle, self._busy, self.running = [], {}, []

    def _started(self) -> _Child:
        fresh = multiprocessing.get_context("spawn")
        here, there = fresh.Pipe()
        with nothing_from_here():
            process = fresh.Process(target=_work, args=(there, self.plan, self.threads), daemon=True)
            process.start()
        # so that the end of the process is the end of the connection
        there.close()
        return _Child(process, here)


def _work(connection: Connection, plan: Plan, threads: int) -> None:
    """Train the trials that come, until the other end is gone."""
    begin_child(threads)
    import optuna

    tables, study = plan.tables(), connected(plan.folder, len(plan.goals))
    while True:
        trial_id, options, seconds = connection.recv()
        connection.send(attempted(plan, tables, optuna.trial.Trial(study, trial_id), options, seconds))
