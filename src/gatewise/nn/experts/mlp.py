"""Equal multi-layer perceptrons as experts, computed as batched products."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from gatewise.kernels import mix
from gatewise.nn.experts.experts import Experts
from gatewise.nn.hidden import Hidden
from gatewise.nn.perceptrons import GroupMLP


class MLPExperts(Experts):
    """Equal multi-layer perceptrons.

    Args:
        input_dim: width of the input.
        num_experts: number of experts.
        dims: hidden widths of every expert; the last is its output width.
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
        *,
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        self.mlp = GroupMLP(num_experts, input_dim, dims, hidden=hidden)
        self.num_experts = num_experts
        self.output_dim = self.mlp.output_dim

    @override
    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.mlp(x)
        return outputs

    @override
    def one(self, expert: int, x: Tensor) -> Tensor:
        return self.mlp.one(expert, x)

    @override
    def _mixed(self, x: Tensor, weights: Tensor) -> Tensor:
        rectify = self.mlp.ends_rectified
        return mix(weights, self.mlp(x, rectify_last=not rectify), rectify=rectify)
