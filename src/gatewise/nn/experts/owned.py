"""Experts that belong to tasks, and shared ones."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.experts.experts import Experts
from gatewise.nn.experts.mlp import MLPExperts
from gatewise.nn.hidden import Hidden


class OwnedExperts(Experts):
    """Multi-layer perceptrons by unit: one unit per task with its own experts, and a last unit with the shared ones.

    All experts are one batched product, also if units have different numbers of experts.

    Args:
        input_dim: width of a unit's state.
        own: number of own experts per task.
        shared: number of shared experts.
        dims: hidden widths of every expert.
        hidden: the hidden layers, see :class:`Hidden`.

    Attributes:
        counts: number of experts per unit.
        owner: ``[expert]``, the unit of each expert; the experts of task 0 come first, the shared ones last.

    Shape:
        - input ``[batch, input_dim]``, read by all experts, or ``[batch, unit, input_dim]``, one input per unit
        - output ``[batch, expert, dims[-1]]``

    Example:
        >>> experts = OwnedExperts(4, own=(1, 2), shared=1, dims=(3,))
        >>> experts.owner.tolist(), experts(torch.zeros(5, 3, 4)).shape
        ([0, 1, 1, 2], torch.Size([5, 4, 3]))
    """

    owner: Tensor

    def __init__(
        self,
        input_dim: int,
        own: tuple[int, ...],
        shared: int,
        dims: tuple[int, ...],
        *,
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        self.counts = (*own, shared)
        self.num_experts = sum(self.counts)
        self.experts = MLPExperts(input_dim, self.num_experts, dims, hidden=hidden)
        owners = [unit for unit, count in enumerate(self.counts) for _ in range(count)]
        self.register_buffer("owner", torch.tensor(owners), persistent=False)
        self.output_dim = self.experts.output_dim

    def belongs(self, units: int) -> Tensor:
        """Return the mask ``[unit, expert]`` of the experts that belong to each of the first units."""
        return self.owner == torch.arange(units, device=self.owner.device).unsqueeze(1)

    @override
    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.experts(self._inputs(x))
        return outputs

    @override
    def one(self, expert: int, x: Tensor) -> Tensor:
        return self.experts.one(expert, x)

    @override
    def _mixed(self, x: Tensor, weights: Tensor) -> Tensor:
        return self.experts.mixed(self._inputs(x), weights)

    @override
    def _mixed_sparsely(self, x: Tensor, weights: Tensor) -> Tensor:
        return self.experts.mixed(self._inputs(x), weights, sparse=True)

    def _inputs(self, x: Tensor) -> Tensor:
        return x if x.dim() == 2 else x.index_select(1, self.owner)


def own_counts(own_experts: int | tuple[int, ...], shared_experts: int, num_tasks: int) -> tuple[int, ...]:
    """Return the number of own experts per task.

    Raises:
        ShapeError: the numbers are not one per task, a number is negative, or a task has no expert.
    """
    counts = (own_experts,) * num_tasks if isinstance(own_experts, int) else tuple(own_experts)
    if len(counts) != num_tasks:
        raise ShapeError(f"own_experts: expected one number, or {num_tasks}, one per task, found {len(counts)}")
    for name, count in [("shared_experts", shared_experts), *((f"own_experts[{k}]", n) for k, n in enumerate(counts))]:
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ShapeError(f"{name}: expected a whole number from 0, found {count!r}")
    if shared_experts == 0 and 0 in counts:
        raise ShapeError(f"own_experts: task {counts.index(0)} has none, and shared_experts is 0: it needs an expert")
    return counts
