"""Multi-valued columns: a list of ids per row."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise.data.columns.aligned import kept_items
from gatewise.data.columns.description import Description
from gatewise.data.columns.keyed import KeyedColumn
from gatewise.data.columns.padding import filled_at_random, not_padding, padding_among
from gatewise.data.columns.poolings import pooling_of
from gatewise.data.columns.samples import LONGEST, with_nulls
from gatewise.data.columns.weights import item_weights, kept_weights
from gatewise.data.declared_keys import as_declared
from gatewise.data.layouts import LayoutBuilder
from gatewise.data.plain_types import is_list, is_string
from gatewise.data.ragged import AlignedLists, RaggedIds, RaggedNumbers, writable
from gatewise.data.remarks import remark_on_texts
from gatewise.data.remarks_on_padding import LOOKED_AT, remark_on_padding
from gatewise.data.remembered import Remembered
from gatewise.data.tables import pick_column, read_table
from gatewise.data.values import Distinct, as_keys, as_lists, distinct, list_of
from gatewise.data.vocabularies import Values
from gatewise.declare import DEFAULT_DIM, Sequence, columns_of
from gatewise.errors import TableError

NOTHING = type(None)


@dataclass(frozen=True)
class Items:
    """A list column as one array of items, already cut to length; a null list is one null item."""

    distinct: Distinct
    offsets: np.ndarray
    weights: np.ndarray | None = None


class ItemKeys(NamedTuple):
    """The keys of all items, null for a null list; the rows' offsets; and the items' weights, if they have some."""

    keys: pa.Array
    offsets: np.ndarray
    weights: np.ndarray | None


class SequenceColumn(KeyedColumn[Sequence, Items]):
    """A column of lists of categories that are looked up in a vocabulary."""

    text_priority = 2

    @property
    @override
    def text_type(self) -> pa.DataType:
        return pa.string()

    @property
    @override
    def text_types(self) -> dict[str, pa.DataType | None]:
        return dict.fromkeys(self.columns, pa.string())

    @override
    def pick(self, table: pa.Table) -> pa.Array:
        """Return the column; strings are split, then converted to the declared type.

        Where items have weights, return structs of both columns.
        """
        column, dtype = super().pick(table), self.feature.dtype
        column = column if dtype is None or not is_list(column.type) else as_declared(column, dtype, self.purpose)
        if self.feature.weights is None:
            return column
        weights = pick_column(table, self.feature.weights, self.purpose)
        return pa.StructArray.from_arrays([column, weights], list(self.columns))

    @override
    def remark(self, table: pa.Table) -> str | None:
        """Return a warning if strings seem to need another separator; None otherwise."""
        if self.column not in table.column_names:
            return None
        return remark_on_texts(self.feature.separator, pick_column(table, self.column, self.purpose))

    @override
    def remark_before_learning(self, table: pa.Table) -> str | None:
        """Return a warning if lists of equal length seem to be padded; None otherwise."""
        if self.column not in table.column_names or self.feature.padding is not None:
            return None
        try:
            found = self.item_keys(self.pick(table.slice(0, LOOKED_AT)), cut=False)
        except TableError:
            # raised again where the column is prepared
            return None
        return remark_on_padding(found.keys, found.offsets)

    @override
    def prepare(self, column: pa.Array) -> Items:
        """Return the items of a picked column, split, cut and as keys."""
        keys, offsets, weights = self.item_keys(column)
        return Items(distinct(keys), offsets, weights)

    @override
    def distinct(self, prepared: Items) -> Distinct:
        return prepared.distinct

    @override
    def first_row(self, prepared: Items, place: int) -> int:
        return list_of(prepared.offsets)(prepared.distinct.first_row(place))

    def item_keys(self, column: pa.Array, *, cut: bool = True, padding: bool = False) -> ItemKeys:
        """Return the keys of all items, and their weights.

        Args:
            column: a picked column: lists, or strings to split; items are integers if the vocabulary's values are.
            cut: whether lists are cut to the declared length.
            padding: whether the declared padding stays among the keys.

        Raises:
            TableError: neither lists nor strings, items that are not keys, or weights that do not fit them; names the
                feature and the row.
        """
        expected = self._expected
        feature = self.feature if cut else replace(self.feature, max_length=None)
        feature = replace(feature, padding=None) if padding else feature
        if feature.weights is None:
            return _item_keys(feature, column, None, self.purpose, expected)
        items, weights = column.flatten()
        return _item_keys(feature, items, weights, self.purpose, expected)

    def all_keys(self, column: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Return a column's lists, and the keys of all their items, neither cut nor without padding.

        Raises:
            TableError: see :meth:`item_keys`.
        """
        return _all_keys(self.feature, column, self.purpose, self._expected)

    @property
    def _expected(self) -> pa.DataType | None:
        return pa.int64() if self.feature.dtype == "integer" else self.seen_type

    @property
    @override
    def separator(self) -> str:
        return self.feature.separator

    @property
    @override
    def padding(self) -> int | str | None:
        """The declared padding, in the type of the vocabulary's values; None: none is declared.

        Raises:
            TableError: see :func:`padding_among`.
        """
        padding = self.feature.padding
        return None if padding is None else padding_among(self.vocabulary.type, padding, self.purpose)

    def check_items(self, keys: pa.Array, offsets: np.ndarray) -> None:
        """Refuse items that cannot have an embedding row, see :meth:`check`."""
        self.check(keys, list_of(offsets))

    @override
    def encode(self, prepared: Items) -> RaggedIds | AlignedLists:
        """Return the ids of every row's items in a prepared column, and beside them the weights, if any."""
        return self._encoded(self.rows_of(prepared), prepared.offsets, prepared.weights)

    @override
    def encode_column(self, column: pa.Array) -> RaggedIds | AlignedLists:
        """Return the ids of every row's items in a picked column, and beside them the weights, if any."""
        keys, offsets, weights = self.item_keys(column)
        self.check_items(keys, offsets)
        return self._encoded(self.vocabulary.rows_of(keys), offsets, weights)

    def _encoded(self, rows: np.ndarray, offsets: np.ndarray, weights: np.ndarray | None) -> RaggedIds | AlignedLists:
        ids = RaggedIds(writable(rows), offsets)
        if weights is None:
            return ids
        return AlignedLists({self.name: ids, self.list_of_weights: RaggedNumbers(writable(weights), offsets)})

    @property
    def list_of_weights(self) -> str:
        """The name of the list of weights among the encoded lists."""
        return f"{self.name}.weights"

    @override
    def encode_usual(self, values: Values) -> RaggedIds | None:
        """Return the ids of lists' items, looked up one by one; split strings are cached."""
        kinds = set(map(type, values)) - {NOTHING}
        if kinds == {str}:
            return self._strings(values)
        return self._lists(values) if kinds == {list} else None

    @cached_property
    def _split(self) -> Remembered:
        return Remembered(lambda strings: _parts(self.encode_table(read_table({self.column: strings}))))

    def _strings(self, values: Values) -> RaggedIds | None:
        try:
            rows = self._split(values)
        except TableError:
            # the error is raised when the whole column is encoded as a table
            return None
        return RaggedIds(np.array([*chain.from_iterable(rows)], dtype=np.int32), _offsets(rows))

    def _lists(self, values: Values) -> RaggedIds | None:
        known = values if self.feature.padding is None else self._without_padding(values)
        if known is None:
            return None
        whole = [[None] if value is None else value for value in known]
        length = self.feature.max_length
        kept = whole if length is None else [self._cut(items, length) for items in whole]
        found = self.lookup([*chain.from_iterable(kept)])
        # items that are cut off must have the right type too
        if found is None or (kept is not whole and self.lookup([*chain.from_iterable(whole)]) is None):
            return None
        return RaggedIds(found, _offsets(kept))

    def _without_padding(self, values: Values) -> Values | None:
        """Return lists without padding; None if their items are not all of the padding's type."""
        padding = self.padding
        kinds = {type(item) for items in values if items is not None for item in items}
        if not kinds <= {type(padding), NOTHING}:
            return None
        return [items if items is None else [item for item in items if item != padding] for items in values]

    def _cut(self, items: list[Any], length: int) -> list[Any]:
        return items[:length] if self.feature.keep == "first" else items[-length:]

    @override
    def lay_out(self, layout: LayoutBuilder) -> None:
        """Add a list column, and its embedding table unless another feature owns the table."""
        if self.owner is None:
            layout.table(self.name, self.vocabulary.rows, self.feature.dim or DEFAULT_DIM, frozen=self.frozen)
        weights = None if self.feature.weights is None else self.list_of_weights
        layout.list(self.name, self.table, pooling_of(self.feature.pooling), weights)

    @override
    def description(self) -> Description:
        """Return the most frequent items."""
        some = self.examples()
        return Description("list", self.dtype, (None,), some[:2], some)

    @override
    def descriptions(self) -> dict[str, Description]:
        """Return the description of the items, and of their weights, if they have some."""
        items = self.description()
        weights = Description("list", "float64", (None,), [1.0] * len(items.example))
        return dict(zip(self.columns, (items, weights), strict=False))

    @override
    def sample(self, rows: int, rng: np.random.Generator) -> list[Any]:
        """Return lists of any length with known items, unseen items and nulls."""
        lengths = rng.integers(0, (self.feature.max_length or LONGEST) + 3, rows)
        lists = with_nulls([with_nulls(self.draw(length, rng), rng) for length in lengths], rng)
        if self.padding is None:
            return lists
        return filled_at_random(lists, self.padding, rng)

    @override
    def sample_aligned(self, lengths: SequenceOf[int | None], rng: np.random.Generator) -> dict[str, list[Any]]:
        """Return lists as :meth:`sample` does, and weights, some of them 0."""
        items = [None if n is None else self._drawn_items(n, rng) for n in lengths]
        weights = [None if n is None else (rng.gamma(1.0, size=n) * (rng.random(n) < 0.9)).tolist() for n in lengths]
        return dict(zip(self.columns, (items, weights), strict=True))

    def _drawn_items(self, length: int, rng: np.random.Generator) -> list[Any]:
        items = with_nulls(self.draw(length, rng), rng)
        if self.padding is None:
            return items
        return [self.padding if chosen else item for item, chosen in zip(items, rng.random(length) < 0.1, strict=True)]


def _item_keys(
    feature: Sequence, column: pa.Array, weights: pa.Array | None, purpose: str, expected: pa.DataType | None
) -> ItemKeys:
    lists, keys = _all_keys(feature, column, purpose, expected)
    is_item = None
    if feature.padding is not None:
        is_item = not_padding(keys, padding_among(keys.type, feature.padding, purpose))
    kept = kept_items(lists, is_item, feature.max_length, feature.keep)
    if weights is None:
        return ItemKeys(kept.of(keys), kept.offsets, None)
    names = columns_of(feature)
    found = item_weights(weights, lists, (names[0], names[1]), feature.separator, purpose)
    return ItemKeys(kept.of(keys), kept.offsets, kept_weights(found, kept.places))


def _all_keys(
    feature: Sequence, column: pa.Array, purpose: str, expected: pa.DataType | None
) -> tuple[pa.Array, pa.Array]:
    lists = as_lists(column, feature.separator, purpose)
    if expected == pa.int64() and is_string(lists.type.value_type) and not is_list(column.type):
        lists = _integers(lists, purpose)
    return lists, as_keys(lists.values, f"{purpose}, an item", list_of(lists.offsets.to_numpy()))


def _integers(lists: pa.Array, purpose: str) -> pa.Array:
    try:
        return lists.cast(pa.large_list(pa.int64()))
    except pa.ArrowInvalid as error:
        raise TableError(f"{purpose}: expected integers between the separators: {error}") from None


def _offsets(rows: Iterable[Sized]) -> np.ndarray:
    return np.cumsum([0, *map(len, rows)])


def _parts(ragged: Any) -> list[list[int]]:
    values, offsets = ragged.values.tolist(), ragged.offsets.tolist()
    return [values[start:end] for start, end in pairwise(offsets)]
