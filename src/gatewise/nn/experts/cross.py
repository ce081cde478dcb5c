"""A cross network as an expert."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.layers import check_sizes


class CrossNetwork(nn.Module):
    r"""Products of features, of rising degree, then a linear map.

    .. math:: x_{j+1} = x_0 \odot (W_j x_j + b_j) + x_j, \quad f(x) = O x_J

    with :math:`W_j` of full rank, or :math:`W_j = U_j V_j` of low rank.

    Args:
        input_dim: width of the input.
        output_dim: width of the output.
        layers: J, the number of cross layers; products have up to J + 1 factors.
        rank: rank of the matrices; None: full.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, output_dim]``

    References:
        Wang et al.: DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to Rank
        Systems. WWW 2021.
    """

    def __init__(self, input_dim: int, output_dim: int, *, layers: int = 2, rank: int | None = None) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, output_dim=output_dim, layers=layers, rank=rank or 1)

        def square() -> nn.Module:
            if rank is None:
                return nn.Linear(input_dim, input_dim)
            return nn.Sequential(nn.Linear(input_dim, rank, bias=False), nn.Linear(rank, input_dim))

        self.crosses = nn.ModuleList(square() for _ in range(layers))
        self.leave = nn.Linear(input_dim, output_dim)
        self.output_dim = output_dim

    @override
    def forward(self, x: Tensor) -> Tensor:
        crossed = x
        for cross in self.crosses:
            crossed = x * cross(crossed) + crossed
        output: Tensor = self.leave(crossed)
        return output
