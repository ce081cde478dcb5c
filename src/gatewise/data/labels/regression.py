"""Labels that are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from typing_extensions import override

from gatewise.data.labels.label import LabelEncoder
from gatewise.declare import Regression


class RegressionLabels(LabelEncoder[Regression]):
    """Reads numbers, and learns mean, deviation and, for ``mae`` and ``quantile``, the quantile to start from."""

    @override
    def summarise(self, known: np.ndarray) -> dict[str, Any]:
        quantiles = {"mae": 0.5, "quantile": self.task.quantile}
        if self.task.loss not in quantiles:
            return super().summarise(known)
        return super().summarise(known) | {"start": float(np.quantile(known, quantiles[self.task.loss]))}
