"""Normalised discounted cumulative gain at the top of each group."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.checks import check_count, check_finite, check_range, grouped_rows
from gatewise.metrics.grouped import Grouped, mean_over_groups
from gatewise.metrics.metric import GroupMetric
from gatewise.metrics.ranking import Ranking, rank


def ndcg_at_k(
    targets: Tensor, predictions: Tensor, groups: Tensor, weights: Tensor | None = None, *, k: int = 10
) -> Grouped:
    r"""Return the discounted gain of each group's first k places beside the best there could be, averaged.

    .. math::
        \mathrm{NDCG@}k = \frac{\mathrm{DCG@}k}{\max \mathrm{DCG@}k}, \qquad
        \mathrm{DCG@}k = \sum_{r=1}^{k} \frac{y_{(r)}}{\log_2 (r + 1)}

    with the gain :math:`y_{(r)}` of the row at place r of its group, highest prediction first. Tied rows count
    as the mean over all their orders: each of their places is given the mean of their gains, which makes the result
    exact and free of chance, as in ``sklearn.metrics.ndcg_score``.

    From `Cumulated gain-based evaluation of IR techniques <https://doi.org/10.1145/582415.582418>`_, with the
    logarithm of base 2; ties from `Computing Information Retrieval Performance Measures Efficiently in the Presence
    of Tied Scores <https://doi.org/10.1007/978-3-540-78646-7_38>`_.

    Args:
        targets: ``[row]``, gains of at least 0: 0 and 1, or graded. Give :math:`2^y - 1` for exponential gains.
        predictions: ``[row]``, any scores: only their order within a group counts.
        groups: ``[row]``, integers: equal ones are a group, wherever they stand.
        weights: ``[row]``, at least 0; a group counts by the mean weight of its rows, so that weights say how
            often a group stands in the mean. A row of weight 0 does not count, whatever stands in it.
        k: How many places count; groups may be smaller.

    Returns:
        The mean, from 0 to 1; groups without a gain are skipped. Its value is ``None`` (undefined) where every
        group is.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is negative or infinite, the groups are no
            integers, or k is no positive whole number.

    Example:
        >>> import torch
        >>> found = ndcg_at_k(torch.tensor([0, 1, 2]), torch.tensor([0.9, 0.8, 0.1]), torch.tensor([5, 5, 5]))
        >>> round(found.value, 6)
        0.619906
    """
    check_count("ndcg_at_k", "k", k)
    rows = grouped_rows("ndcg_at_k", targets, predictions, groups, weights)
    check_finite("ndcg_at_k", "targets", rows.targets)
    check_range("ndcg_at_k", "targets", rows.targets, zero=True)
    ranking, ideal = rank(rows.predictions, rows.groups), rank(rows.targets, rows.groups)
    best = _discounted_gain(ideal, rows.targets, k)  # [group]
    reached = _discounted_gain(ranking, rows.targets, k)
    return mean_over_groups((reached / best).clamp(max=1), ranking.mean_weights(rows.weights), best > 0)


def _discounted_gain(ranking: Ranking, gains: Tensor, k: int) -> Tensor:
    """Return the expected DCG of every group, ``[group]``, from the gains of rows, ``[row]``."""
    k = min(k, len(gains))
    discounts = 1 / torch.arange(2, k + 2, dtype=gains.dtype, device=gains.device).log2()  # [place]
    up_to = torch.cat([discounts.new_zeros(1), discounts.cumsum(0)])  # [k + 1]: of the first so many places
    begin, end = ranking.ahead.clamp(max=k), (ranking.ahead + ranking.size).clamp(max=k)  # [block]
    places = up_to.index_select(0, end) - up_to.index_select(0, begin)
    return ranking.by_group(ranking.by_block(gains) / ranking.size * places)


NDCG = GroupMetric("ndcg@10", ndcg_at_k, greater_is_better=True)
