"""Trials of a comparison on a Ray cluster, each a task of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gatewise.declare import Cluster
from gatewise.errors import GatewiseError, TrainingError
from gatewise.jobs.child_processes import compute_with
from gatewise.jobs.tables import Tables
from gatewise.jobs.trials import Result, Trial
from gatewise.ray_cluster import AsHere, joined, needs_of, reason_of


def trials_on_ray(missing: list[Trial], tables: Tables, cluster: Cluster) -> Iterator[tuple[Trial, Result]]:
    """Train every trial in a process of the cluster, and yield it as it is done.

    At most ``cluster.workers`` wait or train at once. A task whose process dies is begun again, up to
    ``cluster.max_failures`` times.

    Raises:
        GatewiseError: there is no such cluster.
        MissingExtraError: Ray is not installed.
        TrainingError: a training failed, or its results are not in the folder; says which.
    """
    with joined(cluster, "comparing on a Ray cluster") as ray:
        train = ray.remote(_train).options(**needs_of(cluster), max_retries=cluster.max_failures)
        threads, as_here = max(1, int(cluster.cpus)), AsHere.now()
        waiting, running = list(missing), dict[Any, Trial]()
        while waiting or running:
            while waiting and len(running) < cluster.workers:
                trial = waiting.pop(0)
                running[train.remote(trial, tables, threads, as_here)] = trial
            (done, *_), _ = ray.wait(list(running))
            trial = running.pop(done)
            yield trial, _result(ray, trial, done)


def _train(trial: Trial, tables: Tables, threads: int, as_here: AsHere) -> Result | GatewiseError:
    """Train in a process of the cluster; an error that says what is wrong is returned as it is."""
    as_here()
    compute_with(threads)
    try:
        return trial.run(tables)
    except GatewiseError as error:
        return error


def _result(ray: Any, trial: Trial, done: Any) -> Result:
    try:
        found: Result | GatewiseError = ray.get(done)
    except Exception as error:
        raise TrainingError(f"compare: {trial.called}: {reason_of(error)}") from error
    if isinstance(found, GatewiseError):
        raise TrainingError(f"compare: {trial.called}: {found}") from found
    if not trial.done:
        raise TrainingError(
            f"compare: {trial.called}: its results are not in {str(trial.folder)!r}: the machines of the cluster must "
            "share the folder of the run"
        )
    return found
