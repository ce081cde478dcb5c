"""What a metric within groups gives: a mean over the groups that have a value, and how many have none."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from gatewise.metrics.checks import finite, weighted_mean


class Grouped(NamedTuple):
    """The mean of a metric over groups.

    Attributes:
        value: The mean over the groups where the metric is defined; ``None`` where it is in none.
        groups: How many groups the mean is of.
        skipped: How many groups were left out, the metric being undefined in them.
    """

    value: float | None
    groups: int
    skipped: int


def mean_over_groups(values: Tensor, weights: Tensor, defined: Tensor) -> Grouped:
    """Average the values of the groups where they are defined; all are ``[group]``, ``defined`` of bool."""
    counted = int(defined.sum())
    mean = finite(weighted_mean(values.masked_select(defined), weights.masked_select(defined))) if counted else None
    return Grouped(mean, counted, len(defined) - counted)
