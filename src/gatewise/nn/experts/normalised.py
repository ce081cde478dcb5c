"""Experts whose outputs are normalised."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import layer_norm
from typing_extensions import override

from gatewise.nn.experts.experts import Experts


class NormalisedExperts(Experts):
    r"""Other experts with the outputs of each brought to mean 0 and variance 1, row by row.

    .. math:: \hat f_i(x) = \frac{f_i(x) - \mathrm{mean}(f_i(x))}{\sqrt{\mathrm{var}(f_i(x)) + 10^{-5}}}

    So no expert counts for more by giving larger numbers: how much it counts is the gates' decision alone.

    Args:
        experts: the other ones.

    Shape:
        - as those of the other experts
    """

    def __init__(self, experts: Experts) -> None:
        super().__init__()
        self.experts = experts
        self.num_experts, self.output_dim = experts.num_experts, experts.output_dim

    @override
    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(self.experts(x), (self.output_dim,))

    @override
    def one(self, expert: int, x: Tensor) -> Tensor:
        return layer_norm(self.experts.one(expert, x), (self.output_dim,))
