"""The common base of columns with a vocabulary, their own or another column's."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any, ClassVar, Literal, Self, TypeVar

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.absorbed import State
from gatewise.data.columns.column import FeatureColumn
from gatewise.data.columns.description import EXAMPLES
from gatewise.data.columns.lookups import KeyLookup
from gatewise.data.saved import VocabularyState
from gatewise.data.values import Distinct, RowOf
from gatewise.data.vocabularies import (
    AnyVocabulary,
    HashedVocabulary,
    NumberedVocabulary,
    Rules,
    Seen,
    Turnover,
    ValueCounts,
    Vocabulary,
    begun,
    turned_over,
    vocabulary_from_state,
)
from gatewise.declare import Categorical, Sequence

Keyed = TypeVar("Keyed", bound=Categorical | Sequence)
Prepared = TypeVar("Prepared")


class KeyedColumn(FeatureColumn[Keyed, Prepared]):
    """A column whose values, or list items, are looked up in a vocabulary.

    Args:
        feature: the declaration.
        owner: the column whose vocabulary and embedding table this column shares, or None.
    """

    section: ClassVar[Literal["features", "vocabularies"]] = "vocabularies"
    state_type = VocabularyState
    text_priority = 1

    def __init__(self, feature: Keyed, owner: KeyedColumn[Any, Any] | None = None) -> None:
        super().__init__(feature)
        self.owner = owner
        self._counts = ValueCounts()
        self.seen: Seen | None = None
        size = feature.size
        self._vocabulary: AnyVocabulary = Vocabulary(pa.nulls(0)) if size is None else NumberedVocabulary(size)

    @property
    @override
    def vocabulary(self) -> AnyVocabulary:
        """The column's own vocabulary, or its owner's."""
        return self._vocabulary if self.owner is None else self.owner.vocabulary

    @property
    @override
    def vocabularies(self) -> dict[str, AnyVocabulary]:
        return {self.name: self.vocabulary} if self.owner is None else {}

    @property
    def separator(self) -> str | None:
        """The text between the items of a list that is written as text; None: the column holds no lists."""
        return None

    @property
    def padding(self) -> int | str | None:
        """The declared padding of a list, in the type of the vocabulary's values; None: none is declared."""
        return None

    @property
    def table(self) -> str:
        """The name of the embedding table, which is the name of the owning feature."""
        return self.name if self.owner is None else self.owner.name

    @abstractmethod
    def distinct(self, prepared: Prepared) -> Distinct:
        """Return the keys of a prepared column."""

    @abstractmethod
    def first_row(self, prepared: Prepared, place: int) -> int:
        """Return the first row of a prepared column that holds one of its distinct keys."""

    @property
    def rules(self) -> Rules:
        """Which values have rows."""
        return Rules(self.feature.min_count, self.feature.keep_days, self.feature.max_rows)

    @property
    def learns(self) -> bool:
        """Whether a vocabulary is learnt; with a declared size, all values are known."""
        return not isinstance(self.vocabulary, NumberedVocabulary)

    @property
    def seen_type(self) -> pa.DataType | None:
        """The type of the vocabulary's values, learnt or absorbed so far."""
        if self.owner is not None:
            return self.owner.seen_type
        return self.learnt_type if self._counts.type is None else self._counts.type

    @override
    def absorb(self, prepared: Prepared) -> None:
        """Count the values of a piece; for hashed values only the type is learnt.

        Raises:
            TableError: another column of the vocabulary, or another piece, holds another type.
        """
        owner = self if self.owner is None else self.owner
        owner.count(self.distinct(prepared), self.purpose)

    def count(self, values: Distinct, purpose: str) -> None:
        """Count the values of a column that uses this column's vocabulary."""
        if not self.learns:
            return
        if self.feature.hash_buckets is None:
            self._counts.add(values, purpose)
        else:
            self._counts.see(values, purpose)

    @override
    def absorbed(self) -> State:
        """Return the counts of the values; none if another column owns the vocabulary."""
        return {} if self.owner is not None else self._counts.absorbed()

    @override
    def merge(self, absorbed: State) -> None:
        if self.owner is None:
            self._counts.merge(absorbed, self.purpose)

    @override
    def learn(self) -> None:
        """Learn the vocabulary from everything that this column, and columns that share it, absorbed."""
        if self.owner is not None or not self.learns:
            return
        counts, self._counts = self._counts, ValueCounts()
        if self.feature.hash_buckets is not None:
            self._vocabulary = HashedVocabulary(self.feature.hash_buckets, counts.type)
        else:
            self._vocabulary, self.seen = begun(*counts.all(), self.rules)

    def check(self, keys: pa.Array, row_of: RowOf = int) -> None:
        """Refuse keys that cannot have a row of the embedding table.

        Raises:
            TableError: names the feature.
        """
        self.vocabulary.check(keys, self.purpose, row_of)

    def rows_of(self, prepared: Prepared) -> np.ndarray:
        """Return the embedding row of every key of a prepared column.

        Raises:
            TableError: see :meth:`check`.
        """
        return self.distinct(prepared).rows(self.rows_of_values(prepared))

    def rows_of_values(self, prepared: Prepared) -> np.ndarray:
        """Return the embedding row of every distinct key of a prepared column.

        Raises:
            TableError: see :meth:`check`.
        """
        values = self.distinct(prepared).values
        self.check(values, lambda place: self.first_row(prepared, place))
        return self.vocabulary.lookup(values)

    @cached_property
    def lookup(self) -> KeyLookup:
        """Look-up of the embedding rows of Python values."""
        return KeyLookup(self.vocabulary)

    @property
    @override
    def learnt_type(self) -> pa.DataType | None:
        found = self.vocabulary.type
        return None if found is None or pa.types.is_null(found) else found

    @property
    @override
    def grows(self) -> bool:
        return True

    @override
    def successor(self, *owners: KeyedColumn[Any, Any]) -> Self:
        fresh = type(self)(self.feature, *owners)
        fresh._vocabulary, fresh.seen = self._vocabulary, self.seen
        return fresh

    @override
    def grow(self, prepared: Prepared) -> None:
        """Count the values of a further table, or of a piece of it, for :meth:`turn_over`.

        Raises:
            TableError: new values have another type, or are outside a declared size.
        """
        owner, values = self if self.owner is None else self.owner, self.distinct(prepared)
        fixed = "" if owner.learns else ", whose size is declared and does not grow"
        self.vocabulary.check(values.values, self.purpose + fixed, lambda place: self.first_row(prepared, place))
        owner.count(values, self.purpose)

    @override
    def turn_over(self, *, a_day: bool) -> dict[str, Turnover]:
        if self.owner is not None or not isinstance(self._vocabulary, Vocabulary):
            return {}
        counts, self._counts = self._counts, ValueCounts()
        seen = self.seen or Seen.fresh(self._vocabulary)
        self._vocabulary, seen, found = turned_over(self._vocabulary, seen, *counts.all(), self.rules, a_day=a_day)
        self.seen = seen if self.rules.remembers else None
        return {self.name: found}

    def examples(self) -> list[Any]:
        """Return values of the vocabulary, the most frequent first."""
        return self.vocabulary.examples(EXAMPLES)

    @property
    def dtype(self) -> Literal["int64", "string"]:
        """The type of a value."""
        return "string" if self.vocabulary.strings else "int64"

    @property
    @override
    def particular(self) -> int:
        return 1 if self.learns else 2

    @property
    def frozen(self) -> bool:
        """Whether the embedding table is not trained."""
        declared = self.feature.pretrained
        return declared is not None and declared.frozen

    def draw(self, count: int, rng: np.random.Generator) -> list[Any]:
        """Return values of the vocabulary, frequent and rare ones, and values outside the vocabulary."""
        return self.vocabulary.draw(count, rng)

    @property
    @override
    def saves(self) -> bool:
        return self.owner is None and self.learns

    @override
    def state(self) -> dict[str, Any] | None:
        """Return the vocabulary as JSON values; None if another column owns it."""
        return None if self.owner is not None else self.vocabulary.state()

    @override
    def restore(self, state: dict[str, Any]) -> None:
        """Restore a saved :meth:`state`."""
        self._vocabulary = vocabulary_from_state(state)
