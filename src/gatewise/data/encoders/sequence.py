"""Multi-valued columns: a list of ids a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gatewise.data.arrays import filled, null_mask
from gatewise.data.encoders.categorical import LEARNT_FROM, check_type
from gatewise.data.plain_types import is_list, is_string
from gatewise.data.values import Distinct, RowOf, as_keys, as_lists, distinct
from gatewise.data.vocabulary import AnyVocabulary
from gatewise.declare import Sequence
from gatewise.errors import TableError


@dataclass(frozen=True)
class RaggedIds:
    """Lists of ids: row i holds ``values[offsets[i] : offsets[i + 1]]``."""

    values: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1


@dataclass(frozen=True)
class Items:
    """A list column as one run of items, already cut to length; a null list is one null item."""

    distinct: Distinct
    offsets: np.ndarray


class SequenceEncoder:
    """Encodes a list column with a vocabulary."""

    def __init__(self, feature: Sequence, vocabulary: AnyVocabulary) -> None:
        self.feature = feature
        self.vocabulary = vocabulary

    @staticmethod
    def prepare(feature: Sequence, column: pa.Array, purpose: str, expected: pa.DataType | None = None) -> Items:
        """Split, cut and key a raw column.

        Args:
            feature: its separator, length and side to keep.
            column: lists, or strings to split.
            purpose: who asks, for messages.
            expected: type of the vocabulary, so that ids written as "1|2" can be integers.
        """
        expected = pa.int64() if feature.dtype == "integer" else expected
        keys, offsets = item_keys(feature, column, purpose, expected)
        return Items(distinct(keys), offsets)

    def encode_column(self, column: pa.Array, purpose: str) -> RaggedIds:
        """Return the ids of every row's items of a raw column."""
        keys, offsets = item_keys(self.feature, column, purpose, self.vocabulary.type)
        check_type(keys.type, self.vocabulary.type, purpose, LEARNT_FROM)
        return _ragged(self.vocabulary.rows_of(keys), offsets)

    def encode(self, items: Items, purpose: str) -> RaggedIds:
        """Return the ids of every row's items of a prepared column."""
        check_type(items.distinct.values.type, self.vocabulary.type, purpose, LEARNT_FROM)
        return _ragged(items.distinct.rows(self.vocabulary.lookup(items.distinct.values)), items.offsets)


def item_keys(
    feature: Sequence, column: pa.Array, purpose: str, expected: pa.DataType | None
) -> tuple[pa.Array, np.ndarray]:
    """Return the keys of all rows' items, null for a null list, and where each row's begin and the last one's end."""
    lists = as_lists(column, feature.separator, purpose)
    if expected == pa.int64() and is_string(lists.type.value_type) and not is_list(column.type):
        lists = _integers(lists, purpose)
    keys = as_keys(lists.values, f"{purpose}, an item", _row_of(lists))
    missing = null_mask(lists)
    starts = lists.offsets.to_numpy()[:-1]
    lengths = filled(lists.value_lengths(), 0)
    if feature.max_length is not None:
        cut = np.maximum(lengths - feature.max_length, 0)
        starts = starts + cut if feature.keep == "last" else starts
        lengths = lengths - cut
    lengths = np.where(missing, 1, lengths)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    if offsets[-1] == len(keys) and not missing.any():
        return keys, offsets
    position = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
    return keys.take(pa.array(position, mask=np.repeat(missing, lengths))), offsets


def _ragged(rows: np.ndarray, offsets: np.ndarray) -> RaggedIds:
    # torch takes the array over as it is, and what Arrow made is read-only
    return RaggedIds(np.require(rows, requirements="W"), offsets)


def _row_of(lists: pa.Array) -> RowOf:
    ends = lists.offsets.to_numpy()[1:]
    return lambda item: int(np.searchsorted(ends, item, side="right"))


def _integers(lists: pa.Array, purpose: str) -> pa.Array:
    try:
        return lists.cast(pa.large_list(pa.int64()))
    except pa.ArrowInvalid as error:
        raise TableError(f"{purpose}: expected integers between the separators: {error}") from None
