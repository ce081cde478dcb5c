"""Processes of a Ray cluster, which train one model together, or many models beside each other."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewise.declare import Cluster
from gatewise.errors import GatewiseError, MissingExtraError, TrainingError
from gatewise.own_modules import FOLDER, MODULES, import_as_told

SECONDS = 5.0
"""How long a cluster may take to answer."""


@dataclass(frozen=True)
class AsHere:
    """Makes a process of the cluster as this one: its folder, where modules are found, and modules that were imported.

    Attributes:
        folder: the working directory, if the other machine has it.
        path: folders in which modules are found.
        imported: variables that name the modules of one's own, see :mod:`gatewise.own_modules`.
    """

    folder: str
    path: tuple[str, ...]
    imported: tuple[tuple[str, str], ...]

    @classmethod
    def now(cls) -> AsHere:
        """Return what holds in this process."""
        told = tuple((name, os.environ[name]) for name in (MODULES, FOLDER) if name in os.environ)
        return cls(str(Path.cwd()), tuple(each for each in sys.path if each), told)

    def __call__(self) -> None:
        """Make this process so."""
        sys.path += [each for each in self.path if each not in sys.path]
        if Path(self.folder).is_dir():
            os.chdir(self.folder)
        os.environ.update(self.imported)
        import_as_told()


@contextlib.contextmanager
def joined(cluster: Cluster, purpose: str) -> Iterator[Any]:
    """Give the module ``ray``, which has joined the cluster for the length of a block, or had joined one before.

    Args:
        cluster: as declared.
        purpose: what needs it, for the error.

    Raises:
        MissingExtraError: Ray is not installed.
        GatewiseError: there is no such cluster.
    """
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray", purpose) from None
    begun = not ray.is_initialized()
    if begun:
        _join(ray, cluster)
    try:
        yield ray
    finally:
        if begun:
            ray.shutdown()


def on_ray(work: Callable[[], None], cluster: Cluster) -> None:
    """Call ``work`` in processes of a Ray cluster, which train together where ``work`` trains a ranker.

    Ray starts as many processes as the cluster declares, and tells each its rank, as torchrun does; where processes
    die, it starts all of them again. ``work`` is sent to them by value, and what it returns is lost: it writes files,
    into folders that all machines share.

    Args:
        work: has no arguments; called in every process.
        cluster: where, how many, and how often they may die.

    Raises:
        MissingExtraError: Ray is not installed.
        GatewiseError: there is no such cluster.
        TrainingError: a process failed more often than it may; says how.
    """
    purpose = "training on a Ray cluster"
    with joined(cluster, purpose):
        try:
            from ray.train import FailureConfig, RunConfig, ScalingConfig
            from ray.train.torch import TorchConfig, TorchTrainer
        except ImportError:
            raise MissingExtraError("ray", purpose) from None
        gpus = cluster.gpus > 0
        needed = {"CPU": cluster.cpus} | ({"GPU": cluster.gpus} if gpus else {})
        try:
            trainer = TorchTrainer(
                _called,
                train_loop_config={"work": work, "as_here": AsHere.now()},
                torch_config=TorchConfig(backend="nccl" if gpus else "gloo"),
                scaling_config=ScalingConfig(num_workers=cluster.workers, use_gpu=gpus, resources_per_worker=needed),
                run_config=RunConfig(
                    storage_path=cluster.storage, failure_config=FailureConfig(max_failures=cluster.max_failures)
                ),
            )
            trainer.fit()
        except GatewiseError:
            raise
        except Exception as error:
            raise TrainingError(f"training on Ray: {reason_of(error)}") from error


def needs_of(cluster: Cluster) -> dict[str, float]:
    """Return what a process of the cluster needs, as options of a task or an actor of Ray."""
    return {"num_cpus": cluster.cpus} | ({"num_gpus": cluster.gpus} if cluster.gpus else {})


def room_of(ray: Any, cluster: Cluster) -> int:
    """Return for how many of the declared processes the cluster has room, at most those that it declares.

    Raises:
        GatewiseError: for none.
    """
    present = ray.cluster_resources()
    room = cluster.workers
    for name, needed in (("CPU", cluster.cpus), ("GPU", cluster.gpus)):
        found = present.get(name, 0.0)
        if needed > found:
            raise GatewiseError(f"cluster: expected {needed:g} {name}s for a process, found {found:g} in the cluster")
        room = min(room, int(found // needed)) if needed else room
    return room


def _join(ray: Any, cluster: Cluster) -> None:
    """Join the declared cluster, or begin one on this machine."""
    address = None if cluster.ray == "auto" else cluster.ray
    try:
        if address is not None:
            _check_there(address)
        ray.init(address=address, include_dashboard=False, logging_level=logging.ERROR)
    except Exception as error:
        raise GatewiseError(f"cluster: cannot join Ray at {cluster.ray!r}: {reason_of(error)}") from None


def _check_there(address: str) -> None:
    """Refuse a machine that does not answer, for which Ray would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdigit()):
        raise ValueError("expected an address such as ray://head:10001, or auto")
    with socket.create_connection((host, int(port)), timeout=SECONDS):
        pass


def _called(config: dict[str, Any]) -> None:
    """Call the work in a process of the cluster."""
    config["as_here"]()
    config["work"]()


def reason_of(error: Exception) -> str:
    """Return the last line of an error, which Ray puts behind the traceback of its process."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
