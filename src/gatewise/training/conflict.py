"""Conflicts between the gradients of tasks."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor

from gatewise.balance import Site
from gatewise.training.gradients import TaskGradients

SITES: tuple[Site, ...] = ("representation", "experts")


class ConflictMonitor:
    r"""Averages cosines and ratios of norms of every pair of tasks' gradients, over some steps of an epoch.

    .. math:: \cos_{jk} = \frac{g_j^\top g_k}{\lVert g_j \rVert \lVert g_k \rVert}, \qquad
        \rho_{jk} = \frac{\lVert g_j \rVert}{\lVert g_k \rVert}

    Cosines have an arithmetic mean, ratios a geometric mean. Steps in which a task of the pair has no gradient are left
    out.

    Args:
        names: the tasks' names.
        every: distance between two measured steps, in steps; the first step of an epoch is measured.
    """

    def __init__(self, names: list[str], every: int) -> None:
        self.names, self.every = names, every
        self.start()

    def start(self) -> None:
        """Begin an epoch."""
        self.steps = 0
        # sums of cosines, of logarithms of ratios, and numbers of steps, each [task, task]
        self.sums = {site: torch.zeros(3, len(self.names), len(self.names)) for site in SITES}

    def due(self) -> bool:
        """Return whether the next step is to be measured."""
        self.steps += 1
        return (self.steps - 1) % self.every == 0

    def take(self, gradients: TaskGradients) -> None:
        """Add a step's gradients to the means."""
        for site, sums in self.sums.items():
            sums += _compared(gradients.gramian(site).detach().cpu())

    def state_dict(self) -> dict[str, Any]:
        """Return the sums of the epoch so far."""
        return {"steps": self.steps, "sums": dict(self.sums)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a saved state."""
        self.steps, self.sums = state["steps"], dict(state["sums"])

    def summary(self) -> list[dict[str, Any]]:
        """Return one record per pair of tasks and site; a mean without any defined value is None."""
        return [
            {"at": site, "tasks": [self.names[j], self.names[k]], **_means(sums[:, j, k])}
            for site, sums in self.sums.items()
            for j, k in itertools.combinations(range(len(self.names)), 2)
        ]


def _compared(gramian: Tensor) -> Tensor:
    """Return cosines, logarithms of ratios of norms, and the mask of pairs with both defined, ``[3, task, task]``."""
    norms = gramian.diagonal().clamp(min=0).sqrt()
    products = norms.unsqueeze(1) * norms
    cosines, ratios = gramian / products, (norms.unsqueeze(1) / norms).log()
    defined = (products > 0) & cosines.isfinite()
    return torch.stack([cosines, ratios, torch.ones_like(cosines)]).where(defined, 0.0)


def _means(sums: Tensor) -> dict[str, float | int | None]:
    cosine, ratio, steps = sums.tolist()
    if not steps:
        return {"cosine": None, "norm_ratio": None, "steps": 0}
    return {"cosine": cosine / steps, "norm_ratio": float(torch.tensor(ratio / steps).exp()), "steps": int(steps)}
