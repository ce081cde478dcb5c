"""The behavioural expectation: a later step of a funnel is not likelier than the step before."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError


class BehaviouralExpectation(nn.Module):
    r"""Penalty: the mean amount by which a later step's probability exceeds the earlier one's.

    .. math:: \lambda \sum_{t > 1} \frac1B \sum_b \max(y_{b,t} - y_{b,t-1}, 0), \quad y = \sigma(s)

    Args:
        order: positions of the tasks' scores, from the likeliest, such as a click, to the least likely.
        strength: :math:`\lambda`.

    Shape:
        - input: scores ``[batch, score]``
        - output: scalar

    Example:
        >>> import torch
        >>> owed = BehaviouralExpectation((0, 1), strength=10.0)(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
        >>> round(owed.item(), 4)  # 10 * (sigmoid(1) - sigmoid(0)) / 2
        1.1553

    References:
        Xi et al.: Modeling the Sequential Dependence among Audience Multi-step Conversions with Multi-task Learning in
        Targeted Display Advertising. KDD 2021.
    """

    def __init__(self, order: tuple[int, ...], strength: float) -> None:
        super().__init__()
        if len(order) < 2:
            raise ShapeError(f"order: expected two tasks or more, found {len(order)}")
        self.order, self.strength = list(order), strength

    @override
    def forward(self, scores: Tensor) -> Tensor:
        probabilities = scores[:, self.order].sigmoid()
        exceeds = probabilities.diff(dim=1).relu()
        return self.strength * exceeds.sum() / max(len(scores), 1)
