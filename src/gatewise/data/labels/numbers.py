"""Labels that are numbers: 0 or 1, any, counts and totals, lifetime values, durations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.labels.label import LabelEncoder
from gatewise.data.plain_types import is_string
from gatewise.data.tables import pick_column
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
    def summarise(self, known: np.ndarray) -> dict[str, Any]:
        return {"rate": float(known.mean())}


def _such_as(column: pa.Array) -> str:
    """Return the first text that is neither 0 nor 1, or else the first one, and its row."""
    texts = [(row, text) for row, text in enumerate(column.to_pylist()) if text is not None]
    row, text = next((pair for pair in texts if pair[1] not in ("0", "1")), texts[0] if texts else (0, None))
    return "" if text is None else f", such as {text[:40]!r} in row {row}"


class RegressionLabels(LabelEncoder[Regression]):
    """Reads numbers, and learns mean, deviation and, for ``mae`` and ``quantile``, the quantile to start from."""

    @override
    def summarise(self, known: np.ndarray) -> dict[str, Any]:
        quantiles = {"mae": 0.5, "quantile": self.task.quantile}
        if self.task.loss not in quantiles:
            return super().summarise(known)
        return super().summarise(known) | {"start": float(np.quantile(known, quantiles[self.task.loss]))}


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
    def summarise(self, known: np.ndarray) -> dict[str, Any]:
        return {"mean": float(known.mean())}


class LifetimeValueLabels(LabelEncoder[LifetimeValue]):
    """Reads numbers of at least 0, and learns the share above 0 and mean, deviation and largest of the logarithms."""

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        values = self.numbers(table)
        self.refuse_negative(values)
        return values[:, np.newaxis]

    @override
    def summarise(self, known: np.ndarray) -> dict[str, Any]:
        logarithms = np.log(known[known > 0])
        # half a row more of each class, so that the odds are finite even if all or no values are 0
        rate = (len(logarithms) + 0.5) / (len(known) + 1)
        spread = {"log_std": float(logarithms.std()) or 1.0, "log_largest": float(logarithms.max())}
        return {"rate": rate, "log_mean": float(logarithms.mean())} | spread


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
    def summarise(self, known: np.ndarray) -> dict[str, Any]:
        logarithms = np.log1p(known / self.task.unit)
        return {"log_mean": float(logarithms.mean()), "log_std": float(logarithms.std())}
