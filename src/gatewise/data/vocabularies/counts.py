"""Counts of values over columns and pieces of a table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gatewise.data.absorbed import State
from gatewise.data.values import Distinct
from gatewise.data.vocabularies.learnt import TYPES, summed
from gatewise.data.vocabularies.vocabulary import check_type

SHARED = "features that share its table hold"


class ValueCounts:
    """Counts the values of one vocabulary; memory grows with the distinct values, not with the rows.

    Attributes:
        type: type of the values seen so far, int64 or large_string; None before the first value.
    """

    def __init__(self) -> None:
        self.type: pa.DataType | None = None
        self._pieces: list[tuple[pa.Array, np.ndarray]] = []
        self._merged = 0

    def see(self, values: Distinct, purpose: str) -> bool:
        """Record the type of a column's values, and return whether there are any.

        Raises:
            TableError: an earlier column holds another type.
        """
        return self._see(values.values.type, purpose)

    def _see(self, found: pa.DataType, purpose: str) -> bool:
        check_type(found, self.type, purpose, SHARED)
        if pa.types.is_null(found):
            return False
        self.type = found if self.type is None else self.type
        return True

    def add(self, values: Distinct, purpose: str) -> None:
        """Count the values of a column.

        Raises:
            TableError: see :meth:`see`.
        """
        if self.see(values, purpose):
            self._add(values.values, values.counts)

    def _add(self, values: pa.Array, counts: np.ndarray) -> None:
        self._pieces.append((values, counts))
        if len(self._pieces) > 1 and sum(len(piece) for piece, _ in self._pieces) > 2 * self._merged:
            self._merge()

    def absorbed(self) -> State:
        """Return the type, the values and their counts, for :meth:`merge`."""
        values, counts = summed(*self.all())
        kind = next((kind for kind, dtype in TYPES.items() if dtype == self.type), None)
        return {"type": kind, "values": values, "counts": counts}

    def merge(self, absorbed: State, purpose: str) -> None:
        """Take in the counts of the next part of a table.

        Raises:
            TableError: the part holds another type.
        """
        if self._see(TYPES.get(absorbed["type"], pa.null()), purpose) and len(absorbed["values"]):
            self._add(absorbed["values"], np.asarray(absorbed["counts"]))

    def _merge(self) -> None:
        merged = summed(*self.all())
        self._pieces, self._merged = [merged], max(len(merged[0]), 1)

    def all(self) -> tuple[pa.Array, np.ndarray]:
        """Return values and their counts; a value may occur several times."""
        if not self._pieces:
            return pa.nulls(0), np.zeros(0, dtype=np.int64)
        return pa.concat_arrays([piece for piece, _ in self._pieces]), np.concatenate([n for _, n in self._pieces])
