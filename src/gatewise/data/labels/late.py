"""Binary labels that are learnt from before they are final."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from typing_extensions import override

from gatewise.data.labels.numbers import BinaryLabels
from gatewise.data.moments import Moments
from gatewise.data.uniform_sample import UniformSample
from gatewise.declare import Binary

PARTS = 8
"""The delay is cut where so many parts have equally many of the waits that were seen, and where they are equally long:
early waits are many, and late ones are seen less often than they are."""


class LateLabels(BinaryLabels):
    """Has three label columns: the label so far, the row's age and the wait for a one, both in delays.

    Learns the rate in rows whose label is final, if there are any, the mean wait, and the bounds of parts of the delay.
    """

    num_labels = 3

    def __init__(self, task: Binary, statistics: Mapping[str, Any] | None = None) -> None:
        super().__init__(task, statistics)
        self._final = Moments()
        self._waits = UniformSample()

    @override
    def absorb(self, labels: np.ndarray) -> None:
        super().absorb(labels)
        known = ~np.isnan(labels[:, 0])
        final = labels[known & (labels[:, 1] >= 1), 0]
        self._final += Moments.of(final)
        waits = labels[known & ~np.isnan(labels[:, 2]), 2]
        if len(waits):
            self._waits.add(waits)

    @override
    def summary(self) -> dict[str, Any]:
        rate = self._final.mean if 0 < self._final.mean < 1 else self._moments.mean
        waits, self._waits = self._waits.values(), UniformSample()
        if not len(waits):
            return {"rate": rate}
        even = np.arange(1, PARTS) / PARTS
        inner = np.unique([*np.quantile(waits, even), *even])
        bounds = [0.0, *inner[(inner > 0) & (inner < 1)].tolist(), 1.0]
        return {"rate": rate, "mean_wait": float(max(waits.mean(), 1e-3)), "bounds": bounds}
