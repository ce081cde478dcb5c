"""True and false positives at every score that occurs: what AUC and average precision are both read from."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.checks import Rows
from gatewise.metrics.order import ascending, descending_keys


def positives_by_threshold(rows: Rows) -> tuple[Tensor, Tensor]:
    """Return the weight of positives and of negatives that score at least each threshold.

    The thresholds are the distinct predictions, highest first, so tied rows fall under a threshold together.

    Returns:
        ``(true_positives, false_positives)``, each ``[threshold]``, neither ever decreasing; the last
        entries are the totals. There is at least one row, hence at least one threshold.
    """
    keys = descending_keys(rows.predictions)  # [row]
    order = ascending(keys)  # [row]
    positives = (rows.targets * rows.weights).index_select(0, order)
    negatives = ((1 - rows.targets) * rows.weights).index_select(0, order)
    tied = torch.unique_consecutive(keys.index_select(0, order), return_counts=True)[1]  # [threshold]
    last = tied.cumsum(0) - 1
    return positives.cumsum(0).index_select(0, last), negatives.cumsum(0).index_select(0, last)


def steps(cumulative: Tensor) -> Tensor:
    """Return what each threshold adds to a cumulative sum, both ``[threshold]``."""
    return torch.diff(cumulative, prepend=cumulative.new_zeros(1))
