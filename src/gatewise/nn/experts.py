"""Experts: the networks that tasks share."""

from __future__ import annotations

from torch import Tensor, nn

from gatewise.kernels import mix
from gatewise.nn.layers import GroupMLP


class Experts(nn.Module):
    r"""Equal multi-layer perceptrons that all read the same input, computed as batched products.

    .. math:: f_i(x), \quad i = 1, \dots, E

    Args:
        input_dim: width of the input.
        num_experts: how many experts.
        dims: hidden widths of every expert; the last is its output width.
        activation, dropout, norm: see :class:`GroupMLP`.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, expert, dims[-1]]``
    """

    def __init__(
        self,
        input_dim: int,
        num_experts: int,
        dims: tuple[int, ...],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        norm: str = "none",
    ) -> None:
        super().__init__()
        self.mlp = GroupMLP(num_experts, input_dim, dims, activation=activation, dropout=dropout, norm=norm)
        self.output_dim = self.mlp.output_dim

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        outputs: Tensor = self.mlp(x)
        return outputs

    def mixed(self, x: Tensor, gates: Tensor) -> Tensor:
        """Return the experts' outputs as every gate ``[batch, gate, expert]`` mixes them, ``[batch, gate, hidden]``."""
        rectify = self.mlp.ends_rectified
        return mix(gates, self.mlp(x, rectify_last=not rectify), rectify=rectify)
