"""Labels that are numbers: 0 or 1, any, counts and totals, lifetime values, durations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.absorbed import State
from gatewise.data.labels.label import LabelEncoder
from gatewise.data.plain_types import is_string
from gatewise.data.tables import pick_column
from gatewise.data.uniform_sample import UniformSample
from gatewise.data.values import as_numbers
from gatewise.declare import Binary, Count, Duration, LifetimeValue, Regression, column_of
from gatewise.errors import TableError


class BinaryLabels(LabelEncoder[Binary]):
    """Reads labels that are 0 or 1, or false and true."""

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        column = pick_column(table, column_of(self.task), self.purpose)
        if is_string(column.type):
            raise TableError(f"{self.purpose}: found strings{_such_as(column)}, expected 0, 1 or null")
        values = self.numbers(table)
        self.refuse(values, ~np.isnan(values) & (values != 0) & (values != 1), "0, 1 or null")
        return values[:, np.newaxis]

    @override
    def summary(self) -> dict[str, Any]:
        kept = self.task.negatives_kept
        return {"rate": among_all(self._moments.total().mean, kept if isinstance(kept, float) else 1.0)}


def among_all(rate: float, kept: float) -> float:
    """Return the share of ones among all rows, from their share where only a share of the negatives is kept.

    Example:
        >>> round(among_all(0.5, 0.1), 4)
        0.0909
    """
    return rate / (rate + (1 - rate) / kept)


def _such_as(column: pa.Array) -> str:
    """Return the first text that is neither 0 nor 1, or else the first one, and its row."""
    texts = [(row, text) for row, text in enumerate(column.to_pylist()) if text is not None]
    row, text = next((pair for pair in texts if pair[1] not in ("0", "1")), texts[0] if texts else (0, None))
    return "" if text is None else f", such as {text[:40]!r} in row {row}"


class RegressionLabels(LabelEncoder[Regression]):
    """Reads numbers, and learns mean, deviation and, for ``mae`` and ``quantile``, the quantile to start from."""

    def __init__(self, task: Regression, statistics: Mapping[str, Any] | None = None) -> None:
        super().__init__(task, statistics)
        self._level = {"mae": 0.5, "quantile": task.quantile}.get(task.loss)
        self._of_all = UniformSample()

    @override
    def take(self, known: np.ndarray) -> None:
        super().take(known)
        if self._level is not None:
            self._of_all.add(known)

    @override
    def absorbed(self) -> State:
        return super().absorbed() | ({} if self._level is None else {"sample": self._of_all.absorbed()})

    @override
    def merge(self, absorbed: State) -> None:
        super().merge(absorbed)
        if self._level is not None:
            self._of_all.merge(absorbed["sample"])

    @override
    def summary(self) -> dict[str, Any]:
        if self._level is None:
            return super().summary()
        sample, self._of_all = self._of_all, UniformSample()
        return super().summary() | {"start": float(np.quantile(sample.values(), self._level))}


class CountLabels(LabelEncoder[Count]):
    """Reads numbers of at least 0; counts must be whole numbers."""

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        values = self.numbers(table)
        self.refuse_negative(values)
        if self.task.loss == "poisson":
            self.refuse(values, values % 1 > 0, "whole numbers or null (loss 'tweedie' takes others)")
        return values[:, np.newaxis]

    @override
    def summary(self) -> dict[str, Any]:
        return {"mean": self._moments.total().mean}


class LifetimeValueLabels(LabelEncoder[LifetimeValue]):
    """Reads numbers of at least 0, and learns the share above 0 and mean, deviation and largest of the logarithms."""

    def __init__(self, task: LifetimeValue, statistics: Mapping[str, Any] | None = None) -> None:
        super().__init__(task, statistics)
        self._known, self._largest = 0, -np.inf

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        values = self.numbers(table)
        self.refuse_negative(values)
        return values[:, np.newaxis]

    @override
    def take(self, known: np.ndarray) -> None:
        logarithms = np.log(known[known > 0])
        self._known += len(known)
        self._largest = max(self._largest, logarithms.max(initial=-np.inf))
        self._moments.add(logarithms)

    @override
    def absorbed(self) -> State:
        return super().absorbed() | {"known": self._known, "largest": float(self._largest)}

    @override
    def merge(self, absorbed: State) -> None:
        super().merge(absorbed)
        self._known += absorbed["known"]
        self._largest = max(self._largest, absorbed["largest"])

    @override
    def summary(self) -> dict[str, Any]:
        logarithms = self._moments.total()
        # half a row more of each class, so that the odds are finite even if all or no values are 0
        rate = (logarithms.count + 0.5) / (self._known + 1)
        spread = {"log_std": logarithms.std or 1.0, "log_largest": float(self._largest)}
        return {"rate": rate, "log_mean": logarithms.mean} | spread


class DurationLabels(LabelEncoder[Duration]):
    """Reads times of at least 0 and, if declared, their limits; NaN: no limit."""

    @property
    @override
    def num_labels(self) -> int:  # type: ignore[override]
        """One, or two with a limit."""
        return 1 + len(self.task.known_columns)

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        values = self.numbers(table)
        self.refuse_negative(values)
        return np.stack([values, *self._limits(table)], axis=1)

    @override
    def read_known(self, table: pa.Table) -> np.ndarray:
        return np.stack([np.full(table.num_rows, np.nan), *self._limits(table)], axis=1)

    def _limits(self, table: pa.Table) -> list[np.ndarray]:
        purpose = f"limit of task {self.task.name!r}"
        found = []
        for name in self.task.known_columns:
            values, missing = as_numbers(pick_column(table, name, purpose), purpose)
            wrong = np.flatnonzero((values <= 0) & ~missing)
            if len(wrong):
                raise TableError(
                    f"{purpose}: found {values[wrong[0]]:g} in row {wrong[0]}, expected numbers above 0 or null"
                )
            found.append(np.where(missing, np.nan, values))
        return found

    @override
    def take(self, known: np.ndarray) -> None:
        self._moments.add(np.log1p(known / self.task.unit))

    @override
    def summary(self) -> dict[str, Any]:
        moments = self._moments.total()
        return {"log_mean": moments.mean, "log_std": moments.std}
