"""Area under the ROC curve within groups."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import check_binary, grouped_rows
from gatewise.metrics.grouped import Grouped, mean_over_groups
from gatewise.metrics.metric import GroupMetric
from gatewise.metrics.ranking import rank


def gauc(targets: Tensor, predictions: Tensor, groups: Tensor, weights: Tensor | None = None) -> Grouped:
    r"""Return the AUC within each group, averaged by the groups' impressions.

    .. math::
        \mathrm{GAUC} = \frac{\sum_g W_g \mathrm{AUC}_g}{\sum_g W_g}, \qquad W_g = \sum_{i \in g} w_i

    with weights w (1 where none are given, so that :math:`W_g` is the group's number of rows), over the groups
    that hold both classes. Two rows of different groups, such as impressions of two users, are never compared.

    From `Optimized Cost per Click in Taobao Display Advertising <https://arxiv.org/abs/1703.02091>`_.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, any scores: only their order within a group counts; tied rows win a half.
        groups: ``[row]``, integers: equal ones are a group, wherever they stand.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        The mean, from 0 to 1; groups of one class are skipped. Its value is ``None`` (undefined) where every
        group is.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or the groups are no
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
    # As in auc: half of the pairs that are tied in a block are won.
    earlier_groups = (positive.cumsum(0) - positive).index_select(0, ranking.group)  # [block]
    height = (positives.cumsum(0) - positives / 2 - earlier_groups) / positive.index_select(0, ranking.group)
    area = ranking.by_group(negatives * height) / negative  # [group]
    return mean_over_groups(area.clamp(0, 1), positive + negative, (positive > 0) & (negative > 0))


GAUC = GroupMetric("gauc", gauc, greater_is_better=True)
