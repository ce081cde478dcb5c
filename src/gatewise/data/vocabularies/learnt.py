"""Vocabularies that are learnt from the training table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

from gatewise.data.arrays import as_type, filled
from gatewise.data.remembered import Remembered
from gatewise.data.vocabularies.sorted_index import SortedIndex
from gatewise.data.vocabularies.vocabulary import AnyVocabulary, RowsOfValues, ValueKinds, Values, drawn
from gatewise.errors import ArtefactError
from gatewise.layout import NULL, OUT_OF_VOCABULARY, RESERVED_ROWS

SMALL_LOOKUP = 4096
HUGE = 1_000_000
"""Values of a vocabulary above which no dict of them is made."""
TYPES = {"integer": pa.int64(), "string": pa.large_string()}


@dataclass(frozen=True)
class Vocabulary(AnyVocabulary):
    """A learnt vocabulary: value i has row i + 2, all other values are out of vocabulary.

    Attributes:
        values: distinct int64 or large_string values, most frequent first; null: the row is free.
        usual_count: how often a value stood in the training table, on average; None: not known.
        unlisted: the share of the training table's values that were too rare to be learnt.
    """

    values: pa.Array
    usual_count: float | None = field(default=None, compare=False)
    unlisted: float = field(default=0.0, compare=False)
    _row_of: dict[Any, int] = field(default_factory=dict, compare=False, repr=False)
    _index: list[SortedIndex | None] = field(default_factory=list, compare=False, repr=False)

    @classmethod
    def learn(cls, values: pa.Array, counts: np.ndarray, min_count: int = 1, max_rows: int | None = None) -> Vocabulary:
        """Return a vocabulary of the values seen at least ``min_count`` times, by falling count, then rising value.

        Of more than ``max_rows`` such values the most frequent ones are learnt.
        """
        values, counts = summed(values, counts)
        enough = np.flatnonzero(counts >= min_count)
        kept = enough[np.argsort(-counts[enough], kind="stable")][:max_rows]
        unlisted = 1 - float(counts[kept].sum() / counts.sum()) if len(kept) < len(counts) else 0.0
        return cls(values.take(pa.array(kept)), float(counts[kept].mean()) if len(kept) else None, unlisted)

    @property
    @override
    def size(self) -> int:
        return len(self.values)

    @property
    def free(self) -> int:
        """Number of rows for values that no value has."""
        return int(self.values.null_count) if not pa.types.is_null(self.type) else 0

    @property
    def known(self) -> pa.Array:
        """The values that have rows, without nulls."""
        return self.values.drop_null() if self.free else self.values

    @property
    @override
    def type(self) -> pa.DataType:
        """Type of the values: int64, large_string, or null if nothing was learnt."""
        return self.values.type

    def holds(self, value: int | str) -> bool:
        """Return whether a value was learnt."""
        return self.value_rows()([value]) != [OUT_OF_VOCABULARY] if self.size > HUGE else value in self.row_of

    @property
    def row_of(self) -> Mapping[Any, int]:
        """The row of every learnt value; computed at first use."""
        if not self._row_of and len(self.values):
            row_of = dict(zip(self.values.to_pylist(), range(RESERVED_ROWS, self.rows), strict=True))
            row_of.pop(None, None)
            # assigned when complete, as another thread may be looking values up
            object.__setattr__(self, "_row_of", row_of)
        return self._row_of

    @override
    def lookup(self, values: pa.Array) -> np.ndarray:
        """Return the row of every value; integers or strings (any string type), as in the vocabulary."""
        if pa.types.is_null(self.type) or pa.types.is_null(values.type) or self.free == self.size:
            return np.full(len(values), OUT_OF_VOCABULARY, dtype=np.int32)
        # time of the kept dict grows with the values; of a huge vocabulary, making it takes longer than any look-up
        few = len(values) <= min(SMALL_LOOKUP, max(500, len(self.values) // 4))
        if few and (self._row_of or len(self.values) <= HUGE):
            return self._lookup_few(values)
        return self._lookup_many(values)

    def _lookup_few(self, values: pa.Array) -> np.ndarray:
        found = map(self.row_of.get, values.to_pylist(), repeat(OUT_OF_VOCABULARY))
        return np.fromiter(found, dtype=np.int32, count=len(values))

    def _lookup_many(self, values: pa.Array) -> np.ndarray:
        # index_in hashes the whole vocabulary at every call, an index is sorted once
        if len(self.values) > len(values) and (index := self._sorted()) is not None:
            return index.places(as_type(values, self.type), OUT_OF_VOCABULARY - RESERVED_ROWS) + np.int32(RESERVED_ROWS)
        position = pc.index_in(as_type(values, self.type), value_set=self.values)
        return filled(position, OUT_OF_VOCABULARY - RESERVED_ROWS) + np.int32(RESERVED_ROWS)

    def _sorted(self) -> SortedIndex | None:
        """Return the index of the values, made at first use; None if two values have one hash."""
        if not self._index:
            self._index.append(SortedIndex.of(self.values))
        return self._index[0]

    @override
    def value_kinds(self) -> ValueKinds:
        kinds = super().value_kinds()
        # True equals 1 in a dict, as in a table
        return (*kinds, {bool}) if kinds == ({int},) else kinds

    @override
    def value_rows(self) -> RowsOfValues:
        return Remembered(self._rows_in_index) if self.size > HUGE else self._rows_of_values

    def _rows_in_index(self, values: Values) -> list[int]:
        # Arrow takes no booleans for integers
        known = values if self.strings else [None if value is None else int(value) for value in values]
        rows: list[int] = self.rows_of(pa.array(known, self.type)).tolist()
        return rows

    def _rows_of_values(self, values: Values) -> Iterable[int]:
        rows = map(self.row_of.get, values, repeat(OUT_OF_VOCABULARY))
        if None not in values:
            return rows
        return (NULL if value is None else row for value, row in zip(values, rows, strict=True))

    @override
    def examples(self, count: int) -> list[Any]:
        return self.known[:count].to_pylist()

    @override
    def draw(self, count: int, rng: np.random.Generator) -> list[Any]:
        return drawn(self.known, count, rng, strings=self.strings)

    @override
    def state(self) -> dict[str, Any]:
        """Return the vocabulary as JSON values and, of the learnt values, the Arrow array."""
        kind = next((kind for kind, dtype in TYPES.items() if dtype == self.type), None)
        found = {"values": kind, "learnt": self.values}
        if self.usual_count is not None:
            found["usual_count"] = self.usual_count
        if self.free:
            found["free"] = self.free
        return found | {"unlisted": self.unlisted} if self.unlisted else found

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Vocabulary:
        """Return a vocabulary from a saved :meth:`state`, whose learnt values may be a list."""
        learnt, expected = state["learnt"], TYPES.get(state["values"], pa.null())
        values = learnt if isinstance(learnt, pa.Array) else pa.array(learnt, type=expected)
        if len(values) and values.null_count != state.get("free", 0):
            raise ArtefactError("vocabulary: a learnt value is null")
        return cls(values, state.get("usual_count"), state.get("unlisted", 0.0))


def summed(values: pa.Array, counts: np.ndarray) -> tuple[pa.Array, np.ndarray]:
    """Return the distinct values, rising, and their total counts."""
    if len(values) == 0:
        return values, counts
    order = _rising(values)
    values, counts = values.take(pa.array(order)), counts[order]
    # after sorting, equal values of different columns are neighbours
    differs = pc.not_equal(values[1:], values[:-1])
    starts = np.flatnonzero(np.append(True, differs.to_numpy(zero_copy_only=False)))
    return values.take(pa.array(starts)), np.add.reduceat(counts, starts)


def _rising(values: pa.Array) -> np.ndarray:
    # NumPy sorts integers three times faster than Arrow
    return np.argsort(values.to_numpy()) if pa.types.is_integer(values.type) else pc.sort_indices(values).to_numpy()
