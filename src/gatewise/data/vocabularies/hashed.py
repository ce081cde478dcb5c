"""Hashed vocabularies, with a fixed number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.hashing import hash_values
from gatewise.data.remembered import Remembered
from gatewise.data.values import distinct
from gatewise.data.vocabularies.learnt import TYPES
from gatewise.data.vocabularies.vocabulary import AnyVocabulary, RowsOfValues, drawn
from gatewise.layout import RESERVED_ROWS


@dataclass(frozen=True)
class HashedVocabulary(AnyVocabulary):
    """A fixed number of rows that values are hashed into; nothing is learnt, and unrelated values may share a row."""

    buckets: int
    type: pa.DataType | None = None

    @property
    @override
    def size(self) -> int:
        return self.buckets

    @override
    def rows_of(self, keys: pa.Array) -> np.ndarray:
        """Return the row of every key of a column; null has a reserved row."""
        # hashing takes longer than finding the distinct values
        split = distinct(keys)
        return split.rows(self.lookup(split.values))

    @override
    def lookup(self, values: pa.Array) -> np.ndarray:
        """Return the row of every value; the array has no nulls."""
        hashed = hash_values(values) % np.uint64(self.buckets)
        return (hashed + np.uint64(RESERVED_ROWS)).astype(np.int32)

    @override
    def value_rows(self) -> RowsOfValues:
        return Remembered(lambda keys: self.rows_of(pa.array(keys)).tolist())

    @override
    def examples(self, count: int) -> list[Any]:
        return []

    @override
    def draw(self, count: int, rng: np.random.Generator) -> list[Any]:
        return drawn(pa.array(range(1000)), count, rng, strings=self.strings)

    @override
    def state(self) -> dict[str, Any]:
        """Return the vocabulary as JSON values."""
        kind = next((kind for kind, dtype in TYPES.items() if dtype == self.type), None)
        return {"values": kind, "buckets": self.buckets}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> HashedVocabulary:
        """Return a vocabulary from a saved :meth:`state`."""
        return cls(state["buckets"], TYPES.get(state["values"]))
