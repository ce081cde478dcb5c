"""Sines and cosines of a number."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.layers import GroupLinear, check_sizes


class PeriodicEmbeddings(nn.Module):
    r"""A rectified linear map of sines and cosines at learnt frequencies; every feature has its own.

    .. math:: z = \mathrm{relu}(W [\sin v; \cos v] + b), \qquad v = 2 \pi x \, (c_1, \dots, c_F)

    where :math:`c_i` are the feature's F frequencies, drawn from :math:`N(0, \sigma^2)` and learnt, W is ``[dim, 2 F]``
    and b a bias.

    Args:
        features: number of features.
        frequencies: number of frequencies per feature.
        sigma: standard deviation of the initial frequencies. With a small sigma an embedding is at first almost linear;
            with a large one it separates numbers that are close together, and also learns noise.
        dim: width of an embedding.

    Raises:
        ShapeError: a size or ``sigma`` is not positive; names the argument.

    Shape:
        - input ``[batch, feature]``
        - output ``[batch, feature, dim]``

    Example:
        >>> PeriodicEmbeddings(2, frequencies=3, sigma=0.1, dim=4)(torch.zeros(5, 2)).shape
        torch.Size([5, 2, 4])

    References:
        Gorishniy, Rubachev, Babenko: On Embeddings for Numerical Features in Tabular Deep Learning. NeurIPS 2022.
    """

    def __init__(self, features: int, frequencies: int, sigma: float, dim: int) -> None:
        super().__init__()
        check_sizes(features=features, frequencies=frequencies, dim=dim)
        if not 0 < sigma < math.inf:
            raise ShapeError(f"sigma: expected a positive number, found {sigma}")
        self.frequencies = nn.Parameter(torch.empty(features, frequencies))
        # NOTE[DIFF]: no frequency beyond three deviations, as in the authors' package: a single high one adds noise
        nn.init.trunc_normal_(self.frequencies, std=sigma, a=-3 * sigma, b=3 * sigma)
        self.linear = GroupLinear(features, 2 * frequencies, dim, gain=3**-0.5)
        self.output_dim = dim

    def encode(self, x: Tensor) -> Tensor:
        """Return the sines, then the cosines of every number, ``[batch, feature, 2 * frequency]``."""
        angles = x.unsqueeze(2) * (2 * math.pi * self.frequencies)
        return torch.cat([angles.sin(), angles.cos()], dim=2)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.encode(x), rectify=True)
