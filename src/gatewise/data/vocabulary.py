"""Vocabularies: from values to rows of an embedding table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.arrays import as_type, filled, null_mask
from gatewise.data.hashing import hash_values
from gatewise.data.values import distinct
from gatewise.errors import ArtefactError
from gatewise.layout import NULL, OUT_OF_VOCABULARY, RESERVED_ROWS

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
        if len(values) == 0:
            return cls(values)
        order = _rising(values)
        values, counts = values.take(pa.array(order)), counts[order]
        # equal values, which several columns may have, are neighbours now
        differs = pc.not_equal(values[1:], values[:-1])
        starts = np.flatnonzero(np.append(True, differs.to_numpy(zero_copy_only=False)))
        counts = np.add.reduceat(counts, starts)
        kept = np.flatnonzero(counts >= min_count)
        by_count = kept[np.argsort(-counts[kept], kind="stable")]
        return cls(values.take(pa.array(starts[by_count])))

    @property
    def rows(self) -> int:
        """Rows that an embedding table needs, the reserved ones included."""
        return len(self.values) + RESERVED_ROWS

    @property
    def type(self) -> pa.DataType:
        """The values' type: int64, large_string, or null when nothing was learnt."""
        return self.values.type

    @property
    def row_of(self) -> Mapping[Any, int]:
        """The row of every learnt value, made when it is first asked for and kept."""
        if not self._row_of and len(self.values):
            row_of = dict(zip(self.values.to_pylist(), range(RESERVED_ROWS, self.rows), strict=True))
            # set at once and whole, as another thread may be looking values up
            object.__setattr__(self, "_row_of", row_of)
        return self._row_of

    def rows_of(self, keys: pa.Array) -> np.ndarray:
        """Return the row of every key of a column; null has its own."""
        rows = self.lookup(keys)
        if keys.null_count:
            rows[null_mask(keys)] = NULL
        return rows

    def lookup(self, values: pa.Array) -> np.ndarray:
        """Return the row of every value: integers, or strings of any width, as the vocabulary's are."""
        if pa.types.is_null(self.type) or pa.types.is_null(values.type):
            return np.full(len(values), OUT_OF_VOCABULARY, dtype=np.int32)
        # a kept dict takes its time by the value; index_in hashes the whole vocabulary at every call, all at once
        if len(values) <= min(SMALL_LOOKUP, max(500, len(self.values) // 4)):
            return self._lookup_few(values)
        return self._lookup_many(values)

    def _lookup_few(self, values: pa.Array) -> np.ndarray:
        found = map(self.row_of.get, values.to_pylist(), repeat(OUT_OF_VOCABULARY))
        return np.fromiter(found, dtype=np.int32, count=len(values))

    def _lookup_many(self, values: pa.Array) -> np.ndarray:
        position = pc.index_in(as_type(values, self.type), value_set=self.values)
        return filled(position, OUT_OF_VOCABULARY - RESERVED_ROWS) + np.int32(RESERVED_ROWS)

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

    def rows_of(self, keys: pa.Array) -> np.ndarray:
        """Return the row of every key of a column; null has its own."""
        # hashing takes longer than finding out what is distinct
        split = distinct(keys)
        return split.rows(self.lookup(split.values))

    def lookup(self, values: pa.Array) -> np.ndarray:
        """Return the row of every value; none is null."""
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


def _rising(values: pa.Array) -> np.ndarray:
    # NumPy sorts integers three times as fast as Arrow
    return np.argsort(values.to_numpy()) if pa.types.is_integer(values.type) else pc.sort_indices(values).to_numpy()
