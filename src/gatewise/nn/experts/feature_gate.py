"""Experts that each weigh their input features."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.experts.experts import Experts
from gatewise.nn.experts.mlp import MLPExperts
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import GroupLinear, check_sizes

# standard deviation of the output of a gate's two maps: at first all gates are near 1, and both maps get gradients
GAIN = 3**-0.5


class FeatureGates(nn.Module):
    r"""One gate of low rank per expert, over the entries of the expert's input.

    .. math:: \tilde x_i = x_i \odot 2 \, \sigma(x_i A_i B_i)

    where :math:`A_i` is ``[input_dim, rank]`` and :math:`B_i` ``[rank, input_dim]``. A factor of 1
    leaves an entry unchanged, 0 hides it, 2 doubles it.

    Args:
        num_experts: number of experts; each has one gate.
        input_dim: width of the input.
        rank: width between the two maps.

    Shape:
        - input ``[batch, input_dim]``, read by every gate, or ``[batch, expert, input_dim]``
        - output ``[batch, expert, input_dim]``

    Example:
        >>> import torch
        >>> FeatureGates(3, 4, rank=2)(torch.zeros(5, 4)).shape
        torch.Size([5, 3, 4])
    """

    def __init__(self, num_experts: int, input_dim: int, rank: int) -> None:
        super().__init__()
        check_sizes(rank=rank)
        # NOTE[DIFF]: one gate of low rank, not a weighted sum of several: every expert has a gate of its own already
        self.down = GroupLinear(num_experts, input_dim, rank, bias=False, gain=GAIN)
        self.up = GroupLinear(num_experts, rank, input_dim, bias=False, gain=GAIN)

    @override
    def forward(self, x: Tensor) -> Tensor:
        opened: Tensor = self.up(self.down(x)).sigmoid()
        # the factor 2 multiplies x, which often has no expert dimension
        doubled = 2 * x
        return opened * (doubled.unsqueeze(1) if x.dim() == 2 else doubled)

    def one(self, expert: int, x: Tensor) -> Tensor:
        """Return the gated input ``[batch, input_dim]`` of one expert."""
        return 2 * x * self.up.one(expert, self.down.one(expert, x)).sigmoid()


class FeatureGatedExperts(Experts):
    """Multi-layer perceptrons, each behind a feature gate of its own.

    Args:
        input_dim: width of the input.
        num_experts: number of experts.
        dims: hidden widths of every expert; the last is its output width.
        rank: rank of the feature gates.
        counts: number of experts per set, if sets have different owners.
        hidden: the hidden layers, see :class:`Hidden`.

    Shape:
        - input ``[batch, input_dim]`` or ``[batch, expert, input_dim]``
        - output ``[batch, expert, dims[-1]]``
    """

    def __init__(
        self,
        input_dim: int,
        num_experts: int,
        dims: tuple[int, ...],
        rank: int,
        *,
        counts: tuple[int, ...] = (),
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        self.feature_gates = FeatureGates(num_experts, input_dim, rank)
        self.experts = MLPExperts(input_dim, num_experts, dims, hidden=hidden)
        self.num_experts, self.counts = num_experts, counts
        self.output_dim = self.experts.output_dim

    @override
    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.experts(self.feature_gates(x))
        return outputs

    @override
    def one(self, expert: int, x: Tensor) -> Tensor:
        return self.experts.one(expert, self.feature_gates.one(expert, x))

    @override
    def _mixed(self, x: Tensor, weights: Tensor) -> Tensor:
        return self.experts.mixed(self.feature_gates(x), weights)
