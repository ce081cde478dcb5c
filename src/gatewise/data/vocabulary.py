"""Vocabularies: from values to rows of an embedding table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.hashing import hash_values
from gatewise.errors import ArtefactError
from gatewise.layout import OUT_OF_VOCABULARY, RESERVED_ROWS

SMALL_LOOKUP = 4096
TYPES = {"integer": pa.int64(), "string": pa.large_string()}


@dataclass(frozen=True)
class Vocabulary:
    """Learnt values; value i has row i + 2, all others are out of vocabulary.

    Attributes:
        values: distinct int64 or large_string values, most frequent first.
    """

    values: pa.Array
    _row_of: dict[Any, int] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def learn(cls, values: pa.Array, counts: np.ndarray, min_count: int = 1) -> Vocabulary:
        """Keep values seen at least ``min_count`` times, by falling count and, among equals, rising value."""
        table = pa.table({"value": values, "count": counts}).group_by("value").aggregate([("count", "sum")])
        table = table.filter(pc.greater_equal(table["count_sum"], min_count))
        table = table.sort_by([("count_sum", "descending"), ("value", "ascending")])
        return cls(_joined(table["value"]))

    @property
    def rows(self) -> int:
        """Rows that an embedding table needs, the reserved ones included."""
        return len(self.values) + RESERVED_ROWS

    @property
    def type(self) -> pa.DataType:
        """The values' type: int64, large_string, or null when nothing was learnt."""
        return self.values.type

    def lookup(self, values: pa.Array) -> np.ndarray:
        """Return the row of every value; the values are of the vocabulary's type and not null."""
        if pa.types.is_null(self.type) or pa.types.is_null(values.type):
            return np.full(len(values), OUT_OF_VOCABULARY, dtype=np.int32)
        if len(values) <= SMALL_LOOKUP:
            return self._lookup_few(values)
        position = pc.index_in(values, value_set=self.values)
        rows = pc.fill_null(pc.add(position, RESERVED_ROWS), OUT_OF_VOCABULARY)
        return rows.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)

    def _lookup_few(self, values: pa.Array) -> np.ndarray:
        # index_in hashes the whole vocabulary at every call: for a few values a kept dict is faster
        if not self._row_of and len(self.values):
            self._row_of.update(zip(self.values.to_pylist(), range(RESERVED_ROWS, self.rows), strict=True))
        found = (self._row_of.get(value, OUT_OF_VOCABULARY) for value in values.to_pylist())
        return np.fromiter(found, dtype=np.int32, count=len(values))

    def extended(self, values: pa.Array, counts: np.ndarray, min_count: int = 1) -> Vocabulary:
        """Return this vocabulary with values it lacks at its end; rows of known values stay."""
        if pa.types.is_null(self.type):
            return Vocabulary.learn(values, counts, min_count)
        unknown = self.lookup(values) == OUT_OF_VOCABULARY
        fresh = Vocabulary.learn(values.filter(pa.array(unknown)), counts[unknown], min_count)
        return Vocabulary(pa.concat_arrays([self.values, fresh.values.cast(self.type)]))

    def state(self) -> dict[str, Any]:
        """Return the vocabulary as JSON values."""
        kind = next((kind for kind, dtype in TYPES.items() if dtype == self.type), None)
        return {"values": kind, "learnt": self.values.to_pylist()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Vocabulary:
        """Rebuild what :meth:`state` gave."""
        values = pa.array(state["learnt"], type=TYPES.get(state["values"], pa.null()))
        if values.null_count != 0 and len(values):
            raise ArtefactError("vocabulary: a learnt value is null")
        return cls(values)


@dataclass(frozen=True)
class HashedVocabulary:
    """A fixed number of rows that values are hashed into; nothing is learnt, and unrelated values may share a row."""

    buckets: int
    type: pa.DataType | None = None

    @property
    def rows(self) -> int:
        """Rows that an embedding table needs, the reserved ones included."""
        return self.buckets + RESERVED_ROWS

    def lookup(self, values: pa.Array) -> np.ndarray:
        """Return the row of every value."""
        hashed = hash_values(values) % np.uint64(self.buckets)
        return (hashed + np.uint64(RESERVED_ROWS)).astype(np.int32)

    def extended(self, values: pa.Array, counts: np.ndarray, min_count: int = 1) -> HashedVocabulary:  # noqa: ARG002
        """Return itself: every value has a row already."""
        return self

    def state(self) -> dict[str, Any]:
        """Return the vocabulary as JSON values."""
        kind = next((kind for kind, dtype in TYPES.items() if dtype == self.type), None)
        return {"values": kind, "buckets": self.buckets}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> HashedVocabulary:
        """Rebuild what :meth:`state` gave."""
        return cls(state["buckets"], TYPES.get(state["values"]))


AnyVocabulary = Vocabulary | HashedVocabulary


def vocabulary_from_state(state: dict[str, Any]) -> AnyVocabulary:
    """Rebuild either kind of vocabulary."""
    return HashedVocabulary.from_state(state) if "buckets" in state else Vocabulary.from_state(state)


def _joined(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)
