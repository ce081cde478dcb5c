"""Gates of different kinds side by side, one per task."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import lent
from gatewise.errors import ShapeError
from gatewise.nn.gates.gates import Gated, Gates, gated


class ListedGates(nn.Module):
    """One gate per task, each of its own kind.

    Args:
        modules: per task a module that returns weights ``[batch, expert]`` or ``[batch, 1, expert]``, or
            :class:`Gated`.
        num_gates: expected number of gates.
        num_experts: expected number of experts per gate.

    Raises:
        ShapeError: the number of modules is another one; in a forward pass, weights have another shape.

    Shape:
        - input ``[batch, input_dim]`` or ``[batch, gate, input_dim]``
        - output: :class:`Gated`

    Example:
        >>> from gatewise.nn.gates import SoftmaxGates, TopKGates
        >>> gates = ListedGates([SoftmaxGates(5, 1, 3), TopKGates(5, 1, 3, k=1)], num_gates=2, num_experts=3)
        >>> (gates(torch.ones(1, 5)).weights > 0).sum(dim=2).tolist()
        [[3, 1]]
    """

    reach: Tensor | None

    def __init__(self, modules: Sequence[nn.Module], num_gates: int, num_experts: int) -> None:
        super().__init__()
        if len(modules) != num_gates:
            raise ShapeError(f"gate: expected {num_gates} gates, one per task, found {len(modules)}")
        self.gates = nn.ModuleList(modules)
        self.num_experts = num_experts
        self.sparse = all(getattr(gate, "sparse", False) for gate in modules)
        masks = [getattr(gate, "reach", None) for gate in modules]
        whole = torch.ones(1, num_experts, dtype=torch.bool)
        reach = None if all(mask is None for mask in masks) else [whole if mask is None else mask for mask in masks]
        self.register_buffer("reach", None if reach is None else torch.cat(reach), persistent=False)

    @override
    def forward(self, x: Tensor) -> Gated:
        inputs = [x] * len(self.gates) if x.dim() == 2 else list(x.unbind(1))
        found = [_run(gate, own) for gate, own in zip(self.gates, inputs, strict=True)]
        weights = [self._of_one(task, each.weights, x.shape[0]) for task, each in enumerate(found)]
        penalties = [each.penalty for each in found if each.penalty is not None]
        return Gated(torch.cat(weights, dim=1), sum(penalties[1:], penalties[0]) if penalties else None)

    def _of_one(self, task: int, weights: Tensor, rows: int) -> Tensor:
        weights = weights.unsqueeze(1) if weights.dim() == 2 else weights
        if weights.shape != (rows, 1, self.num_experts):
            expected = f"[batch, expert] = {[rows, self.num_experts]}"
            raise ShapeError(f"gate[{task}]: expected weights {expected}, found {list(weights.shape)}")
        return weights


def _run(gate: nn.Module, x: Tensor) -> Gated:
    if isinstance(gate, Gates):
        return gated(gate(x))
    # a user's module may draw random numbers, which it takes from the global generator
    with lent():
        return gated(gate(x))
