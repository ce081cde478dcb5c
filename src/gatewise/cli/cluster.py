"""Commands on a Ray cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gatewise.cli.launch import as_resumed, of_process
from gatewise.declare import Cluster, Recipe


@dataclass(frozen=True)
class Command:
    """A command of this program as every process of the cluster runs it.

    Attributes:
        arguments: those of the command line.
        run_dir: the folder of the run, which all processes share.
        saved: when its checkpoint was written that was there before; None: there was none.
    """

    arguments: Sequence[str]
    run_dir: Path
    saved: int | None

    def __call__(self) -> None:
        """Run the command; where processes died, it goes on from the checkpoint that they left.

        Raises:
            RuntimeError: the command failed; its output says why.
        """
        from gatewise.cli.app import run

        again = saved_at(self.run_dir) != self.saved
        sys.argv = ["gatewise", *(as_resumed(self.arguments) if again else self.arguments)]
        try:
            run()
        except SystemExit as ended:
            if ended.code:
                raise RuntimeError(f"gatewise train ended with status {ended.code}") from None


def cluster_of(recipe: Recipe, ray: bool, workers: int | None) -> Cluster | None:
    """Return the cluster that a recipe declares, or one on ``--ray``; None: this machine.

    Args:
        recipe: the recipe.
        ray: whether ``--ray`` is given.
        workers: processes of a cluster that the recipe does not declare; None: two.
    """
    return recipe.cluster or (Cluster(workers=workers or 2) if ray else None)


def train_on_cluster(cluster: Cluster, run_dir: Path, failures: int) -> None:
    """Run this command in the processes of a cluster, which train together.

    Args:
        cluster: as declared.
        run_dir: the folder of the run.
        failures: how often processes may die, if the cluster declares less.
    """
    from gatewise.ray_cluster import on_ray

    run_dir = run_dir.absolute()
    arguments = [each for each in of_process(sys.argv[1:], run_dir) if each != "--ray"]
    command = Command(arguments, run_dir, saved_at(run_dir))
    on_ray(command, replace(cluster, max_failures=max(cluster.max_failures, failures)))


def saved_at(run_dir: Path) -> int | None:
    """Return when the checkpoint of a run was written, in nanoseconds; None: there is none."""
    from gatewise.training import CHECKPOINT

    checkpoint = run_dir / CHECKPOINT
    return checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
