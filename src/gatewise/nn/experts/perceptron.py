"""One multi-layer perceptron as an expert among others."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.hidden import Hidden
from gatewise.nn.perceptrons import GroupMLP


class ExpertNetwork(nn.Module):
    """A multi-layer perceptron, for lists of different experts; equal ones are faster as :class:`MLPExperts`.

    Args:
        input_dim: width of the input.
        dims: hidden widths; the last is the output width.
        hidden: the hidden layers, see :class:`Hidden`.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, dims[-1]]``
    """

    def __init__(
        self,
        input_dim: int,
        dims: tuple[int, ...],
        *,
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        self.mlp = GroupMLP(1, input_dim, dims, hidden=hidden)
        self.output_dim = self.mlp.output_dim

    @override
    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.mlp(x)
        return output.squeeze(1)
