"""Layers between the input layer and the trunk, shared by all experts."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import lent
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import Dropout, GroupNorm
from gatewise.nn.perceptrons import GroupMLP


class FeatureLayer(nn.Module):
    """Normalises the input, drops some of it in training, and passes it through layers that all experts share.

    Args:
        input_dim: width of the input.
        norm: ``none``, ``batch`` or ``layer``.
        dropout: share of the numbers dropped in training.
        dims: widths of the shared layers; none: the columns stay as they are.
        hidden: the shared layers, see :class:`Hidden`; they have no dropout of their own by default.
        interaction: any module; it maps the normalised input before the shared layers.
        interaction_dim: output width of ``interaction``.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, output_dim]``
    """

    def __init__(
        self,
        input_dim: int,
        *,
        norm: str = "none",
        dropout: float = 0.0,
        dims: tuple[int, ...] = (),
        hidden: Hidden = Hidden(),
        interaction: nn.Module | None = None,
        interaction_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.norm = None if norm == "none" else GroupNorm(norm, 1, input_dim)
        self.dropout = Dropout(dropout) if dropout else None
        self.interaction = interaction
        width = input_dim if interaction_dim is None else interaction_dim
        self.shared = GroupMLP(1, width, dims, hidden=hidden) if dims else None
        self.output_dim = dims[-1] if dims else width

    @override
    def forward(self, x: Tensor) -> Tensor:
        if self.norm is not None:
            x = self.norm(x.unsqueeze(1)).squeeze(1)
        if self.dropout is not None:
            x = self.dropout(x)
        if self.interaction is not None:
            # a user's interaction may draw random numbers, which it takes from the global generator
            with lent():
                x = self.interaction(x)
        return x if self.shared is None else self.shared(x).squeeze(1)
