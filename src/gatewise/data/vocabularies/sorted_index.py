"""A sorted index of many values, which is kept: looking values up does not go through all known ones again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.arrays import null_mask
from gatewise.data.vocabularies.search_keys import search_keys


@dataclass(frozen=True)
class SortedIndex:
    """Finds the places of values among distinct known ones.

    Attributes:
        known: the values, int64 or large_string; nulls are no values.
        keys: the integers, or hashes of the strings, rising.
        order: the place of every key's value among the known ones.
    """

    known: pa.Array
    keys: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, known: pa.Array) -> SortedIndex | None:
        """Return the index of distinct values; None if two of them have one hash."""
        there = np.flatnonzero(~null_mask(known)) if known.null_count else None
        keys = search_keys(known if there is None else known.take(pa.array(there)))
        order = np.argsort(keys, kind="stable").astype(np.int32)
        keys, order = keys[order], order if there is None else there[order].astype(np.int32)
        return None if (keys[1:] == keys[:-1]).any() else cls(known, keys, order)

    def places(self, values: pa.Array, absent: int) -> np.ndarray:
        """Return the place of every value among the known ones, int32; ``absent`` for others, any number for null."""
        if values.null_count:
            values = values.fill_null(0 if pa.types.is_integer(values.type) else "")
        keys = search_keys(values)
        # neighbouring keys are found near each other, in memory that is at hand
        rising = np.argsort(keys)
        near = np.empty(len(keys), np.int64)
        near[rising] = np.searchsorted(self.keys, keys[rising])
        near = near.clip(max=len(self.keys) - 1)
        found = self.keys[near] == keys
        places = np.where(found, self.order[near], absent).astype(np.int32)
        if not pa.types.is_integer(self.known.type) and found.any():
            # a string that is not known may have the hash of one that is
            there = np.flatnonzero(found)
            same = pc.equal(self.known.take(pa.array(places[there])), values.take(pa.array(there)))
            places[there[~same.to_numpy(zero_copy_only=False)]] = absent
        return places


def is_distinct(values: pa.Array) -> bool:
    """Return whether no value stands in an int64 or large_string array twice; the array has no nulls."""
    if not len(values):
        return True
    keys = search_keys(values)
    rising = np.sort(keys)
    twice = rising[1:][rising[1:] == rising[:-1]]
    if pa.types.is_integer(values.type) or not len(twice):
        return not len(twice)
    # strings may differ and have one hash
    alike = values.filter(pa.array(np.isin(keys, twice)))
    return bool(pc.count_distinct(alike).as_py() == len(alike))
