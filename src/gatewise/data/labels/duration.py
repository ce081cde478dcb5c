"""Labels that are durations, censored at a limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.labels.label import LabelEncoder
from gatewise.data.tables import pick_column
from gatewise.data.values import as_numbers
from gatewise.declare import Duration
from gatewise.errors import TableError


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
