"""Embeddings from a number's position in bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.layers import GroupLinear, check_sizes


class PiecewiseLinearEmbeddings(nn.Module):
    r"""A linear map of a number and of its position in each bin: a line that may bend at the bins' edges.

    .. math::
        z = a x + W e(x) + c, \qquad e_t(x) = \min\!\big(\max\!\big(\tfrac{x - b_{t-1}}{b_t - b_{t-1}}, 0\big), 1\big)

    where :math:`b_0 < \dots < b_T` are the feature's edges, W is ``[dim, T]``, a and c are ``[dim]``. A bin below x
    gives 1, a bin above x gives 0. The first bin may give less than 0 and the last one more than 1, so that numbers
    beyond the edges differ; with ``flat``, x is held between the outermost edges first.

    Args:
        edges: rising edges of every feature's bins; features may have different numbers of bins.
        dim: width of an embedding.
        flat: whether numbers beyond the edges have the embedding of the nearest edge.

    Raises:
        ShapeError: a feature has no bin, or its edges do not rise; names the feature's position.

    Shape:
        - input ``[batch, feature]``
        - output ``[batch, feature, dim]``

    Example:
        >>> PiecewiseLinearEmbeddings([[0, 1, 3], [-1, 1]], dim=4)(torch.zeros(5, 2)).shape
        torch.Size([5, 2, 4])

    References:
        Gorishniy, Rubachev, Babenko: On Embeddings for Numerical Features in Tabular Deep Learning. NeurIPS 2022.
    """

    left: Tensor
    width: Tensor
    lowest: Tensor
    highest: Tensor

    least: Tensor
    most: Tensor

    def __init__(self, edges: Sequence[Sequence[float]], dim: int, *, flat: bool = False) -> None:
        super().__init__()
        check_sizes(features=len(edges), dim=dim)
        for feature, of_one in enumerate(edges):
            if len(of_one) < 2 or not all(left < right for left, right in pairwise(of_one)):
                raise ShapeError(f"edges[{feature}]: expected two or more that rise, found {list(of_one)}")
        bins = [len(of_one) - 1 for of_one in edges]
        bounds = torch.tensor([_bounds(of_one, max(bins)) for of_one in edges])
        for name, bound in zip(("left", "width", "lowest", "highest"), bounds.unbind(1), strict=True):
            self.register_buffer(name, bound.contiguous(), persistent=False)
        self.flat = flat
        self.register_buffer("least", torch.tensor([of_one[0] for of_one in edges]), persistent=False)
        self.register_buffer("most", torch.tensor([of_one[-1] for of_one in edges]), persistent=False)
        # NOTE[DIFF]: the line a x is added and W starts at zero, as in the authors' later package: with a random W the
        # line bends at every edge until training has removed the bends. At first an embedding is as long as its number
        self.slope = nn.Parameter(torch.empty(len(edges), dim).uniform_(-math.sqrt(3 / dim), math.sqrt(3 / dim)))
        self.linear = GroupLinear(len(edges), max(bins), dim)
        nn.init.zeros_(self.linear.weight)
        self.output_dim = dim

    def encode(self, x: Tensor) -> Tensor:
        """Return every number's position in every bin, ``[batch, feature, bin]``; missing bins give zeros."""
        return ((x.unsqueeze(2) - self.left) / self.width).clamp(self.lowest, self.highest)

    @override
    def forward(self, x: Tensor) -> Tensor:
        x = x.clamp(self.least, self.most) if self.flat else x
        bent: Tensor = self.linear(self.encode(x))
        return torch.addcmul(bent, x.unsqueeze(2), self.slope)


def _bounds(edges: Sequence[float], bins: int) -> list[list[float]]:
    """Return left edge, width, minimum and maximum of every bin; missing bins have minimum and maximum 0."""
    own = len(edges) - 1
    missing = [0.0] * (bins - own)
    return [
        [*edges[:-1], *missing],
        [*(right - left for left, right in pairwise(edges)), *(1.0 for _ in missing)],
        [-math.inf, *[0.0] * (own - 1), *missing],
        [*[1.0] * (own - 1), math.inf, *missing],
    ]
