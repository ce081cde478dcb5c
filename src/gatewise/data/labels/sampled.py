"""Binary labels whose negatives were down-sampled at rates that a column holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.absorbed import State
from gatewise.data.labels.numbers import BinaryLabels
from gatewise.data.pieces import blocks
from gatewise.data.tables import pick_column
from gatewise.data.values import as_numbers
from gatewise.declare import Binary
from gatewise.errors import TableError


class SampledLabels(BinaryLabels):
    """Has two label columns: the label, and the share of rows like this one that were kept if it is 0."""

    num_labels = 2

    def __init__(self, task: Binary, statistics: Mapping[str, Any] | None = None) -> None:
        super().__init__(task, statistics)
        self._ones, self._zeros = 0, list[float]()

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        assert isinstance(self.task.negatives_kept, str)
        labels = super().read(table)
        purpose = f"negatives_kept of task {self.task.name!r}"
        shares, missing = as_numbers(pick_column(table, self.task.negatives_kept, purpose), purpose)
        shares = np.where(missing, np.nan, shares)
        # only a negative needs its share
        wrong = np.flatnonzero((labels[:, 0] == 0) & ~((shares > 0) & (shares <= 1)))
        if len(wrong):
            found = "null" if missing[wrong[0]] else f"{shares[wrong[0]]:g}"
            raise TableError(f"{purpose}: found {found} in row {wrong[0]}, expected a share above 0 and at most 1")
        return np.concatenate([labels, shares[:, np.newaxis]], axis=1)

    @override
    def absorb(self, labels: np.ndarray) -> None:
        super().absorb(labels)
        self._ones += int((labels[:, 0] == 1).sum())
        # added up when all are there, so that parts of a table give the bits of the whole
        pieces = [labels[rows] for rows in blocks(len(labels))]
        self._zeros += [float((1 / piece[piece[:, 0] == 0, 1]).sum()) for piece in pieces]

    @override
    def absorbed(self) -> State:
        return super().absorbed() | {"ones": self._ones, "zeros": np.array(self._zeros)}

    @override
    def merge(self, absorbed: State) -> None:
        super().merge(absorbed)
        self._ones += absorbed["ones"]
        self._zeros += np.asarray(absorbed["zeros"]).tolist()

    @override
    def summary(self) -> dict[str, Any]:
        return {"rate": self._ones / (self._ones + sum(self._zeros))}
