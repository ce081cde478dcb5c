"""The cluster that recipes are trained on."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from pydantic import Field

from gatewise.declare.base import declaration


@declaration
class Cluster:
    """Processes of a Ray cluster that train one model together, or many models beside each other.

    Example:
        >>> Cluster(workers=4, max_failures=3).ray
        'auto'
    """

    ray: str = field(default="auto", kw_only=True)
    """Address of the cluster, such as ``ray://head:10001``; ``auto``: the one that is running here, or a new one on
    this machine."""
    workers: Annotated[int, Field(gt=0)] = field(default=2, kw_only=True)
    """Processes that train together; in a comparison or a search, processes that train a model each."""
    cpus: Annotated[float, Field(gt=0)] = field(default=1.0, kw_only=True)
    """CPUs of each process."""
    gpus: Annotated[float, Field(ge=0)] = field(default=0.0, kw_only=True)
    """GPUs of each process; 0: it trains on its CPUs."""
    max_failures: Annotated[int, Field(ge=0)] = field(default=0, kw_only=True)
    """How often processes may die, and all go on from the last checkpoint; in a comparison, how often the process of
    one training. A search trains again what was lost."""
    storage: str | None = field(default=None, kw_only=True)
    """Folder that all machines share, for what Ray keeps of the training; None: Ray's own. The run folder must be
    shared, too."""
