"""Processes of a Ray cluster that train one model together."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatewise.declare import Cluster
from gatewise.errors import GatewiseError, MissingExtraError, TrainingError
from gatewise.own_modules import import_as_told

SECONDS = 5.0
"""How long a cluster may take to answer."""


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
    try:
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchConfig, TorchTrainer

        import ray
    except ImportError:
        raise MissingExtraError("ray", "training on a Ray cluster") from None
    begun = not ray.is_initialized()
    if begun:
        _join(ray, cluster)
    try:
        gpus = cluster.gpus > 0
        needed = {"CPU": cluster.cpus} | ({"GPU": cluster.gpus} if gpus else {})
        trainer = TorchTrainer(
            _called,
            train_loop_config={"work": work, "folder": str(Path.cwd()), "path": [each for each in sys.path if each]},
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
        raise TrainingError(f"training on Ray: {_reason(error)}") from error
    finally:
        if begun:
            ray.shutdown()


def _join(ray: Any, cluster: Cluster) -> None:
    """Join the declared cluster, or begin one on this machine."""
    address = None if cluster.ray == "auto" else cluster.ray
    try:
        if address is not None:
            _check_there(address)
        ray.init(address=address, include_dashboard=False, logging_level=logging.ERROR)
    except Exception as error:
        raise GatewiseError(f"cluster: cannot join Ray at {cluster.ray!r}: {_reason(error)}") from None


def _check_there(address: str) -> None:
    """Refuse a machine that does not answer, for which Ray would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdigit()):
        raise ValueError("expected an address such as ray://head:10001, or auto")
    with socket.create_connection((host, int(port)), timeout=SECONDS):
        pass


def _called(config: dict[str, Any]) -> None:
    """Call the work in a process of the cluster, where this one's folder and modules are found if they are there."""
    sys.path += [each for each in config["path"] if each not in sys.path]
    if Path(config["folder"]).is_dir():
        os.chdir(config["folder"])
    import_as_told()
    config["work"]()


def _reason(error: Exception) -> str:
    """Return the last line of an error, which Ray puts behind the traceback of its process."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
