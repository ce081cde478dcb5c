"""Labels that are 0 or 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.labels.label import LabelEncoder
from gatewise.data.plain_types import is_string
from gatewise.data.tables import pick_column
from gatewise.declare import Binary, column_of
from gatewise.errors import TableError


class BinaryLabels(LabelEncoder[Binary]):
    """Reads labels that are 0 or 1, or false and true."""

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        if is_string(pick_column(table, column_of(self.task), self.purpose).type):
            raise TableError(f"{self.purpose}: found strings, expected 0, 1 or null")
        values = self.numbers(table)
        self.refuse(values, ~np.isnan(values) & (values != 0) & (values != 1), "0, 1 or null")
        return values[:, np.newaxis]

    @override
    def summarise(self, known: np.ndarray) -> dict[str, Any]:
        return {"rate": float(known.mean())}
