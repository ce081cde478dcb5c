"""Each kind of feature in operations of a graph: from a column of raw values to the model's input."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, assert_never

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from typing_extensions import override

from gatewise.data import (
    AnyColumn,
    BuiltInColumn,
    CategoricalColumn,
    EventsColumn,
    ItemKeys,
    KeyedColumn,
    NumberedVocabulary,
    NumericColumn,
    SequenceColumn,
    TextsColumn,
    VectorColumn,
    Vocabulary,
    as_matrix,
    is_built_in,
    null_mask,
    padded,
)
from gatewise.errors import ExportError
from gatewise.export.numbers import encode_numbers
from gatewise.export.padding import cut, items_first, never_empty
from gatewise.export.ports import BATCH, Keys, Port
from gatewise.export.sentinels import Sentinels
from gatewise.layout import NULL, PADDING


class RawInput(ABC):
    """A feature's column as an input of a graph; a feature of several columns has an input for each.

    Attributes:
        port: the name, type and sizes of the input.
        null: the value of the input, after the look-up, for null.
    """

    port: Port
    null: float

    @property
    def ports(self) -> tuple[Port, ...]:
        """The inputs of all columns."""
        return (self.port,)

    def feeds(self, column: pa.Array) -> tuple[np.ndarray, ...]:
        """Return a picked column as the arrays of all inputs.

        Raises:
            TableError: see :meth:`feed`.
        """
        return (self.feed(column),)

    @abstractmethod
    def feed(self, column: pa.Array) -> np.ndarray:
        """Return a column of a table as the input's array.

        Raises:
            TableError: the column holds a value that the declaration excludes; names the feature.
        """

    def absent(self, rows: int) -> Tensor:
        """Return the input for an absent column: null in every row."""
        return _full(self.port, rows, self.null)

    def all_absent(self, rows: int) -> tuple[Tensor, ...]:
        """Return all inputs for absent columns, see :meth:`absent`."""
        return (self.absent(rows),)


class LoneInput(RawInput):
    """A column that is encoded by itself; the other kinds are encoded side by side."""

    @abstractmethod
    def encode(self, given: Tensor) -> Tensor:
        """Return the model's input, from the raw input after the look-up."""

    def encode_all(self, given: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return the model's inputs by name, from all raw inputs after the look-up."""
        return {self.port.features[0]: self.encode(*given)}


class CategoryInput(RawInput):
    """Categories, looked up in a vocabulary; hashed rows stay as they are."""

    null = NULL

    def __init__(self, column: CategoricalColumn, sentinels: Sentinels) -> None:
        self.column, self.vocabulary = column, column.vocabulary
        self.port = keyed_port(column, sentinels, "category", (BATCH,))

    @override
    def feed(self, column: pa.Array) -> np.ndarray:
        keys = self.column.keys(column)
        return raw_values(self.port.keys, keys) if self.port.keys else self.vocabulary.rows_of(keys).astype(np.int64)


class ListInput(LoneInput):
    """Lists of categories, cut to ``max_length`` in the graph."""

    null = NULL

    def __init__(self, column: SequenceColumn, sentinels: Sentinels) -> None:
        self.column, self.vocabulary = column, column.vocabulary
        self.port = keyed_port(column, sentinels, "list", (BATCH, f"length of {column.name}"))
        if self.port.keys is not None:
            self.port = replace(self.port, keys=replace(self.port.keys, no_item=column.padding))

    @override
    def feed(self, column: pa.Array) -> np.ndarray:
        return self._fed(column)[0]

    def _fed(self, column: pa.Array) -> tuple[np.ndarray, ItemKeys]:
        """Return the array of items, and the items that it holds."""
        items = self.column.item_keys(column, cut=False)
        self.column.check_items(items.keys, items.offsets)
        if self.port.keys is None:
            return padded(self.vocabulary.rows_of(items.keys).astype(np.int64), items.offsets, PADDING), items
        if self.port.keys.no_item is not None:
            # another feature may read the column without this padding
            items = self.column.item_keys(column, cut=False, padding=True)
        return padded(raw_values(self.port.keys, items.keys), items.offsets, self.port.keys.padding), items

    @override
    def encode(self, given: Tensor) -> Tensor:
        return self._encoded(never_empty(given))[0]

    def _encoded(self, *lists: Tensor) -> list[Tensor]:
        """Return lists of rows, and lists of numbers beside them, without what is not an item, cut to length."""
        feature, found = self.column.feature, list(lists)
        found = found if feature.padding is None else items_first(*found)
        return found if feature.max_length is None else cut(feature.max_length, feature.keep, *found)


class WeightedListInput(ListInput):
    """Lists of categories and the weights of their items: two inputs, padded at the same places."""

    def __init__(self, column: SequenceColumn, sentinels: Sentinels) -> None:
        super().__init__(column, sentinels)
        name = column.columns[1]
        # a null list has the weight of one item, so that weights belong to their items
        self.weights = Port(
            name, torch.float64, self.port.dims, None, "weight of every item", (column.name,), self.port.name
        )

    @property
    @override
    def ports(self) -> tuple[Port, ...]:
        return (self.port, self.weights)

    @override
    def feeds(self, column: pa.Array) -> tuple[np.ndarray, ...]:
        fed, items = self._fed(column)
        assert items.weights is not None
        return fed, padded(items.weights.astype(np.float64), items.offsets, np.nan)

    @override
    def all_absent(self, rows: int) -> tuple[Tensor, ...]:
        return self.absent(rows), _full(self.weights, rows, 1.0)

    @override
    def encode_all(self, given: Sequence[Tensor]) -> dict[str, Tensor]:
        ids, weights = self._encoded(never_empty(given[0]), never_empty(given[1].float()))
        return {self.column.name: ids, self.column.list_of_weights: weights}


class EventsInput(LoneInput):
    """Events: an input per part, all padded at the same places."""

    null = NULL

    def __init__(self, column: EventsColumn, sentinels: Sentinels) -> None:
        self.column, dims = column, (BATCH, f"length of {column.name}")
        reading = column.columns
        self.ids = [
            replace(keyed_port(part, sentinels, "list", dims), features=(column.name,), reading=reading)
            for part in column.ids
        ]
        self.numbers = [
            Port(part.column, torch.float64, dims, None, "number of every event", (column.name,), reading)
            for part in column.numbers
        ]
        self.port = self.ids[0]

    @property
    @override
    def ports(self) -> tuple[Port, ...]:
        return (*self.ids, *self.numbers)

    @override
    def feed(self, column: pa.Array) -> np.ndarray:
        return self.feeds(column)[0]

    @override
    def feeds(self, column: pa.Array) -> tuple[np.ndarray, ...]:
        keys, numbers, offsets = self.column.lists(column, cut=False)
        found = []
        for part, port, values in zip(self.column.ids, self.ids, keys, strict=True):
            part.check_items(values, offsets)
            if port.keys is None:
                found.append(padded(part.vocabulary.rows_of(values).astype(np.int64), offsets, PADDING))
            else:
                found.append(padded(raw_values(port.keys, values), offsets, port.keys.padding))
        return (*found, *(padded(np.where(gone, np.nan, known), offsets, np.nan) for known, gone in numbers))

    @override
    def all_absent(self, rows: int) -> tuple[Tensor, ...]:
        of_numbers = (_full(port, rows, torch.nan) for port in self.numbers)
        return (*(_full(port, rows, NULL) for port in self.ids), *of_numbers)

    @override
    def encode(self, given: Tensor) -> Tensor:
        return never_empty(given)

    @override
    def encode_all(self, given: Sequence[Tensor]) -> dict[str, Tensor]:
        feature, ids = self.column.feature, len(self.ids)
        numbers = [
            encode_numbers([part], whole.reshape(-1, 1)).view(whole.shape)
            for part, whole in zip(self.column.numbers, given[ids:], strict=True)
        ]
        lists = [never_empty(whole) for whole in (*given[:ids], *numbers)]
        lists = lists if feature.max_length is None else cut(feature.max_length, feature.keep, *lists)
        names = [feature.part(part.name) for part in feature.parts]
        return dict(zip(names, lists, strict=True))


class NumberInput(RawInput):
    """Numbers, NaN for null."""

    null = torch.nan

    def __init__(self, column: NumericColumn) -> None:
        self.column = column
        self.port = Port(column.column, torch.float64, holds="number", features=(column.name,))

    @override
    def feed(self, column: pa.Array) -> np.ndarray:
        numbers = self.column.prepare(column)
        return np.where(numbers.missing, np.nan, numbers.values)


class VectorInput(LoneInput):
    """Vectors, NaN throughout for null."""

    null = torch.nan

    def __init__(self, column: VectorColumn) -> None:
        self.column, dims = column, (BATCH, column.feature.size)
        self.port = Port(column.column, torch.float32, dims, holds="vector", features=(column.name,))

    @override
    def feed(self, column: pa.Array) -> np.ndarray:
        matrix = self.column.prepare(column)
        return np.where(matrix[:, -1:] > 0, np.nan, matrix[:, :-1]).astype(np.float32)

    @override
    def encode(self, given: Tensor) -> Tensor:
        missing = given[:, :1].isnan()
        known = torch.where(missing, 0.0, given)
        return torch.cat([known, missing.float()], dim=1) if self.column.has_null else known


class TokensInput(LoneInput):
    """Texts, as the tokens of the tokeniser."""

    null = PADDING

    def __init__(self, column: TextsColumn) -> None:
        self.column, dims = column, (BATCH, f"length of {column.name}")
        self.port = Port(
            f"{column.column}.tokens",
            torch.int64,
            dims,
            holds="tokens of a text",
            features=(column.name,),
            reading=(column.tokenizer, column.feature.max_length),
        )

    @override
    def feed(self, column: pa.Array) -> np.ndarray:
        encoded = self.column.encode_column(column)
        return as_matrix(encoded).astype(np.int64)

    @override
    def encode(self, given: Tensor) -> Tensor:
        return given


def raw_input(column: AnyColumn, sentinels: Sentinels) -> RawInput:
    """Return the raw input of a feature.

    Raises:
        ExportError: the kind of the feature has no form in operations of a graph; names the feature.
    """
    if not is_built_in(column):
        raise ExportError(
            f"export: {column.purpose} is of a kind ({column.feature.kind}) whose raw values a graph cannot read: "
            "give inputs='encoded'"
        )
    return _built_in(column, sentinels)


def _built_in(column: BuiltInColumn, sentinels: Sentinels) -> RawInput:
    match column:
        case CategoricalColumn():
            return CategoryInput(column, sentinels)
        case EventsColumn():
            return EventsInput(column, sentinels)
        case SequenceColumn() if column.feature.weights is not None:
            return WeightedListInput(column, sentinels)
        case SequenceColumn():
            return ListInput(column, sentinels)
        case NumericColumn():
            return NumberInput(column)
        case VectorColumn():
            return VectorInput(column)
        case TextsColumn():
            return TokensInput(column)
        case _:
            assert_never(column)


def _full(port: Port, rows: int, value: float) -> Tensor:
    sizes = [dim if isinstance(dim, int) else rows if dim == BATCH else 1 for dim in port.dims]
    return torch.full(sizes, value, dtype=port.dtype)


def paddings_in(columns: Iterable[AnyColumn]) -> list[int | str]:
    """Return the paddings that lists declare, as values of their vocabularies."""
    found = [column.padding for column in columns if isinstance(column, KeyedColumn)]
    return [padding for padding in found if padding is not None]


def keyed_port(
    column: CategoricalColumn | SequenceColumn, sentinels: Sentinels, what: str, dims: tuple[int | str, ...]
) -> Port:
    """Return the port of a feature with a vocabulary: its values, or its rows if they are hashed."""
    name, vocabulary, features = column.column, column.vocabulary, (column.name,)
    split = column.separator
    if isinstance(vocabulary, (Vocabulary, NumberedVocabulary)):
        return Port(name, torch.int64, dims, sentinels.keys(vocabulary), what, features, split)
    # the caller hashes, and leaves out what is not an item
    reading = (vocabulary.rows, split, column.padding)
    return Port(f"{name}.row", torch.int64, dims, None, f"{what}, hashed to rows", features, reading)


def raw_values(keys: Keys, values: pa.Array) -> np.ndarray:
    """Return int64 or strings ``[row]``, with the sentinel for null."""
    if pa.types.is_null(keys.vocabulary.type):
        # the vocabulary is empty: every value is out of vocabulary
        return np.where(null_mask(values), keys.null, "").astype(object)
    if pa.types.is_null(values.type):
        values = values.cast(keys.vocabulary.type)
    found: Any = values.fill_null(keys.null).to_numpy(zero_copy_only=False)
    return found
