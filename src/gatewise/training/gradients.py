"""The tasks' gradients at what they share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor, nn

from gatewise.balance import Site
from gatewise.nn import MultiTaskModel, Trunk, Vectors
from gatewise.processes import Processes
from gatewise.training.shared import experts_of, last_shared_layer

WEIGHTS: dict[Site, Callable[[Trunk], list[nn.Parameter]]] = {
    "experts": experts_of,
    "last_shared_layer": last_shared_layer,
}


class TaskGradients:
    r"""Takes every task's gradient, batch by batch, and gives the Gramian of a whole step.

    .. math:: M_{jk} = g_j^\top g_k

    Rows of different batches are different rows of the representation: there Gramians of batches, and of processes, add
    up. At weights the gradients do, and the Gramian is taken of the sums, over those weights that at least two tasks
    have a gradient at; the others, such as a task's own experts, are not shared.

    Args:
        model: whose gradients they are.
        sites: where they are taken.
        scaler: scales losses up on the way, where half precision would lose small gradients.
        processes: whose rows the step is made of.
    """

    def __init__(
        self, model: MultiTaskModel, sites: Collection[Site], scaler: torch.amp.GradScaler, processes: Processes
    ) -> None:
        self.scaler, self.processes = scaler, processes
        self.weights = {site: WEIGHTS[site](model.trunk) for site in sites if site in WEIGHTS}
        self.sums: dict[Site, Tensor] = {}
        self.at_rows = "representation" in sites
        self.of_rows: Tensor | None = None

    def watch(self, vectors: Vectors) -> None:
        """Make sure that there are gradients at what the input layer gives, before the model reads it."""
        for rows in _rows(vectors):
            if not rows.requires_grad:
                rows.requires_grad_()

    def add(self, losses: Tensor, vectors: Vectors) -> None:
        """Take the gradients of a batch's part of the mean losses ``[task]``; the graph stays."""
        # one site after the other: what a pass is asked for decides how kernels round
        if self.at_rows:
            gramian = _gramian(self._stacked(losses, _rows(vectors)))
            self.of_rows = gramian if self.of_rows is None else self.of_rows + gramian
        for site, weights in self.weights.items():
            stacked = self._stacked(losses, weights)
            self.sums[site] = stacked if site not in self.sums else self.sums[site] + stacked

    def gramian(self, site: Site) -> Tensor:
        """Return the Gramian ``[task, task]`` of what was added."""
        if site == "representation":
            assert self.of_rows is not None
            return self.processes.sum(self.of_rows)
        sums = self.processes.sum(self.sums[site])
        shared = (sums != 0).sum(dim=0) > 1
        return _gramian(sums * shared)

    def _stacked(self, losses: Tensor, inputs: Sequence[Tensor]) -> Tensor:
        """Return every loss's gradients at the inputs, ``[task, number]``."""
        if not inputs:
            # some experts have no weights at all
            return torch.zeros(len(losses), 0)
        found = [torch.cat([part.flatten() for part in self._of(loss, inputs)]) for loss in losses.unbind()]
        return torch.stack(found)

    def _of(self, loss: Tensor, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        scaled = self.scaler.scale(loss)
        found = torch.autograd.grad(scaled, inputs, retain_graph=True, allow_unused=True, materialize_grads=True)
        if not self.scaler.is_enabled():
            return found
        return tuple(gradient / self.scaler.get_scale() for gradient in found)


def _rows(vectors: Vectors) -> list[Tensor]:
    """Return all that the input layer gives."""
    return [vectors.x, *(items.vectors for items in vectors.sequences)]


def _gramian(gradients: Tensor) -> Tensor:
    return gradients @ gradients.t()
