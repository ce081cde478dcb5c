"""Labels that are one of several ordered levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.labels.label import LabelEncoder
from gatewise.declare import Ordinal
from gatewise.errors import TableError, shown

MOST = 100
"""Largest number of learnt levels; each level has a score of its own."""


class OrdinalLabels(LabelEncoder[Ordinal]):
    """Reads numbers that are levels; the levels are declared or learnt."""

    def __init__(self, task: Ordinal, statistics: Mapping[str, Any] | None = None) -> None:
        declared = {} if task.levels is None else {"levels": list(task.levels)}
        super().__init__(task, {**declared, **(statistics or {})})

    @override
    def prepare(self, table: pa.Table) -> None:
        if self.task.levels is not None:
            return
        values = self.numbers(table)
        levels = np.unique(values[~np.isnan(values)])
        if len(levels) > MOST:
            raise TableError(f"{self.purpose}: has {len(levels):,} levels, expected {MOST} or fewer; take Regression")
        if len(levels) == 2:
            found = " and ".join(f"{level:g}" for level in levels)
            raise TableError(f"{self.purpose}: expected three levels or more, found {found}; take Binary")
        self.statistics["levels"] = levels.tolist()

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        values, levels = self.numbers(table), self.statistics["levels"]
        unseen = ~np.isnan(values) & ~np.isin(values, levels)
        self.refuse(values, unseen, f"one of {shown(f'{level:g}' for level in levels)}")
        return values[:, np.newaxis]

    @override
    def summarise(self, known: np.ndarray) -> dict[str, Any]:
        # a level without a row counts once, so that its neighbours stay distinct
        counts = np.array([(known == level).sum() for level in self.statistics["levels"]]).clip(min=1)
        return {"rates": (counts / counts.sum()).tolist()}
