"""Pooling by attention to a target item."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import GroupLinear
from gatewise.nn.perceptrons import GroupMLP
from gatewise.nn.sequences.padded import Padded


class TargetAttention(nn.Module):
    r"""A sum of the items, weighted by their relevance to a target: deep interest network.

    .. math:: \sum_j a(e_j, t) \, e_j, \quad a(e, t) = \mathrm{MLP}([e; t; e - t; e \odot t])

    where :math:`e_j` are the items and t is the target. The weights need not sum to 1, so that a strong interest stays
    strong; ``normalise`` applies a softmax.

    Args:
        dim: width of items and target.
        dims: hidden widths of the perceptron.
        normalise: whether the weights sum to 1.
        hidden: the hidden layers, see :class:`Hidden`.

    Shape:
        - input: :class:`Padded`, and the target ``[batch, dim]``
        - output ``[batch, dim]``

    References:
        Zhou et al.: Deep Interest Network for Click-Through Rate Prediction. KDD 2018.
    """

    def __init__(
        self, dim: int, dims: tuple[int, ...] = (32,), *, normalise: bool = False, hidden: Hidden = Hidden("silu")
    ) -> None:
        super().__init__()
        # NOTE[DIFF]: another smooth activation instead of the paper's Dice, which needs batch statistics
        self.hidden = GroupMLP(1, 4 * dim, dims, hidden=hidden)
        self.linear = GroupLinear(1, self.hidden.output_dim, 1, gain=3**-0.5)
        self.normalise, self.output_dim = normalise, dim

    @override
    def forward(self, items: Padded, target: Tensor) -> Tensor:
        return (self.weights(items, target).unsqueeze(2) * items.vectors).sum(dim=1)

    def weights(self, items: Padded, target: Tensor) -> Tensor:
        """Return the weight of every item, ``[batch, length]``; 0 for padding."""
        vectors, present = items
        aims = target.unsqueeze(1).expand_as(vectors)
        pairs = torch.cat([vectors, aims, vectors - aims, vectors * aims], dim=2)
        weights = self.linear(self.hidden(pairs.flatten(0, 1))).view(present.shape)
        if not self.normalise:
            return weights * present
        hidden = weights.masked_fill(~present, torch.finfo(weights.dtype).min)
        return hidden.softmax(dim=1) * present
