"""Sines and cosines of a number."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.layers import GroupLinear, check_sizes


class PeriodicEmbeddings(nn.Module):
    r"""Rectified linear maps of sines and cosines at learnt frequencies, all of them one a feature.

    .. math:: z = \mathrm{relu}(W [\sin v; \cos v] + b), \qquad v = 2 \pi x \, (c_1, \dots, c_F)

    where :math:`c_i` are the feature's F frequencies, drawn from :math:`N(0, \sigma^2)` and learnt, W is ``[dim, 2 F]``
    and b a bias.

    Args:
        features: how many.
        frequencies: how many each of them has.
        sigma: their standard deviation at first. A small one starts near a plain number; a large one can tell apart
            numbers that lie close together, and learns noise.
        dim: width of an embedding.

    Raises:
        ShapeError: a size or ``sigma`` is not positive; names it.

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
        # NOTE[DIFF]: none beyond three deviations, as in the authors' package: a single high frequency adds noise
        nn.init.trunc_normal_(self.frequencies, std=sigma, a=-3 * sigma, b=3 * sigma)
        self.linear = GroupLinear(features, 2 * frequencies, dim, gain=3**-0.5)
        self.output_dim = dim

    def encode(self, x: Tensor) -> Tensor:
        """Return every number's sines and then its cosines, ``[batch, feature, 2 * frequency]``."""
        angles = x.unsqueeze(2) * (2 * math.pi * self.frequencies)
        return torch.cat([angles.sin(), angles.cos()], dim=2)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.encode(x), rectify=True)
