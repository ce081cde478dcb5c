"""Members: several models in one, which share all weights but the scales of their inputs and their towers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.layers import check_sizes
from gatewise.nn.sequences import Padded

Merge = Callable[[Tensor], Tensor]
"""From the members' scores ``[batch, member, score]`` to scores ``[batch, score]`` that predict their mean."""


class Members(nn.Module):
    r"""Gives every member a view of the input that is its own: the input times a vector of learnt scales.

    .. math:: x^{(i)} = r_i \odot x, \qquad r_i \in \{-1, 1\}^d \text{ at first}

    Trunk and embeddings are shared, so that k members cost k passes through the trunk but hold little more than one
    model; every member has towers of its own. Each learns from its own loss, and their predictions are averaged.

    Args:
        count: number of members.
        input_dim: width of the trunk's input.
        merge: makes one score of the members' scores, for each task in its own way.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch * member, input_dim]``, the members of a row side by side

    Example:
        >>> Members(4, 3, merge=lambda scores: scores.mean(dim=1))(torch.zeros(5, 3)).shape
        torch.Size([20, 3])

    References:
        Gorishniy, Kotelnikov, Babenko: TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling. ICLR
        2025 (the variant that scales the first layer's input only).
    """

    def __init__(self, count: int, input_dim: int, merge: Merge) -> None:
        super().__init__()
        check_sizes(count=count, input_dim=input_dim)
        self.count, self._merge = count, merge
        self.scale = nn.Parameter(torch.randint(2, (count, input_dim)).float() * 2 - 1)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(1) * self.scale).flatten(0, 1)

    def repeated(self, items: Padded) -> Padded:
        """Return sequences with every row once for each member."""
        return Padded(*(part.repeat_interleave(self.count, dim=0) for part in items))

    def of_rows(self, hidden: Tensor) -> Tensor:
        """Return ``[batch, member * task, hidden]`` from ``[batch * member, task, hidden]``."""
        return hidden.reshape(-1, self.count * hidden.shape[1], hidden.shape[2])

    def apart(self, scores: Tensor) -> Tensor:
        """Return ``[batch * member, score]`` from ``[batch, member * score]``."""
        return scores.reshape(-1, scores.shape[1] // self.count)

    def merged(self, scores: Tensor) -> Tensor:
        """Return scores ``[batch, score]`` that predict the mean of the members' predictions."""
        return self._merge(scores.reshape(-1, self.count, scores.shape[1]))

    def mean(self, by_member: Tensor) -> Tensor:
        """Return the mean over the members, ``[batch, ...]`` from ``[batch * member, ...]``."""
        return by_member.reshape(-1, self.count, *by_member.shape[1:]).mean(dim=1)
