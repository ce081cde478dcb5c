"""Experts that read a sequence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.experts.experts import Experts
from gatewise.nn.layers import dropout
from gatewise.nn.sequences import Padded


class SequenceExperts(Experts):
    """Sequence models as experts, run one after the other.

    Args:
        readers: each from :class:`gatewise.nn.Padded` to ``[batch, output_dim]``.
        output_dim: width of every output.
        rate: share of the outputs dropped in training.

    Shape:
        - input: :class:`gatewise.nn.Padded`
        - output ``[batch, expert, output_dim]``
    """

    def __init__(self, readers: Sequence[nn.Module], output_dim: int, rate: float = 0.0) -> None:
        super().__init__()
        self.experts = nn.ModuleList(readers)
        self.rate = rate
        self.num_experts, self.output_dim = len(readers), output_dim

    # these experts read a sequence where other experts read a vector
    @override
    def forward(self, x: Padded) -> Tensor:  # type: ignore[override]
        outputs = torch.stack([expert(x) for expert in self.experts], dim=1)
        return dropout(outputs, self.rate) if self.training and self.rate else outputs

    @override
    def one(self, expert: int, x: Padded) -> Tensor:  # type: ignore[override]
        output: Tensor = self.experts[expert](x)
        return output

    @override
    def mixed(self, x: Padded, weights: Tensor, *, sparse: bool = False) -> Tensor:  # type: ignore[override]
        return super().mixed(x, weights, sparse=sparse)  # type: ignore[arg-type]
