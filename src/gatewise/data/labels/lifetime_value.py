"""Labels that are 0 for most, and spread over orders of magnitude for the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.labels.label import LabelEncoder
from gatewise.declare import LifetimeValue


class LifetimeValueLabels(LabelEncoder[LifetimeValue]):
    """Reads numbers of 0 or more, and learns how many are above 0 and how their logarithms are spread."""

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        values = self.numbers(table)
        self.refuse_negative(values)
        return values[:, np.newaxis]

    @override
    def summarise(self, known: np.ndarray) -> dict[str, Any]:
        logarithms = np.log(known[known > 0])
        # half a row more of either, so that values that nobody lacks have odds too
        rate = (len(logarithms) + 0.5) / (len(known) + 1)
        return {"rate": rate, "log_mean": float(logarithms.mean()), "log_std": float(logarithms.std()) or 1.0}
