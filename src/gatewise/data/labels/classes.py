"""Labels that are one of several classes, without or with an order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.absorbed import State
from gatewise.data.labels.label import LabelEncoder
from gatewise.data.values import Distinct, distinct_keys
from gatewise.declare import Multiclass, Ordinal
from gatewise.errors import TableError, did_you_mean, shown


class MulticlassLabels(LabelEncoder[Multiclass]):
    """Reads each label as its position among the classes, which are declared or learnt."""

    def __init__(self, task: Multiclass, statistics: Mapping[str, Any] | None = None) -> None:
        declared = {} if task.classes is None else {"classes": list(task.classes)}
        super().__init__(task, {**declared, **(statistics or {})})
        self._counts = np.zeros(0, np.int64)

    @property
    def classes(self) -> list[int | str]:
        """The classes, in the order of their positions."""
        classes: list[int | str] = self.statistics["classes"]
        return classes

    @property
    @override
    def type(self) -> pa.DataType | None:
        return pa.string() if isinstance(next(iter(self.statistics.get("classes", ())), None), str) else None

    @override
    def prepare(self, table: pa.Table) -> None:
        if self.task.classes is None:
            found = self._distinct(table)
            # a dictionary may hold values without a row
            values = found.values.filter(pa.array(found.counts > 0)).to_pylist()
            known = self.statistics.setdefault("classes", [])
            # in the order of the pieces until all are known; within one piece, and so of a whole table, in rising order
            known += sorted(set(values).difference(known))

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        found, place = self._distinct(table), {value: place for place, value in enumerate(self.classes)}
        values = found.values.to_pylist()
        unseen = np.array([value not in place for value in values] + [False])[found.codes]
        if unseen.any():
            row = int(unseen.argmax())
            raise TableError(self._unseen(values[found.codes[row]], row))
        places = np.array([place.get(value, 0) for value in values] + [np.nan], dtype=np.float64)
        return places[found.codes][:, np.newaxis]

    @override
    def take(self, known: np.ndarray) -> None:
        counts = np.bincount(known.astype(np.int64), minlength=len(self.classes))
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    @override
    def absorbed(self) -> State:
        return super().absorbed() | {"classes": self.statistics.get("classes", []), "counts": self._counts}

    @override
    def merge(self, absorbed: State) -> None:
        known = self.statistics.setdefault("classes", [])
        before = set(known)
        known += [name for name in absorbed["classes"] if name not in before]
        place_of = {name: place for place, name in enumerate(known)}
        # another part has provisional positions of its own
        places = np.array([place_of[name] for name in absorbed["classes"]], np.int64)
        counts = np.zeros(len(known), np.int64)
        counts[: len(self._counts)] = self._counts
        there = np.asarray(absorbed["counts"])
        counts[places[: len(there)]] += there
        self._counts = counts
        seen = places[: len(there)][there > 0].astype(np.float64)
        bounds = {"least": seen.min(initial=np.inf), "most": seen.max(initial=-np.inf)}
        super().merge(absorbed | bounds)

    @override
    def summary(self) -> dict[str, Any]:
        # the last pieces may have had no label of the last classes
        counts = np.pad(self._counts, (0, len(self.classes) - len(self._counts)))
        if self.task.classes is None:
            order = sorted(range(len(counts)), key=lambda place: self.classes[place])
            self.statistics["classes"], counts = [self.classes[place] for place in order], counts[order]
        # a declared class without a row counts once, so that its rate has a logarithm
        counts = counts.clip(min=1)
        return {"rates": (counts / counts.sum()).tolist()}

    @override
    def shown(self, label: float) -> str:
        return repr(self.classes[int(label)])

    def _distinct(self, table: pa.Table) -> Distinct:
        return distinct_keys(self.column(table), self.purpose)

    def _unseen(self, value: int | str, row: int) -> str:
        classes = self.classes
        near = (
            did_you_mean(value, [name for name in classes if isinstance(name, str)]) if isinstance(value, str) else ""
        )
        return f"{self.purpose}: found {value!r} in row {row}, expected one of {shown(map(repr, classes))}{near}"


MOST = 100
"""Largest number of learnt levels; each level has a score of its own."""


class OrdinalLabels(LabelEncoder[Ordinal]):
    """Reads numbers that are levels; the levels are declared or learnt."""

    def __init__(self, task: Ordinal, statistics: Mapping[str, Any] | None = None) -> None:
        declared = {} if task.levels is None else {"levels": list(task.levels)}
        super().__init__(task, {**declared, **(statistics or {})})
        self._counts: dict[float, int] = {}

    @override
    def prepare(self, table: pa.Table) -> None:
        if self.task.levels is not None:
            return
        values = self.numbers(table)
        self._learn_levels(values[~np.isnan(values)])

    def _learn_levels(self, values: np.ndarray) -> None:
        levels = np.union1d(values, self.statistics.get("levels", []))
        if len(levels) > MOST:
            raise TableError(f"{self.purpose}: has {len(levels):,} levels, expected {MOST} or fewer; take Regression")
        self.statistics["levels"] = levels.tolist()

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        values, levels = self.numbers(table), self.statistics["levels"]
        unseen = ~np.isnan(values) & ~np.isin(values, levels)
        self.refuse(values, unseen, f"one of {shown(f'{level:g}' for level in levels)}")
        return values[:, np.newaxis]

    @override
    def take(self, known: np.ndarray) -> None:
        for level, count in zip(*np.unique(known, return_counts=True), strict=True):
            self._counts[float(level)] = self._counts.get(float(level), 0) + int(count)

    @override
    def absorbed(self) -> State:
        levels, counts = self.statistics.get("levels", []), [*self._counts.values()]
        return super().absorbed() | {
            "levels": np.array(levels, np.float64),
            "counted": np.array([*self._counts], np.float64),
            "counts": np.array(counts, np.int64),
        }

    @override
    def merge(self, absorbed: State) -> None:
        super().merge(absorbed)
        if self.task.levels is None:
            self._learn_levels(np.asarray(absorbed["levels"]))
        for level, count in zip(*(np.asarray(absorbed[key]).tolist() for key in ("counted", "counts")), strict=True):
            self._counts[level] = self._counts.get(level, 0) + count

    @override
    def learn(self) -> None:
        levels = self.statistics["levels"]
        if self.task.levels is None and len(levels) == 2:
            found = " and ".join(f"{level:g}" for level in levels)
            raise TableError(f"{self.purpose}: expected three levels or more, found {found}; take Binary")
        super().learn()

    @override
    def summary(self) -> dict[str, Any]:
        # a level without a row counts once, so that its neighbours stay distinct
        counts = np.array([self._counts.get(level, 0) for level in self.statistics["levels"]]).clip(min=1)
        return {"rates": (counts / counts.sum()).tolist()}
