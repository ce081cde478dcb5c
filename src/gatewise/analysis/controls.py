"""Controls: what a model that shares has to beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

import torch

from gatewise import declare
from gatewise.assembly import Surroundings, build_trunk
from gatewise.nn import Towers

Control = declare.SingleTask | declare.SharedBottom
COMMON = tuple(field.name for field in fields(declare.Architecture))
WIDTHS = ("expert_dims", "bottom_dims", "layer_dims")
"""What the widths of the layers between input and towers are called; an architecture has one of them."""

AnArchitecture = TypeVar("AnArchitecture", bound=declare.Architecture)


def dense_parameters(architecture: declare.Architecture, around: Surroundings) -> int:
    """Count the parameters of trunk and towers, embeddings left out; nothing is allocated."""
    with torch.device("meta"):
        trunk = build_trunk(architecture, around)
        towers = Towers(len(around.tasks), trunk.output_dim, tuple(architecture.tower_dims), norm=architecture.norm)
    return sum(p.numel() for module in (trunk, towers) for p in module.parameters())


def matched_control(
    kind: type[Control], architecture: declare.Architecture, around: Surroundings, budget: int
) -> Control:
    """Return a control with the architecture's depth and options, as wide as its parameters come nearest to a budget.

    Args:
        kind: ``SingleTask`` or ``SharedBottom``.
        architecture: what the control is compared with; the proportions of its widths are kept.
        around: what the control reads, and its tasks.
        budget: parameters of trunk and towers to come near to.
    """
    return resized(control_of(kind, architecture), lambda control: dense_parameters(control, around), budget)


def control_of(kind: type[Control], architecture: declare.Architecture) -> Control:
    """Return a control with the architecture's depth, widths and options."""
    options = {name: getattr(architecture, name) for name in COMMON}
    widths = _widths(architecture)
    if widths is not None:
        options["bottom_dims"] = getattr(architecture, widths)
    return kind(**options)


def resized(architecture: AnArchitecture, size: Callable[[AnArchitecture], int], budget: int) -> AnArchitecture:
    """Return the architecture as wide as its size comes nearest to a budget, the proportions of its widths kept.

    Args:
        architecture: any; one without widths of experts, bottoms or layers stays as it is.
        size: counts an architecture's parameters.
        budget: parameters to come near to.

    Example:
        >>> resized(declare.SharedBottom(bottom_dims=[8, 4]), lambda model: sum(model.bottom_dims), 30).bottom_dims
        (20, 10)
    """
    option = _widths(architecture)
    if option is None:
        return architecture
    dims = getattr(architecture, option)

    def scaled(width: int) -> AnArchitecture:
        changed: dict[str, Any] = {option: [max(1, round(width / dims[0] * dim)) for dim in dims]}
        return replace(architecture, **changed)

    return scaled(nearest_width(lambda width: size(scaled(width)), budget))


def _widths(architecture: declare.Architecture) -> str | None:
    return next((name for name in WIDTHS if hasattr(architecture, name)), None)


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
