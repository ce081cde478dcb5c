"""Rows of Python values, as JSON brings them, found without a table: the same rows, many times sooner.

A table of a few rows takes its time by the column, whatever its length: Arrow arrays are made, cast, searched for
nulls. Values of the types that JSON has are looked up one by one instead. Whatever is unusual (another type, a mixture,
a number out of range) goes the way that tables go, so that there is one meaning and one set of errors.
"""

from __future__ import annotations

import numpy as np

from gatewise.data.vocabularies import AnyVocabulary, Values

INT64 = range(-(2**63), 2**63)
NOTHING = type(None)


class KeyLookup:
    """Rows of integers (or booleans) or of strings, whichever a vocabulary holds.

    Args:
        vocabulary: what values are looked up in.
    """

    def __init__(self, vocabulary: AnyVocabulary) -> None:
        self._rows, self._kinds = vocabulary.value_rows(), vocabulary.value_kinds()

    def __call__(self, values: Values) -> np.ndarray | None:
        """Return the int32 row of every value, or None where the types of values are unusual."""
        kinds = set(map(type, values))
        known = kinds - {NOTHING}
        if known and known not in self._kinds:
            return None
        if known == {int} and not _within_int64(values if len(kinds) == 1 else [v for v in values if v is not None]):
            return None
        rows = self._rows(values)
        return None if rows is None else np.fromiter(rows, dtype=np.int32, count=len(values))


def _within_int64(values: Values) -> bool:
    return min(values) in INT64 and max(values) in INT64
