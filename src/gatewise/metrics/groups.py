"""Metrics within groups, such as users or requests: GAUC, NDCG, MRR and hit rate."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.checks import (
    check_binary,
    check_count,
    check_finite,
    check_range,
    finite,
    grouped_rows,
    weighted_mean,
)
from gatewise.metrics.metric import Grouped
from gatewise.metrics.ranking import FirstPositive, Ranking, first_positive, rank


def mean_over_groups(values: Tensor, weights: Tensor, defined: Tensor) -> Grouped:
    """Return the mean of the groups' values over the groups with ``defined``; all are ``[group]``, ``defined`` bool."""
    counted = int(defined.sum())
    mean = finite(weighted_mean(values.masked_select(defined), weights.masked_select(defined))) if counted else None
    return Grouped(mean, counted, len(defined) - counted)


def gauc(targets: Tensor, predictions: Tensor, groups: Tensor, weights: Tensor | None = None) -> Grouped:
    r"""Return the AUC within each group, averaged with the groups' impressions as weights.

    .. math::
        \mathrm{GAUC} = \frac{\sum_g W_g \mathrm{AUC}_g}{\sum_g W_g}, \qquad W_g = \sum_{i \in g} w_i

    with weights w (1 where none are given, so that :math:`W_g` is the group's number of rows), over the groups
    that hold both classes. Rows of different groups, such as impressions of two users, are never compared.

    From `Optimized Cost per Click in Taobao Display Advertising <https://arxiv.org/abs/1703.02091>`_.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, any scores: only their order within a group counts; tied rows win a half.
        groups: ``[row]``, integers: rows with equal ids are one group, in any order.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        The mean, from 0 to 1; groups of one class are skipped. Its value is ``None`` (undefined) if every
        group is.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or the groups are not
            integers.

    Example:
        >>> import torch
        >>> targets = torch.tensor([1, 0, 0, 1, 0, 1])
        >>> predictions = torch.tensor([0.9, 0.1, 0.8, 0.3, 0.3, 0.5])
        >>> gauc(targets, predictions, torch.tensor([7, 7, 7, 4, 4, 2]))
        Grouped(value=0.8, groups=2, skipped=1)
    """
    rows = grouped_rows("gauc", targets, predictions, groups, weights)
    check_binary("gauc", rows.targets)
    ranking = rank(rows.predictions, rows.groups)
    positives = ranking.by_block(rows.targets * rows.weights)  # [block]
    negatives = ranking.by_block((1 - rows.targets) * rows.weights)
    positive, negative = ranking.by_group(positives), ranking.by_group(negatives)  # [group]
    # As in auc: half of the tied pairs in a block count as won.
    earlier_groups = (positive.cumsum(0) - positive).index_select(0, ranking.group)  # [block]
    height = (positives.cumsum(0) - positives / 2 - earlier_groups) / positive.index_select(0, ranking.group)
    area = ranking.by_group(negatives * height) / negative  # [group]
    return mean_over_groups(area.clamp(0, 1), positive + negative, (positive > 0) & (negative > 0))


def ndcg_at_k(
    targets: Tensor, predictions: Tensor, groups: Tensor, weights: Tensor | None = None, *, k: int = 10
) -> Grouped:
    r"""Return the mean over groups of the discounted gain of the first k places divided by the best possible gain.

    .. math::
        \mathrm{NDCG@}k = \frac{\mathrm{DCG@}k}{\max \mathrm{DCG@}k}, \qquad
        \mathrm{DCG@}k = \sum_{r=1}^{k} \frac{y_{(r)}}{\log_2 (r + 1)}

    with the gain :math:`y_{(r)}` of the row at place r of its group, highest prediction first. Tied rows count as
    the mean over all their orders: each of their places gets the mean of their gains, so that the result is exact
    and deterministic, as in ``sklearn.metrics.ndcg_score``.

    From `Cumulated gain-based evaluation of IR techniques <https://doi.org/10.1145/582415.582418>`_, with the
    logarithm of base 2; ties from `Computing Information Retrieval Performance Measures Efficiently in the Presence
    of Tied Scores <https://doi.org/10.1007/978-3-540-78646-7_38>`_.

    Args:
        targets: ``[row]``, gains of at least 0: 0 and 1, or graded. Give :math:`2^y - 1` for exponential gains.
        predictions: ``[row]``, any scores: only their order within a group counts.
        groups: ``[row]``, integers: rows with equal ids are one group, in any order.
        weights: ``[row]``, at least 0; a group counts by the mean weight of its rows, so that weights say how
            often a group stands in the mean. Rows of weight 0 are ignored, also if they hold NaN.
        k: Number of places that count; groups may be smaller.

    Returns:
        The mean, from 0 to 1; groups without a gain are skipped. Its value is ``None`` (undefined) if every
        group is.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is negative or infinite, the groups are not
            integers, or k is not a positive whole number.

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


def mrr(targets: Tensor, predictions: Tensor, groups: Tensor, weights: Tensor | None = None) -> Grouped:
    r"""Return the mean over groups of the reciprocal place of the first positive.

    .. math::
        \mathrm{MRR} = \frac{1}{|G|} \sum_{g \in G} \mathbb{E}\left[\frac{1}{R_g}\right], \qquad
        \mathbb{E}\left[\frac{1}{R}\right] = \sum_{r=1}^{m} \frac{P_{r-1} - P_r}{s + r}, \qquad
        P_r = \binom{m - q}{r} \Big/ \binom{m}{r}

    with the place :math:`R_g` of the first positive, highest prediction first, over the groups G with a positive.
    The expectation is over the orders of tied rows: s rows score higher than the first positive, m rows (with the
    first positive) are tied, q of the tied rows are positive, and :math:`P_r` is the probability that the first r
    tied rows are all negative.

    Ties as in `Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores
    <https://doi.org/10.1007/978-3-540-78646-7_38>`_.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, any scores: only their order within a group counts.
        groups: ``[row]``, integers: rows with equal ids are one group, in any order.
        weights: ``[row]``, at least 0; a group counts by the mean weight of its rows, so that weights say how
            often a group stands in the mean. Rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        The mean, above 0 and up to 1; groups without a positive are skipped. Its value is ``None`` (undefined)
        if every group is skipped.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or the groups are not
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
    """Return the mean reciprocal place of the first positive over the orders of tied rows, ``[group]``."""
    group = torch.arange(len(first.tied), device=first.tied.device).repeat_interleave(first.tied)  # [tied row]
    begins = (first.tied.cumsum(0) - first.tied)[group]
    place = torch.arange(len(group), device=group.device) - begins + 1  # [tied row]: from 1 in its block
    chance = first.miss(place - 1, group) - first.miss(place, group)
    terms = chance / (first.ahead[group] + place)
    return terms.new_zeros(len(first.tied)).index_add_(0, group, terms)


def hit_rate_at_k(
    targets: Tensor, predictions: Tensor, groups: Tensor, weights: Tensor | None = None, *, k: int = 10
) -> Grouped:
    r"""Return the share of groups with a positive among their k highest predictions.

    .. math::
        \mathrm{HR@}k = \frac{1}{|G|} \sum_{g \in G} \left(1 - \binom{m_g - q_g}{d_g} \Big/ \binom{m_g}{d_g}\right),
        \qquad d_g = \min(\max(k - s_g, 0), m_g)

    over the groups G with a positive. The term of a group is the probability of a hit over the orders of tied rows:
    s rows score higher than the first positive, m rows (with the first positive) are tied, q of the tied rows are
    positive, and d tied rows are within the first k. Without ties the term is 1 or 0.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, any scores: only their order within a group counts.
        groups: ``[row]``, integers: rows with equal ids are one group, in any order.
        weights: ``[row]``, at least 0; a group counts by the mean weight of its rows, so that weights say how
            often a group stands in the mean. Rows of weight 0 are ignored, also if they hold NaN.
        k: Number of places that count; in a group of k rows or fewer a positive is always hit.

    Returns:
        The mean, from 0 to 1; groups without a positive are skipped. Its value is ``None`` (undefined) where
        every group is skipped.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, the groups are not
            integers, or k is not a positive whole number.

    Example:
        >>> import torch
        >>> groups = torch.tensor([0, 0, 0, 1, 1])
        >>> hit_rate_at_k(torch.tensor([0, 0, 1, 1, 0]), torch.tensor([0.9, 0.8, 0.1, 0.5, 0.5]), groups, k=1)
        Grouped(value=0.25, groups=2, skipped=0)
    """
    check_count("hit_rate_at_k", "k", k)
    rows = grouped_rows("hit_rate_at_k", targets, predictions, groups, weights)
    check_binary("hit_rate_at_k", rows.targets)
    ranking = rank(rows.predictions, rows.groups)
    first = first_positive(ranking, rows.targets)
    drawn = (k - first.ahead).clamp(min=0).minimum(first.tied)
    values = rows.predictions.new_zeros(ranking.groups)
    values[first.defined] = 1 - first.miss(drawn)
    return mean_over_groups(values, ranking.mean_weights(rows.weights), first.defined)
