"""The Pareto front of points, and its knee."""

from __future__ import annotations

import numpy as np


def pareto_front(values: np.ndarray) -> list[int]:
    r"""Return the points that no other point dominates, the best by the first goal first; of equal points the first.

    Point a dominates b if a is worse at no goal and better at one goal at least:

    .. math:: \forall k: a_k \ge b_k, \qquad \exists k: a_k > b_k

    Args:
        values: ``[point, goal]``, greater is better.

    Example:
        >>> pareto_front(np.array([[0.1, 0.9], [0.5, 0.5], [0.4, 0.5], [0.9, 0.1], [0.5, 0.5]]))
        [3, 1, 0]
    """
    _, first = np.unique(values, axis=0, return_index=True)
    kept = [
        point
        for point in first.tolist()
        if not ((values >= values[point]).all(axis=1) & (values > values[point]).any(axis=1)).any()
    ]
    return sorted(kept, key=lambda point: (-values[point]).tolist())


def knee(values: np.ndarray) -> int:
    r"""Return the point of a front nearest to the best value of every goal.

    .. math:: \arg\min_p \sum_k \left(\frac{\max_q v_{qk} - v_{pk}}{\max_q v_{qk} - \min_q v_{qk}}\right)^2

    Args:
        values: ``[point, goal]``, a front.

    Example:
        >>> knee(np.array([[1.0, 0.0], [0.9, 0.8], [0.0, 1.0]]))
        1
    """
    best, worst = values.max(axis=0), values.min(axis=0)
    reach = np.where(best > worst, best - worst, 1.0)
    return int((((best - values) / reach) ** 2).sum(axis=1).argmin())
