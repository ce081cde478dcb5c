"""Labels that are mostly 0, and otherwise spread over orders of magnitude."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.labels.label import LabelEncoder
from gatewise.declare import LifetimeValue


class LifetimeValueLabels(LabelEncoder[LifetimeValue]):
    """Reads numbers of at least 0, and learns the share above 0 and mean and deviation of their logarithms."""

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
        return {"rate": rate, "log_mean": float(logarithms.mean()), "log_std": float(logarithms.std()) or 1.0}
