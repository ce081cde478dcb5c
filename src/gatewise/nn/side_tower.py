"""Shallow tower for bias features such as display position; used in training only."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import generator
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import GroupLinear
from gatewise.nn.perceptrons import GroupMLP


class SideTower(nn.Module):
    """Adds a term from bias features to every task's score in training; in evaluation these features count as missing.

    People click what is displayed first. With the position as a bias feature, the rest of the model need not explain
    such clicks. When serving, the position is not known yet, and predictions must not depend on it.

    Args:
        input_dim: width of the features.
        num_scores: number of scores of all tasks.
        dims: hidden widths; none: linear.
        dropout: share of the training rows whose features count as missing, so that the model learns this case.
        hidden: the hidden layers, see :class:`Hidden`.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, score]``, equal for all rows in evaluation mode

    References:
        Zhao et al.: Recommending What Video to Watch Next: A Multitask Ranking System. RecSys 2019.
    """

    def __init__(
        self,
        input_dim: int,
        num_scores: int,
        dims: tuple[int, ...] = (),
        *,
        dropout: float = 0.1,
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        self.hidden = GroupMLP(1, input_dim, dims, hidden=hidden)
        self.linear = GroupLinear(1, self.hidden.output_dim, num_scores, bias=False, gain=3**-0.5)
        self.dropout = dropout

    @override
    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            kept = torch.rand(len(x), 1, device=x.device, generator=generator(x.device)) >= self.dropout
            x = torch.where(kept, x, 0.0)
        else:
            x = torch.zeros_like(x)
        output: Tensor = self.linear(self.hidden(x))
        return output.squeeze(1)
