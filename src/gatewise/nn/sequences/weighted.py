"""Weighted mean or sum of the items."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.sequences.padded import Padded


class WeightedPooling(nn.Module):
    r"""The weighted ``mean`` or ``sum`` of a sequence's items.

    .. math:: \frac{\sum_j w_j e_j}{\sum_j w_j} \quad \text{or} \quad \sum_j w_j e_j

    where :math:`e_j` are the items and :math:`w_j` their weights, 0 or more. If all weights are 0, both are zeros.

    Args:
        kind: ``mean`` or ``sum``.
        dim: width of an item.

    Shape:
        - input: :class:`Padded`, and the weights ``[batch, length]``; those of padding do not matter
        - output ``[batch, dim]``

    Example:
        >>> from gatewise.nn import Padded
        >>> items = Padded(torch.tensor([[[2.0], [5.0]]]), torch.tensor([[True, True]]))
        >>> WeightedPooling("mean", 1)(items, torch.tensor([[2.0, 1.0]]))
        tensor([[3.]])
    """

    def __init__(self, kind: str, dim: int) -> None:
        super().__init__()
        self.kind, self.output_dim = kind, dim

    @override
    def forward(self, items: Padded, weights: Tensor) -> Tensor:
        known = torch.where(items.present, weights, 0)
        if self.kind == "mean" and known.shape[1]:
            # relative to the greatest weight, so that no sum overflows
            known = known / _above_0(known.amax(dim=1, keepdim=True))
            known = known / _above_0(known.sum(dim=1, keepdim=True))
        return (known.unsqueeze(2) * items.vectors).sum(dim=1)


def _above_0(divisor: Tensor) -> Tensor:
    return torch.where(divisor > 0, divisor, 1)
