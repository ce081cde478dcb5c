"""True and false positives at every score that occurs: what AUC and average precision are both read from."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.checks import Rows


def positives_by_threshold(rows: Rows) -> tuple[Tensor, Tensor]:
    """Return the weight of positives and of negatives that score at least each threshold.

    The thresholds are the distinct predictions, highest first, so tied rows fall under a threshold together.

    Returns:
        ``(true_positives, false_positives)``, each ``[threshold]``, neither ever decreasing; the last
        entries are the totals. There is at least one row, hence at least one threshold.
    """
    keys, order = torch.sort(_descending_keys(rows.predictions))  # [row]
    positives = (rows.targets * rows.weights)[order]
    negatives = ((1 - rows.targets) * rows.weights)[order]
    tied = torch.unique_consecutive(keys, return_counts=True)[1]  # [threshold]
    last = tied.cumsum(0) - 1
    return positives.cumsum(0)[last], negatives.cumsum(0)[last]


def steps(cumulative: Tensor) -> Tensor:
    """Return what each threshold adds to a cumulative sum, both ``[threshold]``."""
    return torch.diff(cumulative, prepend=cumulative.new_zeros(1))


def _descending_keys(scores: Tensor) -> Tensor:
    """Return int64 keys that ascend where the float64 scores descend, and are equal where they are.

    On a CPU torch sorts integers by radix, about eight times faster than floats. The bits of positive floats
    already order as integers; those of negative ones do once all but the sign are flipped.
    """
    bits = (0.0 - scores).view(torch.int64)  # 0.0 - x and not -x: both zeros become +0.0
    return bits ^ ((bits >> 63) & torch.iinfo(torch.int64).max)
