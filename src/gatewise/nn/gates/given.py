"""Gates that somebody brings: what they give is looked at before experts are mixed by it."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import lent
from gatewise.errors import ShapeError
from gatewise.nn.gates.gates import Gated, gated


class GivenGates(nn.Module):
    """Any module as gates.

    Args:
        module: gives weights ``[batch, gate, expert]`` or :class:`Gated`.
        num_gates: how many gates it must have.
        num_experts: how many experts each of them must weigh.

    Raises:
        ShapeError: in a forward pass, where the weights have another shape or are not real numbers.

    Shape:
        - input ``[batch, ...]``, whatever the module reads
        - output: :class:`Gated`
    """

    def __init__(self, module: nn.Module, num_gates: int, num_experts: int) -> None:
        super().__init__()
        self.module = module
        self.num_gates, self.num_experts = num_gates, num_experts

    @property
    def sparse(self) -> bool:
        """Whether most weights are exactly 0, so that experts can be skipped."""
        return bool(getattr(self.module, "sparse", False))

    @property
    def reach(self) -> Tensor | None:
        """Which experts each gate weighs, ``[gate, expert]`` bool; None: all."""
        reach = getattr(self.module, "reach", None)
        return reach if isinstance(reach, Tensor) else None

    @override
    def forward(self, x: Tensor) -> Gated:
        # it may draw, and then knows the global stream alone
        with lent():
            found = gated(self.module(x))
        expected = (x.shape[0], self.num_gates, self.num_experts)
        weights = found.weights
        if not isinstance(weights, Tensor) or weights.shape != expected or not weights.is_floating_point():
            shape = f"{weights.dtype} {list(weights.shape)}" if isinstance(weights, Tensor) else type(weights).__name__
            kind = type(self.module).__name__
            raise ShapeError(f"gate {kind}: expected weights [batch, gate, expert] = {list(expected)}, found {shape}")
        return found
