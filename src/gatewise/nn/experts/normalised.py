"""Experts whose outputs are normalised."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import layer_norm
from typing_extensions import override

from gatewise.nn.experts.experts import Experts


class NormalisedExperts(Experts):
    r"""Experts whose outputs are scaled to mean 0 and variance 1, per expert and row.

    .. math:: \hat f_i(x) = \frac{f_i(x) - \mathrm{mean}(f_i(x))}{\sqrt{\mathrm{var}(f_i(x)) + 10^{-5}}}

    An expert cannot gain influence by larger outputs: the gates alone decide how much each expert counts.

    Args:
        experts: the experts whose outputs are normalised.

    Shape:
        - as those of ``experts``
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
