"""Controls: what a model that shares has to beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import torch

from gatewise import declare
from gatewise.assembly import Surroundings, build_trunk
from gatewise.nn import Towers

Control = declare.SingleTask | declare.SharedBottom
COMMON = tuple(field.name for field in fields(declare.Architecture))


def dense_parameters(architecture: declare.Architecture, around: Surroundings) -> int:
    """Count the parameters of trunk and towers, embeddings left out; nothing is allocated."""
    with torch.device("meta"):
        trunk = build_trunk(architecture, around)
        towers = Towers(len(around.tasks), trunk.output_dim, tuple(architecture.tower_dims), norm=architecture.norm)
    return sum(p.numel() for module in (trunk, towers) for p in module.parameters())


def matched_control(
    kind: type[Control], architecture: declare.OMoE | declare.MMoE, around: Surroundings, budget: int
) -> Control:
    """Return a control with the architecture's depth and options, as wide as its parameters come nearest to a budget.

    Args:
        kind: ``SingleTask`` or ``SharedBottom``.
        architecture: what the control is compared with; its experts' proportions are kept.
        around: what the control reads, and its tasks.
        budget: parameters of trunk and towers to come near to.
    """
    common = {name: getattr(architecture, name) for name in COMMON}

    def scaled(width: int) -> Control:
        ratio = width / architecture.expert_dims[0]
        return kind(bottom_dims=[max(1, round(ratio * dim)) for dim in architecture.expert_dims], **common)

    return scaled(nearest_width(lambda width: dense_parameters(scaled(width), around), budget))


def nearest_width(size: Callable[[int], int], budget: int) -> int:
    """Return the width, at least 1, at which a size that grows with it comes nearest to a budget.

    Example:
        >>> nearest_width(lambda width: width * width, 27)
        5
    """
    low, high = 1, 2
    while size(high) < budget:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) < budget else (low, middle)
    return min((low, high), key=lambda width: abs(size(width) - budget))
