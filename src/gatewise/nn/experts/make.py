"""From a number of experts, or a list of modules, to experts."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from gatewise.nn.experts.experts import Experts
from gatewise.nn.experts.mlp import MLPExperts
from gatewise.nn.experts.modules import ModuleExperts
from gatewise.nn.hidden import Hidden


def make_experts(
    experts: int | Sequence[nn.Module],
    input_dim: int,
    dims: tuple[int, ...],
    *,
    hidden: Hidden,
) -> Experts:
    """Return ``experts`` equal multi-layer perceptrons, or the given modules as experts."""
    if isinstance(experts, int):
        return MLPExperts(input_dim, experts, dims, hidden=hidden)
    return ModuleExperts(experts, input_dim)
