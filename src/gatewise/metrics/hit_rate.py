"""How many groups have a positive among their first places."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import check_binary, check_count, grouped_rows
from gatewise.metrics.first_positive import first_positive
from gatewise.metrics.grouped import Grouped, mean_over_groups
from gatewise.metrics.metric import GroupMetric
from gatewise.metrics.ranking import rank


def hit_rate_at_k(
    targets: Tensor, predictions: Tensor, groups: Tensor, weights: Tensor | None = None, *, k: int = 10
) -> Grouped:
    r"""Return the share of groups with a positive among their k highest predictions.

    .. math::
        \mathrm{HR@}k = \frac{1}{|G|} \sum_{g \in G} \left(1 - \binom{m_g - q_g}{d_g} \Big/ \binom{m_g}{d_g}\right),
        \qquad d_g = \min(\max(k - s_g, 0), m_g)

    over the groups G that have a positive. The chance is that over the orders of tied rows: s rows score higher
    than the first positive, m are tied with it, itself included, q of those are positive, and d of them come
    within the first k. Without ties it is 1 or 0.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, any scores: only their order within a group counts.
        groups: ``[row]``, integers: equal ones are a group, wherever they stand.
        weights: ``[row]``, at least 0; a group counts by the mean weight of its rows, so that weights say how
            often a group stands in the mean. A row of weight 0 does not count, whatever stands in it.
        k: How many places count; in a group of k rows or fewer a positive is always hit.

    Returns:
        The mean, from 0 to 1; groups without a positive are skipped. Its value is ``None`` (undefined) where
        every group is.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, the groups are no
            integers, or k is no positive whole number.

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


HIT_RATE = GroupMetric("hit_rate@10", hit_rate_at_k, greater_is_better=True)
