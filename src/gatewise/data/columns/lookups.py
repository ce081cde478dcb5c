"""Look-up of Python values, as JSON gives them, without a table: equal rows, much faster.

For a small table, most of the time goes into fixed work per column: Arrow arrays are made, cast and searched for nulls.
Values of JSON's types are therefore looked up one by one. Unusual values (another type, a mixture, a number out of
range) are encoded as a table, so that meaning and errors are the same.
"""

from __future__ import annotations

import numpy as np

from gatewise.data.vocabularies import AnyVocabulary, Values

INT64 = range(-(2**63), 2**63)
NOTHING = type(None)


class KeyLookup:
    """Look-up of integers (or booleans) or of strings, as the vocabulary has them.

    Args:
        vocabulary: the vocabulary.
    """

    def __init__(self, vocabulary: AnyVocabulary) -> None:
        self._rows, self._kinds = vocabulary.value_rows(), vocabulary.value_kinds()

    def __call__(self, values: Values) -> np.ndarray | None:
        """Return the int32 row of every value, or None if a value has an unusual type."""
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
