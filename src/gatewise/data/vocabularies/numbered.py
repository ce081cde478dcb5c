"""Vocabularies of the ids 0 to ``count - 1``, without learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.arrays import filled
from gatewise.data.values import RowOf
from gatewise.data.vocabularies.vocabulary import AnyVocabulary, RowsOfValues, ValueKinds, Values, check_type
from gatewise.errors import TableError
from gatewise.layout import NULL, OUT_OF_VOCABULARY, RESERVED_ROWS


@dataclass(frozen=True)
class NumberedVocabulary(AnyVocabulary):
    """The ids 0 to ``count - 1``; id i has row i + 2. Other values are an error.

    Attributes:
        count: number of ids.
    """

    count: int

    @property
    @override
    def size(self) -> int:
        return self.count

    @property
    @override
    def type(self) -> pa.DataType:
        return pa.int64()

    @property
    def expected(self) -> str:
        """The expected values, for messages."""
        return f"ids from 0 to {self.count - 1:,} (size={self.count})"

    @override
    def check(self, keys: pa.Array, purpose: str, row_of: RowOf = int) -> None:
        """Refuse keys outside the ids.

        Raises:
            TableError: names the first wrong key, its row and the range.
        """
        check_type(keys.type, self.type, purpose, "size says that its ids are")
        if pa.types.is_null(keys.type):
            return
        ids = filled(keys, 0)
        if len(ids) and not (ids.min() >= 0 and ids.max() < self.count):
            place = int(np.flatnonzero((ids < 0) | (ids >= self.count))[0])
            raise TableError(f"{purpose}: found {ids[place]} in row {row_of(place)}, expected {self.expected} or null")

    @override
    def lookup(self, values: pa.Array) -> np.ndarray:
        if pa.types.is_null(values.type):
            return np.full(len(values), OUT_OF_VOCABULARY, dtype=np.int32)
        return filled(values, 0).astype(np.int32) + np.int32(RESERVED_ROWS)

    @override
    def value_kinds(self) -> ValueKinds:
        return {int}, {bool}

    @override
    def value_rows(self) -> RowsOfValues:
        return self._rows_of_values

    def _rows_of_values(self, values: Values) -> list[int] | None:
        known = [value for value in values if value is not None]
        if known and not (min(known) >= 0 and max(known) < self.count):
            return None
        return [NULL if value is None else value + RESERVED_ROWS for value in values]

    @override
    def examples(self, count: int) -> list[Any]:
        return [*range(min(count, self.count))]

    @override
    def draw(self, count: int, rng: np.random.Generator) -> list[Any]:
        return rng.integers(0, self.count, count).tolist()

    @override
    def state(self) -> None:
        return None
