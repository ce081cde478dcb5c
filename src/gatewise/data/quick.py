"""Columns of Python values, as JSON brings them, encoded without a table: the same rows, many times sooner.

A table of a few rows takes its time by the column, whatever its length: Arrow arrays are made, cast, searched for
nulls. Values of the types that JSON has are looked up one by one instead. Whatever is unusual (another type, a mixture,
a number out of range) goes the way that tables go, so that there is one meaning and one set of errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from functools import partial
from itertools import chain, pairwise, repeat
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.encoders import CategoricalEncoder, NumericEncoder, RaggedIds, SequenceEncoder
from gatewise.data.encoders.by_feature import Encoded, Encoder, encode_column
from gatewise.data.encoders.numeric import Numbers
from gatewise.data.plain_types import is_string
from gatewise.data.tables import read_table
from gatewise.data.vocabulary import AnyVocabulary, Vocabulary
from gatewise.declare import Feature, column_of
from gatewise.errors import TableError
from gatewise.layout import NULL, OUT_OF_VOCABULARY

EXACT = 2.0**53
"""Integers below are float64 numbers, alone or among fractions."""
INT64 = range(-(2**63), 2**63)
REMEMBERED_BYTES = 16 << 20
"""What is kept of values and their rows at most, where finding them takes longer than a look into a dict."""
ENTRY_BYTES = 200
"""About what a dict, a short value and its row take."""

NOTHING = type(None)
Values = Sequence[Any]
Quick = Callable[[Values], Encoded | None]
"""Encodes values of usual types, or returns None."""


class ValuesEncoder:
    """Encodes one feature's values exactly as its :class:`Encoder` encodes a column that holds them.

    Args:
        feature: the declaration.
        encoder: fitted on the training table.

    Example:
        >>> from gatewise import Binary, Categorical, Schema
        >>> from gatewise.data import TableEncoder
        >>> schema = Schema(features=[Categorical("user")], tasks=[Binary("click")])
        >>> encoder, _ = TableEncoder.fit(schema, {"user": [7, 8, 7], "click": [0, 1, None]})
        >>> ValuesEncoder(schema.features[0], encoder.encoders["user"])([8, 9, None]).tolist()
        [3, 0, 1]
    """

    def __init__(self, feature: Feature, encoder: Encoder) -> None:
        self.feature, self.encoder = feature, encoder
        self.column = column_of(feature)
        self._quick = _quick_way(encoder, self._as_table)

    def __call__(self, values: Values) -> Encoded:
        """Return ids ``[row]``, floats ``[row, column]``, ragged ids or texts.

        Raises:
            TableError: as of a table whose column holds the values; names feature or column.
        """
        found = self._quick(values)
        return self._as_table(values) if found is None else found

    def _as_table(self, values: Values) -> Encoded:
        return encode_column(self.feature, self.encoder, read_table({self.column: values}))


def _quick_way(encoder: Encoder, as_table: Callable[[Values], Encoded]) -> Quick:
    match encoder:
        case NumericEncoder():
            return partial(_numbers, encoder)
        case CategoricalEncoder():
            return _Keys(encoder.vocabulary)
        case SequenceEncoder():
            return _Lists(encoder, as_table)
    # vectors are made of far more numbers than calls, and tokens take longer than tables
    return lambda _: None


def _numbers(encoder: NumericEncoder, values: Values) -> Encoded | None:
    kinds = set(map(type, values))
    if not kinds <= {int, float, NOTHING}:
        return None
    nulls = NOTHING in kinds
    try:
        numbers = np.array([value or 0.0 for value in values] if nulls else values, dtype=np.float64)
    except OverflowError:
        return None
    # NaN is not below anything
    if len(numbers) and not np.abs(numbers).max() < EXACT:
        return None
    missing = np.array([value is None for value in values]) if nulls else np.zeros(len(values), dtype=bool)
    return encoder.encode(Numbers(numbers, missing))


class _Keys:
    """Rows of integers (or booleans) or of strings, whichever a vocabulary holds."""

    def __init__(self, vocabulary: AnyVocabulary) -> None:
        self._rows: Callable[[Values], Iterable[int]] = (
            partial(_learnt, vocabulary)
            if isinstance(vocabulary, Vocabulary)
            else _Remembered(lambda keys: vocabulary.rows_of(pa.array(keys)).tolist())
        )
        self.kinds: tuple[set[type], ...] = ()
        if vocabulary.type is not None and is_string(vocabulary.type):
            self.kinds = ({str},)
        elif vocabulary.type is not None and pa.types.is_integer(vocabulary.type):
            # True is 1 to a dict, as it is to a table of learnt values
            self.kinds = ({int}, {bool}) if isinstance(vocabulary, Vocabulary) else ({int},)

    def __call__(self, values: Values) -> np.ndarray | None:
        kinds = set(map(type, values))
        known = kinds - {NOTHING}
        if known and known not in self.kinds:
            return None
        if known == {int} and not _within_int64(values if len(kinds) == 1 else [v for v in values if v is not None]):
            return None
        return np.fromiter(self._rows(values), dtype=np.int32, count=len(values))


def _learnt(vocabulary: Vocabulary, values: Values) -> Iterable[int]:
    rows = map(vocabulary.row_of.get, values, repeat(OUT_OF_VOCABULARY))
    return (NULL if value is None else row for value, row in zip(values, rows, strict=True)) if None in values else rows


def _within_int64(values: Values) -> bool:
    return min(values) in INT64 and max(values) in INT64


class _Lists:
    """Rows of the items of lists, or of strings that are split."""

    def __init__(self, encoder: SequenceEncoder, as_table: Callable[[Values], Encoded]) -> None:
        self.max_length, self.first = encoder.feature.max_length, encoder.feature.keep == "first"
        self._keys = _Keys(encoder.vocabulary)
        self._split = _Remembered(lambda strings: _parts(as_table(strings)))

    def __call__(self, values: Values) -> RaggedIds | None:
        kinds = set(map(type, values)) - {NOTHING}
        if kinds == {str}:
            return self._strings(values)
        return self._of_lists(values) if kinds == {list} else None

    def _strings(self, values: Values) -> RaggedIds | None:
        try:
            rows = self._split(values)
        except TableError:
            # the table says it of the whole column
            return None
        return RaggedIds(np.array([*chain.from_iterable(rows)], dtype=np.int32), _offsets(rows))

    def _of_lists(self, values: Values) -> RaggedIds | None:
        whole = [[None] if value is None else value for value in values]
        kept = whole if self.max_length is None else [self._cut(items, self.max_length) for items in whole]
        found = self._keys([*chain.from_iterable(kept)])
        # what is cut off is to be of the right type as well
        if found is None or (kept is not whole and self._keys([*chain.from_iterable(whole)]) is None):
            return None
        return RaggedIds(found, _offsets(kept))

    def _cut(self, items: list[Any], length: int) -> list[Any]:
        return items[:length] if self.first else items[-length:]


def _offsets(rows: Iterable[Sized]) -> np.ndarray:
    return np.cumsum([0, *map(len, rows)])


def _parts(ragged: Encoded) -> list[list[int]]:
    assert isinstance(ragged, RaggedIds)
    values, offsets = ragged.values.tolist(), ragged.offsets.tolist()
    return [values[start:end] for start, end in pairwise(offsets)]


class _Remembered:
    """Finds what belongs to values, and keeps it: for values that come again and take long to work out."""

    def __init__(self, find: Callable[[list[Any]], Sequence[Any]]) -> None:
        self._find = find
        self._known: dict[Any, Any] = {}
        self._bytes = 0

    def __call__(self, values: Values) -> list[Any]:
        known = self._known
        unknown = [value for value in dict.fromkeys(values) if value not in known]
        if not unknown:
            return [known[value] for value in values]
        found = dict(zip(unknown, self._find(unknown), strict=True))
        size = sum(map(_kept_bytes, found.items()))
        if self._bytes + size > REMEMBERED_BYTES:
            # another thread may be reading the old one; what does not fit at all is forgotten at once
            self._known, self._bytes = ({}, 0) if size > REMEMBERED_BYTES else (dict(found), size)
            return [found[value] if value in found else known[value] for value in values]
        known.update(found)
        self._bytes += size
        return [known[value] for value in values]


def _kept_bytes(entry: tuple[Any, Any]) -> int:
    value, rows = entry
    text = 4 * len(value) if isinstance(value, str) else 0
    # a small integer of a list is 8 bytes in it and 28 of its own
    return ENTRY_BYTES + text + (36 * len(rows) if isinstance(rows, list) else 0)
