"""Binary labels that are learnt from before they are final."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from typing_extensions import override

from gatewise.data.absorbed import State
from gatewise.data.labels.numbers import BinaryLabels
from gatewise.data.moments import BlockMoments
from gatewise.data.pieces import blocks
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
        self._final = BlockMoments()
        self._waits = UniformSample()

    @override
    def absorb(self, labels: np.ndarray) -> None:
        super().absorb(labels)
        for rows in blocks(len(labels)):
            known = labels[rows][~np.isnan(labels[rows, 0])]
            self._final.add(known[known[:, 1] >= 1, 0])
            self._waits.add(known[~np.isnan(known[:, 2]), 2])

    @override
    def absorbed(self) -> State:
        return super().absorbed() | {"final": self._final.absorbed(), "waits": self._waits.absorbed()}

    @override
    def merge(self, absorbed: State) -> None:
        super().merge(absorbed)
        self._final.merge(absorbed["final"])
        self._waits.merge(absorbed["waits"])

    @override
    def summary(self) -> dict[str, Any]:
        final = self._final.total().mean
        rate = final if 0 < final < 1 else self._moments.total().mean
        waits, self._waits = self._waits.values(), UniformSample()
        if not len(waits):
            return {"rate": rate}
        even = np.arange(1, PARTS) / PARTS
        inner = np.unique([*np.quantile(waits, even), *even])
        bounds = [0.0, *inner[(inner > 0) & (inner < 1)].tolist(), 1.0]
        return {"rate": rate, "mean_wait": float(max(waits.mean(), 1e-3)), "bounds": bounds}
