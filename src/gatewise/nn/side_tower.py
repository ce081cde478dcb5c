"""A shallow tower for what moves a label and not the taste, such as the position on the page."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import generator
from gatewise.nn.layers import GroupLinear, GroupMLP


class SideTower(nn.Module):
    """Adds to every task's score what its features explain, in training; afterwards they count as missing.

    People click what stands first. Where training knows the position, the rest of the model need not explain it; when
    serving there is no position yet, and predictions must not depend on one.

    Args:
        input_dim: width of the features.
        num_scores: how many scores the tasks have.
        dims: hidden widths; none: linear.
        dropout: share of the rows whose features count as missing in training, so that the model knows that case.
        activation: of the hidden layers.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, score]``, the same for all rows in evaluation

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
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.hidden = GroupMLP(1, input_dim, dims, activation=activation)
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
