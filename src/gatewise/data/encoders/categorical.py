"""Categorical columns: one id a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.plain_types import is_string
from gatewise.data.values import Distinct, as_keys, distinct_keys
from gatewise.data.vocabulary import AnyVocabulary, HashedVocabulary, Vocabulary
from gatewise.declare import Categorical, Sequence
from gatewise.errors import TableError

LEARNT_FROM = "its vocabulary was learnt from"


class VocabularyFit:
    """Gathers the values of all features that share one vocabulary, then learns it."""

    def __init__(self, feature: Categorical | Sequence) -> None:
        self.feature = feature
        self.seen: list[Distinct] = []

    def add(self, values: Distinct, purpose: str) -> None:
        """Take the values of one column in.

        Raises:
            TableError: another column of the same vocabulary holds another type.
        """
        types = [seen.values.type for seen in self.seen if not pa.types.is_null(seen.values.type)]
        check_type(values.values.type, types[0] if types else None, purpose, "features that share its table hold")
        self.seen.append(values)

    def learn(self) -> AnyVocabulary:
        """Return the vocabulary of everything that was added."""
        known = [seen for seen in self.seen if not pa.types.is_null(seen.values.type)]
        if self.feature.hash_buckets is not None:
            return HashedVocabulary(self.feature.hash_buckets, known[0].values.type if known else None)
        if not known:
            return Vocabulary(pa.nulls(0))
        counts = np.concatenate([seen.counts for seen in known])
        return Vocabulary.learn(pa.concat_arrays([seen.values for seen in known]), counts, self.feature.min_count)


def check_type(found: pa.DataType, expected: pa.DataType | None, purpose: str, who: str) -> None:
    """Refuse to look strings up among integers or the other way round."""
    if expected is None or pa.types.is_null(expected) or pa.types.is_null(found):
        return
    if is_string(found) != is_string(expected):
        raise TableError(f"{purpose}: found {_kind(found)}, {who} {_kind(expected)}")


def _kind(keys: pa.DataType) -> str:
    return "strings" if is_string(keys) else "integers"


class CategoricalEncoder:
    """Encodes a categorical column with a vocabulary."""

    def __init__(self, feature: Categorical, vocabulary: AnyVocabulary) -> None:
        self.feature = feature
        self.vocabulary = vocabulary

    @staticmethod
    def prepare(column: pa.Array, purpose: str) -> Distinct:
        """Split a raw column into distinct keys and codes."""
        return distinct_keys(column, purpose)

    def encode_column(self, column: pa.Array, purpose: str) -> np.ndarray:
        """Return one int32 id a row of a raw column; nothing is to be learnt, so that it need not be split first."""
        if pa.types.is_dictionary(column.type):
            return self.encode(self.prepare(column, purpose), purpose)
        keys = as_keys(column, purpose)
        check_type(keys.type, self.vocabulary.type, purpose, LEARNT_FROM)
        return self.vocabulary.rows_of(keys)

    def encode(self, values: Distinct, purpose: str) -> np.ndarray:
        """Return one int32 id a row of a prepared column."""
        check_type(values.values.type, self.vocabulary.type, purpose, LEARNT_FROM)
        return values.rows(self.vocabulary.lookup(values.values))

    def state(self) -> dict[str, Any]:
        """Return nothing: all that was learnt is in the vocabulary."""
        return {}
