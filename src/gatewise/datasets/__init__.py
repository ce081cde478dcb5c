"""Public data sets as tables, history features without look-ahead, and splits forward in time.

`movielens` returns ratings as one Arrow table, from a package on PyPI or a download from GroupLens; `kuairand`
returns impressions of a short-video feed with twelve kinds of feedback; `census` returns the persons and labels of
the MMoE paper, and `related_tasks` the paper's synthetic regressions.
`history_before` returns counts and means over strictly earlier rows.
`split_by_time` splits a table into train, valid and test, forward in time by shares, and `split_at` at given times;
`split_at_random` splits a table without time, and `split_by_group` keeps the rows of a group together.
"""

from __future__ import annotations

from gatewise.datasets.census import CENSUS_NOMINAL, CENSUS_NUMERIC, census
from gatewise.datasets.history import history_before
from gatewise.datasets.kuairand import kuairand
from gatewise.datasets.movielens import movielens
from gatewise.datasets.related_tasks import related_tasks
from gatewise.datasets.splits import split_at, split_at_random, split_by_group, split_by_time

__all__ = [
    "CENSUS_NOMINAL",
    "CENSUS_NUMERIC",
    "census",
    "history_before",
    "kuairand",
    "movielens",
    "related_tasks",
    "split_at",
    "split_at_random",
    "split_by_group",
    "split_by_time",
]
