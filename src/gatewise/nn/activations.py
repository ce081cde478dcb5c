"""Activations of hidden layers; some have parameters of their own per unit."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError, did_you_mean
from gatewise.nn.layers import GroupNorm

START_SLOPE = 0.25
"""Slope of a new PReLU below 0, as in He et al.: Delving Deep into Rectifiers. ICCV 2015."""


class UnitActivation(nn.Module):
    """Base of activations with parameters per unit.

    Shape:
        - input and output ``[batch, group, width]``
    """

    @abstractmethod
    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the activated units."""

    @abstractmethod
    def one(self, group: int, x: Tensor) -> Tensor:
        """Return one group's units ``[batch, width]``, in evaluation mode."""


class PReLU(UnitActivation):
    r"""A ReLU with a learnt slope per unit below 0.

    .. math:: \phi(x) = x \text{ for } x > 0, \text{ else } a x

    Args:
        groups: number of groups of units.
        width: number of units per group.

    Shape:
        - input and output ``[batch, group, width]``

    Example:
        >>> PReLU(1, 2)(torch.tensor([[[-4.0, 4.0]]])).tolist()
        [[[-1.0, 4.0]]]

    References:
        He et al.: Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet Classification.
        ICCV 2015.
    """

    def __init__(self, groups: int, width: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.full((groups, width), START_SLOPE))

    @override
    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, self.slope * x)

    @override
    def one(self, group: int, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, self.slope[group] * x)


class Dice(UnitActivation):
    r"""A PReLU whose turning point follows the units' mean and variance: it opens smoothly around the mean.

    .. math::
        \phi(x) = p(x) \, x + (1 - p(x)) \, a x, \quad
        p(x) = \sigma\!\left(\frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}}\right)

    Mean and variance are those of the batch in training, and running ones in evaluation and for a single row; the
    slope a of each unit is learnt and starts at 0.

    Args:
        groups: number of groups of units.
        width: number of units per group.

    Shape:
        - input and output ``[batch, group, width]``

    Example:
        >>> Dice(1, 2).eval()(torch.tensor([[[0.0, 100.0]]])).tolist()
        [[[0.0, 100.0]]]

    References:
        Zhou et al.: Deep Interest Network for Click-Through Rate Prediction. KDD 2018.
    """

    EPSILON = 1e-8

    def __init__(self, groups: int, width: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(groups, width))
        self.norm = GroupNorm("batch", groups, width, affine=False, eps=self.EPSILON)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return _opened(x, self.norm(x), self.slope)

    @override
    def one(self, group: int, x: Tensor) -> Tensor:
        return _opened(x, self.norm.one(group, x), self.slope[group])


def _opened(x: Tensor, score: Tensor, slope: Tensor) -> Tensor:
    opening = score.sigmoid()
    return x * (opening + (1 - opening) * slope)


PLAIN: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "leaky_relu": nn.LeakyReLU,
    "sigmoid": nn.Sigmoid,
}
BY_UNIT: dict[str, type[PReLU | Dice]] = {"prelu": PReLU, "dice": Dice}
ACTIVATIONS = (*PLAIN, *BY_UNIT)


def activation_layer(name: str, groups: int, width: int) -> nn.Module:
    """Return a new activation of units ``[batch, group, width]``.

    Raises:
        ShapeError: no activation has this name.
    """
    check_activation(name)
    return PLAIN[name]() if name in PLAIN else BY_UNIT[name](groups, width)


def check_activation(name: str) -> None:
    """Refuse a name that no activation has."""
    if name not in ACTIVATIONS:
        expected = ", ".join(ACTIVATIONS)
        raise ShapeError(f"activation: expected one of {expected}, found {name!r}{did_you_mean(name, ACTIVATIONS)}")
