"""Multi-valued columns: a list of ids per row."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gatewise import declare
from gatewise.data.arrays import null_mask
from gatewise.data.columns.description import Description
from gatewise.data.columns.keyed import KeyedColumn
from gatewise.data.columns.padding import filled_at_random, padding_among, without_padding
from gatewise.data.columns.samples import LONGEST, with_nulls
from gatewise.data.declared_keys import as_declared
from gatewise.data.layouts import LayoutBuilder
from gatewise.data.plain_types import is_list, is_string
from gatewise.data.ragged import RaggedIds
from gatewise.data.remarks import remark_on_texts
from gatewise.data.remarks_on_padding import LOOKED_AT, remark_on_padding
from gatewise.data.remembered import Remembered
from gatewise.data.tables import pick_column, read_table
from gatewise.data.values import Distinct, RowOf, as_keys, as_lists, distinct
from gatewise.data.vocabularies import Values
from gatewise.declare import DEFAULT_DIM, Sequence
from gatewise.errors import TableError
from gatewise.layout import AttentionPooling, GRUPooling, Pooling, RegisteredPooling, SelfAttentionPooling

NOTHING = type(None)


@dataclass(frozen=True)
class Items:
    """A list column as one array of items, already cut to length; a null list is one null item."""

    distinct: Distinct
    offsets: np.ndarray


class SequenceColumn(KeyedColumn[Sequence, Items]):
    """A column of lists of categories that are looked up in a vocabulary."""

    text_priority = 2

    @property
    @override
    def text_type(self) -> pa.DataType:
        return pa.string()

    @override
    def pick(self, table: pa.Table) -> pa.Array:
        """Return the column; strings are split, then converted to the declared type."""
        column, dtype = super().pick(table), self.feature.dtype
        return column if dtype is None or not is_list(column.type) else as_declared(column, dtype, self.purpose)

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
        return remark_on_padding(*found)

    @override
    def prepare(self, column: pa.Array) -> Items:
        """Return the items of a picked column, split, cut and as keys."""
        keys, offsets = self.item_keys(column)
        return Items(distinct(keys), offsets)

    @override
    def distinct(self, prepared: Items) -> Distinct:
        return prepared.distinct

    @override
    def first_row(self, prepared: Items, place: int) -> int:
        return _list_of(prepared.offsets)(prepared.distinct.first_row(place))

    def item_keys(self, column: pa.Array, *, cut: bool = True, padding: bool = False) -> tuple[pa.Array, np.ndarray]:
        """Return the keys of all items, null for a null list, and the rows' offsets.

        Args:
            column: lists, or strings to split; items are integers if the vocabulary's values are.
            cut: whether lists are cut to the declared length.
            padding: whether the declared padding stays among the keys.

        Raises:
            TableError: neither lists nor strings, or items that are not keys; names the feature and the row.
        """
        expected = pa.int64() if self.feature.dtype == "integer" else self.seen_type
        feature = self.feature if cut else replace(self.feature, max_length=None)
        feature = replace(feature, padding=None) if padding else feature
        return _item_keys(feature, column, self.purpose, expected)

    @property
    def padding(self) -> int | str | None:
        """The declared padding, in the type of the vocabulary's values; None: none is declared.

        Raises:
            TableError: see :func:`padding_among`.
        """
        padding = self.feature.padding
        return None if padding is None else padding_among(self.vocabulary.type, padding, self.purpose)

    def check_items(self, keys: pa.Array, offsets: np.ndarray) -> None:
        """Refuse items that cannot have an embedding row, see :meth:`check`."""
        self.check(keys, _list_of(offsets))

    @override
    def encode(self, prepared: Items) -> RaggedIds:
        """Return the ids of every row's items in a prepared column."""
        return _ragged(self.rows_of(prepared), prepared.offsets)

    @override
    def encode_column(self, column: pa.Array) -> RaggedIds:
        """Return the ids of every row's items in a picked column."""
        keys, offsets = self.item_keys(column)
        self.check_items(keys, offsets)
        return _ragged(self.vocabulary.rows_of(keys), offsets)

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
        layout.list(self.name, self.table, _pooling(self.feature))

    @override
    def description(self) -> Description:
        """Return the most frequent items."""
        some = self.examples()
        return Description("list", self.dtype, (None,), some[:2], some)

    @override
    def sample(self, rows: int, rng: np.random.Generator) -> list[Any]:
        """Return lists of any length with known items, unseen items and nulls."""
        lengths = rng.integers(0, (self.feature.max_length or LONGEST) + 3, rows)
        lists = with_nulls([with_nulls(self.draw(length, rng), rng) for length in lengths], rng)
        if self.padding is None:
            return lists
        return filled_at_random(lists, self.padding, rng)


def _item_keys(
    feature: Sequence, column: pa.Array, purpose: str, expected: pa.DataType | None
) -> tuple[pa.Array, np.ndarray]:
    lists = as_lists(column, feature.separator, purpose)
    if expected == pa.int64() and is_string(lists.type.value_type) and not is_list(column.type):
        lists = _integers(lists, purpose)
    offsets = lists.offsets.to_numpy()
    keys = as_keys(lists.values, f"{purpose}, an item", _list_of(offsets))
    missing = null_mask(lists)
    if feature.padding is not None:
        keys, offsets = without_padding(keys, offsets, padding_among(keys.type, feature.padding, purpose))
    starts = offsets[:-1]
    lengths = np.where(missing, 0, np.diff(offsets))
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


def _pooling(feature: Sequence) -> Pooling | None:
    """Return a sequence's pooling in the layout's form."""
    match feature.pooling:
        case declare.Attention(target=target, dims=dims, normalise=normalise):
            return AttentionPooling(target, tuple(dims), normalise)
        case declare.GRU(dim=dim):
            return GRUPooling(dim)
        case declare.Transformer(dim=dim, heads=heads, layers=layers):
            return SelfAttentionPooling(dim, heads, layers)
        case declare.RegisteredPooling():
            return RegisteredPooling(feature.pooling, partial(declare.made_of, feature.pooling))
        case _:
            return feature.pooling


def _ragged(rows: np.ndarray, offsets: np.ndarray) -> RaggedIds:
    # torch shares the array's memory, and arrays from Arrow are read-only
    return RaggedIds(np.require(rows, requirements="W"), offsets)


def _list_of(offsets: np.ndarray) -> RowOf:
    """Return the function from an item's position to the row of its list."""
    return lambda item: int(np.searchsorted(offsets[1:], item, side="right"))


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
