"""A table of the collection: its rows, features, tasks and split."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

import gatewise as gw
from gatewise.assembly import build_tasks, to_tensors
from gatewise.data import TableEncoder
from gatewise.datasets import split_at_random, split_by_time
from gatewise.tasks import Task

SHARE = 0.15
"""Share of the rows for validation, and for testing."""
SEED = 2026
MOST = 100_000
"""Rows of the tables that are cut down to a share."""


class Parts(NamedTuple):
    """The rows to learn from, to stop on and to judge on."""

    train: pa.Table
    valid: pa.Table
    test: pa.Table


@dataclass(frozen=True)
class BenchmarkTable:
    """Rows with features and tasks.

    Attributes:
        schema: features and tasks.
        rows: all rows, with every column that the schema reads.
        time: the column to cut by, forward in time; empty: no time.
        group: the column whose groups stay whole; empty: none.
    """

    schema: gw.Schema
    rows: pa.Table
    time: str = ""
    group: str = ""

    @property
    def cut(self) -> str:
        """How the rows are cut, in words."""
        return f"forward in {self.time}" if self.time else f"by {self.group}" if self.group else "at random"

    def parts(self) -> Parts:
        """Return the parts, which are the same wherever and whenever they are made."""
        if self.time:
            return Parts(*split_by_time(self.rows, self.time, SHARE, SHARE))
        if self.group:
            return self._by_group()
        return Parts(*split_at_random(self.rows, SEED, SHARE, SHARE))

    def _by_group(self) -> Parts:
        groups = self.rows[self.group].to_pylist()
        place = {group: _share_of(group) for group in set(groups)}
        places = np.array([place[group] for group in groups])
        bounds = (places >= 2 * SHARE, (places >= SHARE) & (places < 2 * SHARE), places < SHARE)
        return Parts(*(self.rows.filter(pa.array(chosen)) for chosen in bounds))

    def with_numbers(self, embedding: Any) -> BenchmarkTable:
        """Return the table with all numbers embedded."""
        features = [replace(f, embedding=embedding) if isinstance(f, gw.Numeric) else f for f in self.schema.features]
        return replace(self, schema=replace(self.schema, features=features))

    def digest(self) -> str:
        """Return a hash of the parts, which stands beside the results."""
        found = hashlib.blake2b(digest_size=8)
        for part in self.parts():
            found.update(part.to_pandas().to_csv(index=False).encode())
        return found.hexdigest()


def labelled(schema: gw.Schema, parts: Parts) -> tuple[list[Task], list[torch.Tensor]]:
    """Return the tasks, and the labels of every part, ``[row, label]``, NaN where there is none."""
    encoder, train = TableEncoder.fit(schema, parts.train)
    tasks = build_tasks(schema, encoder.statistics)
    width = sum(task.num_labels for task in tasks)
    encoded = [train, *(encoder.encode(part) for part in parts[1:])]
    return tasks, [to_tensors(part, width).labels for part in encoded]


def _share_of(group: Any) -> float:
    """Return a number in [0, 1) that follows from a group's name alone."""
    digest = hashlib.blake2b(f"{SEED}/{group}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def some_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return at most 100,000 rows, always the same ones, in their order."""
    if len(frame) <= MOST:
        return frame
    return frame.iloc[np.sort(np.random.default_rng(SEED).permutation(len(frame))[:MOST])]


def made(
    frame: pd.DataFrame,
    tasks: Sequence[Any],
    *,
    categories: Sequence[str] = (),
    numbers: Sequence[str] = (),
    lists: Sequence[str] = (),
    time: str = "",
    group: str = "",
) -> BenchmarkTable:
    """Return a table of categories, numbers and lists ("|" between items); all have the options by default."""
    features = [*(gw.Categorical(name) for name in categories), *(gw.Numeric(name) for name in numbers)]
    features += [gw.Sequence(name) for name in lists]
    schema = gw.Schema(features=features, tasks=list(tasks))
    beside = [name for name in (time, group) if name]
    columns = list(dict.fromkeys([*categories, *numbers, *lists, *(task.name for task in tasks), *beside]))
    rows = frame[columns].copy()
    for name in categories:
        # one type per column: a category is text, a missing one is null
        rows[name] = rows[name].map(lambda value: None if pd.isna(value) else str(value))
    return BenchmarkTable(schema, pa.Table.from_pandas(rows, preserve_index=False), time, group)
