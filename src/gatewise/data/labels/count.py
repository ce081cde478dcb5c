"""Labels that are counts or totals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.labels.label import LabelEncoder
from gatewise.declare import Count


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
