"""Gradients of single tasks with respect to what tasks share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor, nn

from gatewise.balance import Site
from gatewise.nn import Experts, Gates, MultiTaskModel, Trunk, Vectors
from gatewise.processes import Processes


def experts_of(trunk: Trunk) -> list[nn.Parameter]:
    """Return the weights of all experts, or of the trunk without its gates if it has no experts."""
    return [weight for unit in _units(trunk) for _, weight in _trained(unit)]


def last_shared_layer(trunk: Trunk) -> list[nn.Parameter]:
    """Return the last matrix of every expert in the last level, or of the trunk if it has no experts."""
    last = _units(trunk)[-1]
    apart = getattr(last, "experts", None)
    units = list(apart) if isinstance(apart, nn.ModuleList) else [last]
    return [matrix for unit in units for matrix in _matrices(unit)[-1:]]


def _units(trunk: Trunk) -> list[nn.Module]:
    """Return the outermost sets of experts, level by level, or the trunk if it has none."""
    found: list[nn.Module] = []
    inside: set[int] = set()
    for module in trunk.modules():
        if isinstance(module, Experts) and id(module) not in inside:
            found.append(module)
            inside |= {id(part) for part in module.modules()}
    return found or [trunk]


def _matrices(unit: nn.Module) -> list[nn.Parameter]:
    """Return all weights but biases and scales; a bias may have an expert axis too."""
    return [weight for name, weight in _trained(unit) if "weight" in name.rpartition(".")[2] and weight.dim() > 1]


def _trained(unit: nn.Module) -> list[tuple[str, nn.Parameter]]:
    gates = {id(weight) for module in unit.modules() if isinstance(module, Gates) for weight in module.parameters()}
    return [
        (name, weight) for name, weight in unit.named_parameters() if weight.requires_grad and id(weight) not in gates
    ]


WEIGHTS: dict[Site, Callable[[Trunk], list[nn.Parameter]]] = {
    "experts": experts_of,
    "last_shared_layer": last_shared_layer,
}


class TaskGradients:
    r"""Collects every task's gradient, batch by batch, and returns the Gramian of a whole step.

    .. math:: M_{jk} = g_j^\top g_k

    At the representation, batches and processes have different rows, so that their Gramians are summed. At weights,
    gradients are summed, and the Gramian is computed from the sums, over the weights with gradients of at least two
    tasks; other weights, such as those of a task's own experts, are not shared.

    Args:
        model: the model.
        sites: where gradients are taken.
        scaler: scales losses up, since half precision would lose small gradients.
        processes: the processes that share the step.
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
        """Enable gradients at the input layer's outputs, before the rest of the model reads them."""
        for rows in _rows(vectors):
            if not rows.requires_grad:
                rows.requires_grad_()

    def add(self, losses: Tensor, vectors: Vectors) -> None:
        """Add the gradients of a batch's part of the mean losses ``[task]``; the graph is kept."""
        # one site after the other: the rounding of kernels depends on the gradients that one pass computes
        if self.at_rows:
            gramian = _gramian(self._stacked(losses, _rows(vectors)))
            self.of_rows = gramian if self.of_rows is None else self.of_rows + gramian
        for site, weights in self.weights.items():
            stacked = self._stacked(losses, weights)
            self.sums[site] = stacked if site not in self.sums else self.sums[site] + stacked

    def gramian(self, site: Site) -> Tensor:
        """Return the Gramian ``[task, task]`` of all batches added."""
        if site == "representation":
            assert self.of_rows is not None
            return self.processes.sum(self.of_rows)
        sums = self.processes.sum(self.sums[site])
        shared = (sums != 0).sum(dim=0) > 1
        return _gramian(sums * shared)

    def _stacked(self, losses: Tensor, inputs: Sequence[Tensor]) -> Tensor:
        """Return the gradients of every loss at the inputs, flattened, ``[task, number]``."""
        if not inputs:
            # some experts have no weights
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
    """Return all output tensors of the input layer."""
    return [vectors.x, *(items.vectors for items in vectors.sequences)]


def _gramian(gradients: Tensor) -> Tensor:
    return gradients @ gradients.t()
