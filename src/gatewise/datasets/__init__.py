"""Real tables to learn and test on, and the tools that keep them honest in time.

`movielens` gives real ratings as one Arrow table, from a package on PyPI or a download from GroupLens; `kuairand`
impressions of a short-video feed with twelve kinds of feedback; `census` the persons and labels of the MMoE paper, and
`related_tasks` its made-up regressions.
`history_before` tells every row what was known before it and nothing of what came at the same time or later.
`split_by_time` cuts a table into train, valid and test, forward in time by shares, and `split_at` at given times;
`split_at_random` cuts what has no time.
"""

from __future__ import annotations

from gatewise.datasets.census import CENSUS_NOMINAL, CENSUS_NUMERIC, census
from gatewise.datasets.history import history_before
from gatewise.datasets.kuairand import kuairand
from gatewise.datasets.movielens import movielens
from gatewise.datasets.related_tasks import related_tasks
from gatewise.datasets.splits import split_at, split_at_random, split_by_time

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
    "split_by_time",
]
