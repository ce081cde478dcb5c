"""One multi-layer perceptron as an expert among others."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.layers import GroupMLP


class PerceptronExpert(nn.Module):
    """A multi-layer perceptron, for lists of different experts; equal ones are faster as :class:`MLPExperts`.

    Args:
        input_dim: width of the input.
        dims: hidden widths; the last is the output width.
        activation, dropout, norm: see :class:`gatewise.nn.layers.GroupMLP`.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, dims[-1]]``
    """

    def __init__(
        self,
        input_dim: int,
        dims: tuple[int, ...],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        norm: str = "none",
    ) -> None:
        super().__init__()
        self.mlp = GroupMLP(1, input_dim, dims, activation=activation, dropout=dropout, norm=norm)
        self.output_dim = self.mlp.output_dim

    @override
    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.mlp(x)
        return output.squeeze(1)
