"""Controls: models that a model with shared parts has to beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from itertools import chain
from typing import Any, TypeVar

from gatewise import declare

Control = declare.SingleTask | declare.SharedBottom
COMMON = tuple(field.name for field in fields(declare.Architecture))
WIDTHS = ("expert_dims", "bottom_dims", "layer_dims")
"""Options with the widths of the layers between input and towers; an architecture has one of these options."""

AnArchitecture = TypeVar("AnArchitecture", bound=declare.Architecture)


def control_of(kind: type[Control], architecture: declare.Architecture) -> Control:
    """Return a control with an architecture's depth, widths and options."""
    options = {name: getattr(architecture, name) for name in COMMON}
    widths = _widths(architecture)
    if widths is not None:
        # the levels of a trunk, one after the other, are one deep bottom
        options["bottom_dims"] = list(chain.from_iterable(_levels(getattr(architecture, widths))))
    return kind(**options)


def resized(architecture: AnArchitecture, size: Callable[[AnArchitecture], int], budget: int) -> AnArchitecture:
    """Return an architecture of nearly a given size, with its widths in proportion.

    Args:
        architecture: any; without widths of experts, bottoms or layers it does not change.
        size: returns an architecture's number of parameters.
        budget: the number of parameters to come near to.

    Example:
        >>> resized(declare.SharedBottom(bottom_dims=[8, 4]), lambda model: sum(model.bottom_dims), 30).bottom_dims
        (20, 10)
    """
    option = _widths(architecture)
    if option is None:
        return architecture
    dims = getattr(architecture, option)
    levels = _levels(dims)

    def scaled(width: int) -> AnArchitecture:
        found = [[max(1, round(width / levels[0][0] * dim)) for dim in level] for level in levels]
        changed: dict[str, Any] = {option: found if _by_level(dims) else found[0]}
        return replace(architecture, **changed)

    return scaled(nearest_width(lambda width: size(scaled(width)), budget))


def _by_level(dims: Sequence[Any]) -> bool:
    return any(not isinstance(part, int) for part in dims)


def _levels(dims: Sequence[Any]) -> list[Sequence[int]]:
    """Return the widths of each level; widths for all levels count as one."""
    return list(dims) if _by_level(dims) else [dims]


def _widths(architecture: declare.Architecture) -> str | None:
    return next((name for name in WIDTHS if hasattr(architecture, name)), None)


def nearest_width(size: Callable[[int], int], budget: int) -> int:
    """Return the width, at least 1, at which an increasing size comes nearest to a budget.

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
