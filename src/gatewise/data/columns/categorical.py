"""Categorical columns: one id per row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.columns.description import Description
from gatewise.data.columns.keyed import KeyedColumn
from gatewise.data.columns.samples import with_nulls
from gatewise.data.declared_keys import as_declared
from gatewise.data.layouts import LayoutBuilder
from gatewise.data.matrix import Coded
from gatewise.data.values import Distinct, as_keys, distinct_keys
from gatewise.data.vocabularies import Values, Vocabulary
from gatewise.declare import Categorical
from gatewise.layout import NULL

TEXT_TYPES = {None: None, "string": pa.string(), "integer": pa.int64()}
"""Arrow type for reading a column of a text file, by the declared type."""


class CategoricalColumn(KeyedColumn[Categorical, Distinct]):
    """A column of categories, one per row, that are looked up in a vocabulary."""

    @property
    @override
    def text_type(self) -> pa.DataType | None:
        return TEXT_TYPES[self._declared_type]

    @property
    def _declared_type(self) -> str | None:
        declared: str | None = (self if self.owner is None else self.owner).feature.dtype
        return declared

    @override
    def pick(self, table: pa.Table) -> pa.Array:
        column, dtype = super().pick(table), self._declared_type
        return column if dtype is None else as_declared(column, dtype, self.purpose)

    @override
    def prepare(self, column: pa.Array) -> Distinct:
        """Split a picked column into distinct keys and codes."""
        return distinct_keys(column, self.purpose)

    @override
    def distinct(self, prepared: Distinct) -> Distinct:
        return prepared

    @override
    def first_row(self, prepared: Distinct, place: int) -> int:
        return prepared.first_row(place)

    @override
    def encode(self, prepared: Distinct) -> np.ndarray:
        """Return one int32 id per row of a prepared column."""
        return self.rows_of(prepared)

    @override
    def encode_into_matrix(self, prepared: Distinct) -> Coded:
        return Coded(np.append(self.rows_of_values(prepared), np.int32(NULL)), prepared.codes)

    @override
    def encode_column(self, column: pa.Array) -> np.ndarray:
        """Return one int32 id per row; without learning, the column need not be split first."""
        if pa.types.is_dictionary(column.type):
            return self.encode(self.prepare(column))
        return self.vocabulary.rows_of(self.keys(column))

    def keys(self, column: pa.Array) -> pa.Array:
        """Return the keys of a picked column; nulls stay null.

        Raises:
            TableError: the values are not keys, or have another type than the vocabulary.
        """
        keys = as_keys(column, self.purpose)
        self.check(keys)
        return keys

    @override
    def encode_usual(self, values: Values) -> np.ndarray | None:
        """Look up Python integers or strings, as the vocabulary has them, one by one."""
        return self.lookup(values)

    @override
    def lay_out(self, layout: LayoutBuilder) -> None:
        """Add a column of ids, and its embedding table unless another feature owns the table."""
        if self.owner is None:
            layout.table(self.name, self.vocabulary.rows, self.feature.dim, frozen=self.frozen)
        layout.ids(self.name, self.table)

    @override
    def description(self) -> Description:
        """Return the most frequent values."""
        some = self.examples()
        return Description("id", self.dtype, example=some[0] if some else None, some=some)

    @property
    @override
    def empty_is_null(self) -> bool:
        """Whether the empty string is not among the learnt values."""
        known = self.vocabulary
        return isinstance(known, Vocabulary) and not known.holds("")

    @override
    def sample(self, rows: int, rng: np.random.Generator) -> list[Any]:
        """Return values of the vocabulary, values outside the vocabulary, and nulls."""
        return with_nulls(self.draw(rows, rng), rng)
