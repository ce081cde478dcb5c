"""Who trains the trials of a search on a Ray cluster: processes there, while the study stays in this one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from queue import Queue
from typing import Any, NamedTuple, TypeAlias

from gatewise.declare import Cluster
from gatewise.errors import GatewiseError, TrainingError
from gatewise.jobs.child_processes import compute_with
from gatewise.jobs.tables import Tables
from gatewise.jobs.tune_attempt import Outcome, attempted
from gatewise.jobs.tune_plan import Plan
from gatewise.jobs.tune_workers import MOST_ENDS, Begun
from gatewise.ray_cluster import AsHere, needs_of, reason_of


class Epoch(NamedTuple):
    """An epoch of a trial that waits for whether to go on."""

    value: float
    number: int


Said: TypeAlias = Epoch | Outcome | Exception


class OnRay:
    """Processes of a cluster that this one has joined, each of which trains one trial after the other.

    Whether a trial goes on after an epoch is asked here: no other machine reads or writes the file of the study.

    Args:
        ray: the module.
        plan: the search.
        cluster: what every process gets.
        count: how many processes.
    """

    def __init__(self, ray: Any, plan: Plan, cluster: Cluster, count: int) -> None:
        self.plan, self.count = plan, count
        self.running: list[Begun] = []
        self._ray, self._cluster = ray, cluster
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, Begun]] = {}
        self._ended = 0

    @property
    def room(self) -> bool:
        """Whether a process is idle, or there can be another one."""
        return len(self._busy) < self.count

    def begin(self, begun: Begun, seconds: float | None) -> None:
        """Give a process the trial."""
        trainer = self._idle.pop() if self._idle else self._started()
        self._busy[trainer.begin.remote(dict(begun.options), seconds)] = (trainer, begun)
        self.running.append(begun)

    def next(self) -> tuple[Begun, Outcome | None]:
        """Wait for a trial, and answer those that ask meanwhile.

        Raises:
            TrainingError: several processes ended one after the other, or have not what trials need.
        """
        while True:
            (said, *_), _ = self._ray.wait(list(self._busy))
            trainer, begun = self._busy.pop(said)
            try:
                found: Epoch | Outcome | GatewiseError = self._ray.get(said)
            except self._ray.exceptions.RayActorError as error:
                return self._lost(begun, error)
            except Exception as error:
                raise TrainingError(f"tune: trial {begun.number + 1}: {reason_of(error)}") from error
            if isinstance(found, GatewiseError):
                raise TrainingError(f"tune: a process of the cluster: {found}") from found
            if isinstance(found, Outcome):
                self._ended = 0
                self._idle.append(trainer)
                self.running.remove(begun)
                return begun, found
            begun.trial.report(found.value, found.number)
            self._busy[trainer.go_on.remote(begun.trial.should_prune())] = (trainer, begun)

    def _lost(self, begun: Begun, error: Exception) -> tuple[Begun, None]:
        self.running.remove(begun)
        self._ended += 1
        if self._ended >= MOST_ENDS:
            ended = f"tune: {MOST_ENDS} processes of the cluster ended one after the other"
            raise TrainingError(f"{ended}: {reason_of(error)}") from None
        return begun, None

    def close(self) -> None:
        """End all processes."""
        for trainer in [*self._idle, *(trainer for trainer, _ in self._busy.values())]:
            self._ray.kill(trainer)
        self._idle, self._busy, self.running = [], {}, []

    def _started(self) -> Any:
        made = self._ray.remote(_Trainer).options(**needs_of(self._cluster))
        return made.remote(self.plan, max(1, int(self._cluster.cpus)), AsHere.now())


class _Trainer:
    """Trains trials in a process of the cluster; after an epoch that is judged, it waits for an answer."""

    def __init__(self, plan: Plan, threads: int, as_here: AsHere) -> None:
        as_here()
        self.plan, self.threads = plan, threads
        self.tables: Tables | None = None
        self._said, self._answers = Queue[Said](), Queue[bool]()

    def begin(self, options: Mapping[str, Any], seconds: float | None) -> Epoch | Outcome | GatewiseError:
        """Begin a trial; return its first epoch, or its end."""
        threading.Thread(target=self._train, args=(options, seconds), daemon=True).start()
        return self._next()

    def go_on(self, worse: bool) -> Epoch | Outcome | GatewiseError:
        """Answer whether the trial is worse than others; return its next epoch, or its end."""
        self._answers.put(worse)
        return self._next()

    def _next(self) -> Epoch | Outcome | GatewiseError:
        said = self._said.get()
        if isinstance(said, Exception) and not isinstance(said, GatewiseError):
            raise said
        return said

    def _train(self, options: Mapping[str, Any], seconds: float | None) -> None:
        try:
            # the number of threads is that of a thread
            compute_with(self.threads)
            self.tables = self.tables or self.plan.tables()
            self._said.put(attempted(self.plan, self.tables, self, options, seconds))
        except Exception as error:
            self._said.put(error)

    def report(self, value: float, step: int) -> None:
        """Say how good the trial is after an epoch."""
        self._said.put(Epoch(value, step))

    def should_prune(self) -> bool:
        """Wait for whether the trial is worse than others."""
        return self._answers.get()
