"""Labels that are one of several classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.labels.label import LabelEncoder
from gatewise.data.values import Distinct, distinct_keys
from gatewise.declare import Multiclass
from gatewise.errors import TableError, did_you_mean, shown


class MulticlassLabels(LabelEncoder[Multiclass]):
    """Reads each label as its position among the classes, which are declared or learnt."""

    def __init__(self, task: Multiclass, statistics: Mapping[str, Any] | None = None) -> None:
        declared = {} if task.classes is None else {"classes": list(task.classes)}
        super().__init__(task, {**declared, **(statistics or {})})

    @property
    def classes(self) -> list[int | str]:
        """The classes, in the order of their positions."""
        classes: list[int | str] = self.statistics["classes"]
        return classes

    @property
    @override
    def type(self) -> pa.DataType | None:
        return pa.string() if isinstance(next(iter(self.statistics.get("classes", ())), None), str) else None

    @override
    def prepare(self, table: pa.Table) -> None:
        if self.task.classes is None:
            found = self._distinct(table)
            # a dictionary may hold values without a row
            self.statistics["classes"] = sorted(found.values.filter(pa.array(found.counts > 0)).to_pylist())

    @override
    def read(self, table: pa.Table) -> np.ndarray:
        found, place = self._distinct(table), {value: place for place, value in enumerate(self.classes)}
        values = found.values.to_pylist()
        unseen = np.array([value not in place for value in values] + [False])[found.codes]
        if unseen.any():
            row = int(unseen.argmax())
            raise TableError(self._unseen(values[found.codes[row]], row))
        places = np.array([place.get(value, 0) for value in values] + [np.nan], dtype=np.float64)
        return places[found.codes][:, np.newaxis]

    @override
    def summarise(self, known: np.ndarray) -> dict[str, Any]:
        # a declared class without a row counts once, so that its rate has a logarithm
        counts = np.bincount(known.astype(np.int64), minlength=len(self.classes)).clip(min=1)
        return {"rates": (counts / counts.sum()).tolist()}

    @override
    def shown(self, label: float) -> str:
        return repr(self.classes[int(label)])

    def _distinct(self, table: pa.Table) -> Distinct:
        return distinct_keys(self.column(table), self.purpose)

    def _unseen(self, value: int | str, row: int) -> str:
        classes = self.classes
        near = (
            did_you_mean(value, [name for name in classes if isinstance(name, str)]) if isinstance(value, str) else ""
        )
        return f"{self.purpose}: found {value!r} in row {row}, expected one of {shown(map(repr, classes))}{near}"
