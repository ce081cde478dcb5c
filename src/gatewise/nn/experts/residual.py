"""An expert that is a multi-layer perceptron with residual layers."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.perceptrons import GroupResidualMLP


class ResidualMLP(nn.Module):
    """A perceptron of layers that add to their input; see :class:`gatewise.nn.GroupResidualMLP`.

    Args:
        input_dim: width of the input.
        dims: widths of the layers, one or more.
        hidden: the hidden layers, see :class:`Hidden`.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, dims[-1]]``

    References:
        He et al.: Deep Residual Learning for Image Recognition. CVPR 2016.
    """

    def __init__(
        self,
        input_dim: int,
        dims: tuple[int, ...],
        *,
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim)
        self.mlp = GroupResidualMLP(1, input_dim, dims, hidden=hidden)
        self.output_dim = self.mlp.output_dim

    @override
    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.mlp(x)
        return output.squeeze(1)
