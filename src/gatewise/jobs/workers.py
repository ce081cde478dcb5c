"""Trials of a comparison side by side, each in a process with one thread."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from statistics import fmean

from gatewise.declare import Cluster
from gatewise.errors import GatewiseError, GatewiseWarning, TrainingError
from gatewise.jobs.child_processes import begin_child, nothing_from_here
from gatewise.jobs.tables import Tables
from gatewise.jobs.trials import Result, Trial
from gatewise.jobs.trials_on_ray import trials_on_ray

Tell = Callable[[int, float | None], None]
"""Receives the number of trainings left and, if known, the estimated seconds."""


def run_trials(missing: list[Trial], tables: Tables, workers: int, tell: Tell, cluster: Cluster | None = None) -> None:
    """Run missing trials, as many side by side as there are workers.

    Args:
        missing: trainings to be done.
        tables: files with the rows.
        workers: processes, each with one thread; 1: this process, with all its threads.
        tell: receives the progress.
        cluster: where they are trained instead of on this machine, with ``workers`` processes at once.

    Raises:
        TrainingError: a training failed; says which.

    Warns:
        GatewiseWarning: what the trainings warn of.
    """
    left, seconds = list(missing), dict[str, list[float]]()
    tell(len(left), None)
    if cluster is None or not missing:
        results = _results(missing, tables, workers)
    else:
        results = trials_on_ray(missing, tables, replace(cluster, workers=workers))
    for trial, (took, problems) in results:
        for problem in problems:
            warnings.warn(f"{trial.called}: {problem}", GatewiseWarning, stacklevel=4)
        left.remove(trial)
        seconds.setdefault(trial.contestant.name, []).append(took)
        tell(len(left), _seconds_left(left, seconds) / workers)


def _seconds_left(left: list[Trial], seconds: dict[str, list[float]]) -> float:
    """Return the estimated seconds of trials in sequence: each contestant's own mean, or the mean of all."""
    means = {name: fmean(took) for name, took in seconds.items()}
    return sum(means.get(trial.contestant.name, fmean(means.values())) for trial in left)


def _results(missing: list[Trial], tables: Tables, workers: int) -> Iterator[tuple[Trial, Result]]:
    """Yield every trial as it is done."""
    if workers <= 1:
        for trial in missing:
            yield trial, _result(trial, lambda trial=trial: trial.run(tables))  # type: ignore[misc]
        return
    fresh = multiprocessing.get_context("spawn")
    with nothing_from_here():
        pool = ProcessPoolExecutor(workers, mp_context=fresh, initializer=begin_child)
        try:
            running = {pool.submit(trial.run, tables): trial for trial in missing}
            for future in as_completed(running):
                yield running[future], _result(running[future], future.result)
        finally:
            pool.shutdown(cancel_futures=True)


def _result(trial: Trial, get: Callable[[], Result]) -> Result:
    """Return the result of a trial, or raise an error that names the trial."""
    try:
        return get()
    except GatewiseError as error:
        raise TrainingError(f"compare: {trial.called}: {error}") from error
    except BrokenProcessPool:
        raise TrainingError(
            f"compare: {trial.called}: its process ended; with too little memory try workers 1, and in a script "
            "call compare under if __name__ == '__main__'"
        ) from None
