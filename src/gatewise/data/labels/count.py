"""Labels that count something, or add something up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.labels.label import LabelEncoder
from gatewise.declare import Count


class CountLabels(LabelEncoder[Count]):
    """Reads numbers of 0 or more, whole ones where they are counts."""

    def read(self, table: pa.Table) -> np.ndarray:  # noqa: D102
        values = self.numbers(table)
        self.refuse_negative(values)
        if self.task.loss == "poisson":
            self.refuse(values, values % 1 > 0, "whole numbers or null (loss 'tweedie' takes others)")
        return values[:, np.newaxis]

    def summarise(self, known: np.ndarray) -> dict[str, Any]:  # noqa: D102
        return {"mean": float(known.mean())}
