"""Mean reciprocal rank of each group's first positive."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.checks import check_binary, grouped_rows
from gatewise.metrics.first_positive import FirstPositive, first_positive
from gatewise.metrics.grouped import Grouped, mean_over_groups
from gatewise.metrics.metric import GroupMetric
from gatewise.metrics.ranking import rank


def mrr(targets: Tensor, predictions: Tensor, groups: Tensor, weights: Tensor | None = None) -> Grouped:
    r"""Return the reciprocal of the place at which a group's first positive stands, averaged.

    .. math::
        \mathrm{MRR} = \frac{1}{|G|} \sum_{g \in G} \mathbb{E}\left[\frac{1}{R_g}\right], \qquad
        \mathbb{E}\left[\frac{1}{R}\right] = \sum_{r=1}^{m} \frac{P_{r-1} - P_r}{s + r}, \qquad
        P_r = \binom{m - q}{r} \Big/ \binom{m}{r}

    with the place :math:`R_g` of the first positive, highest prediction first, over the groups G that have one.
    The expectation is over the orders of tied rows: s rows score higher than the first positive, m are tied with
    it, itself included, q of those are positive, and :math:`P_r` is the chance that the first r of them are not.

    Ties as in `Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores
    <https://doi.org/10.1007/978-3-540-78646-7_38>`_.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, any scores: only their order within a group counts.
        groups: ``[row]``, integers: equal ones are a group, wherever they stand.
        weights: ``[row]``, at least 0; a group counts by the mean weight of its rows, so that weights say how
            often a group stands in the mean. A row of weight 0 does not count, whatever stands in it.

    Returns:
        The mean, above 0 and up to 1; groups without a positive are skipped. Its value is ``None`` (undefined)
        where every group is.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or the groups are no
            integers.

    Example:
        >>> import torch
        >>> groups = torch.tensor([0, 0, 0, 1, 1])
        >>> mrr(torch.tensor([0, 1, 1, 1, 0]), torch.tensor([0.9, 0.8, 0.1, 0.5, 0.2]), groups)
        Grouped(value=0.75, groups=2, skipped=0)
    """
    rows = grouped_rows("mrr", targets, predictions, groups, weights)
    check_binary("mrr", rows.targets)
    ranking = rank(rows.predictions, rows.groups)
    first = first_positive(ranking, rows.targets)
    values = rows.predictions.new_zeros(ranking.groups)
    values[first.defined] = _expected_reciprocal(first)
    return mean_over_groups(values, ranking.mean_weights(rows.weights), first.defined)


def _expected_reciprocal(first: FirstPositive) -> Tensor:
    """Return the mean reciprocal place of the first positive over the orders of its ties, ``[group]``."""
    group = torch.arange(len(first.tied), device=first.tied.device).repeat_interleave(first.tied)  # [tied row]
    begins = (first.tied.cumsum(0) - first.tied)[group]
    place = torch.arange(len(group), device=group.device) - begins + 1  # [tied row]: from 1 in its block
    chance = first.miss(place - 1, group) - first.miss(place, group)
    terms = chance / (first.ahead[group] + place)
    return terms.new_zeros(len(first.tied)).index_add_(0, group, terms)


MRR = GroupMetric("mrr", mrr, greater_is_better=True)
