"""A user's gates: their weights are checked before they mix experts."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import lent
from gatewise.errors import ShapeError
from gatewise.nn.gates.gates import Gated, gated


class GivenGates(nn.Module):
    """Gates from any module.

    Args:
        module: returns weights ``[batch, gate, expert]`` or :class:`Gated`.
        num_gates: expected number of gates.
        num_experts: expected number of experts per gate.

    Raises:
        ShapeError: in a forward pass, if the weights have another shape or are not real numbers.

    Shape:
        - input ``[batch, ...]``, as the module expects
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
        # the module may draw random numbers, which it takes from the global generator
        with lent():
            found = gated(self.module(x))
        expected = (x.shape[0], self.num_gates, self.num_experts)
        weights = found.weights
        if not isinstance(weights, Tensor) or weights.shape != expected or not weights.is_floating_point():
            shape = f"{weights.dtype} {list(weights.shape)}" if isinstance(weights, Tensor) else type(weights).__name__
            kind = type(self.module).__name__
            raise ShapeError(f"gate {kind}: expected weights [batch, gate, expert] = {list(expected)}, found {shape}")
        return found
