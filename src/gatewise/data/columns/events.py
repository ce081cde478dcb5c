"""Events: several list columns of equal lengths."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from typing_extensions import TypedDict, override

from gatewise.data.absorbed import State
from gatewise.data.columns.aligned import Kept, check_aligned, kept_items
from gatewise.data.columns.column import FeatureColumn
from gatewise.data.columns.description import Description
from gatewise.data.columns.keyed import KeyedColumn
from gatewise.data.columns.numeric import Numbers, NumericColumn, NumericState
from gatewise.data.columns.poolings import pooling_of
from gatewise.data.columns.samples import LONGEST, with_nulls
from gatewise.data.columns.sequence import Items, SequenceColumn
from gatewise.data.columns.weights import as_floats
from gatewise.data.layouts import LayoutBuilder
from gatewise.data.pieces import blocks
from gatewise.data.ragged import AlignedLists, RaggedIds, RaggedLists, RaggedNumbers, writable
from gatewise.data.saved import STRICT, VocabularyState
from gatewise.data.tables import pick_column
from gatewise.data.values import as_lists, as_numbers, distinct, list_of
from gatewise.data.vocabularies import AnyVocabulary, Turnover
from gatewise.declare import DEFAULT_DIM, Events, Numeric, sequence_of


class EventsState(TypedDict):
    """The saved state of events: the vocabularies that are their own, and the statistics of their numbers."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    vocabularies: dict[str, VocabularyState]
    numbers: dict[str, NumericState]


class EventLists(NamedTuple):
    """Events as arrays of all parts: keys and numbers, null for the event of a null list, and the rows' offsets."""

    keys: list[pa.Array]
    numbers: list[Numbers]
    offsets: np.ndarray


class PreparedEvents(NamedTuple):
    """Events whose keys are split into distinct ones."""

    ids: list[Items]
    numbers: list[Numbers]
    offsets: np.ndarray


class EventsColumn(FeatureColumn[Events, PreparedEvents]):
    """List columns with one value per event: ids that are looked up in vocabularies, and numbers.

    Args:
        feature: the declaration.
        owners: the columns whose vocabularies parts share.

    Attributes:
        ids: a column per part that holds ids.
        numbers: a column per part that holds numbers, which are those of all events.
    """

    state_type = EventsState
    text_priority = 2

    def __init__(self, feature: Events, *owners: KeyedColumn[Any, Any]) -> None:
        super().__init__(feature)
        of_name: dict[str | None, Any] = {owner.name: owner for owner in owners}
        self.ids = [SequenceColumn(sequence_of(part, feature), of_name.get(part.shares)) for part in feature.ids]
        self.numbers = [
            NumericColumn(Numeric(feature.part(part.name), part.transform, column=part.column or part.name))
            for part in feature.numbers
        ]

    @property
    def _parts(self) -> list[SequenceColumn | NumericColumn]:
        return [*self.ids, *self.numbers]

    @property
    def _own(self) -> list[SequenceColumn]:
        return [column for column in self.ids if column.owner is None]

    @property
    @override
    def vocabularies(self) -> dict[str, AnyVocabulary]:
        return {column.name: column.vocabulary for column in self._own}

    @property
    @override
    def text_types(self) -> dict[str, pa.DataType | None]:
        return dict.fromkeys(self.columns, pa.string())

    @override
    def pick(self, table: pa.Table) -> pa.Array:
        """Return structs of the columns of all parts."""
        ids = [column.pick(table) for column in self.ids]
        numbers = [pick_column(table, column.column, column.purpose) for column in self.numbers]
        return pa.StructArray.from_arrays([*ids, *numbers], [part.name for part in self._parts])

    @override
    def prepare(self, column: pa.Array) -> PreparedEvents:
        """Return the events of a picked column, cut to length.

        Raises:
            TableError: lists of one row have different lengths, or hold what a part excludes; names feature, row and
                columns.
        """
        keys, numbers, offsets = self.lists(column)
        return PreparedEvents([Items(distinct(found), offsets) for found in keys], numbers, offsets)

    def lists(self, column: pa.Array, *, cut: bool = True) -> EventLists:
        """Return the events of a picked column.

        Args:
            column: structs of the columns of all parts.
            cut: whether events are cut to the declared length.

        Raises:
            TableError: see :meth:`prepare`.
        """
        parts = column.flatten()
        read = [part.all_keys(items) for part, items in zip(self.ids, parts, strict=False)]
        first, feature = read[0][0], self.feature
        for part, (lists, _) in zip(self.ids[1:], read[1:], strict=True):
            check_aligned(first, lists, (self.column, part.column), self.purpose)
        kept = kept_items(first, None, feature.max_length if cut else None, feature.keep)
        numbers = [
            self._numbers(part, lists, first, kept)
            for part, lists in zip(self.numbers, parts[len(self.ids) :], strict=True)
        ]
        return EventLists([kept.of(keys) for _, keys in read], numbers, kept.offsets)

    def _numbers(self, part: NumericColumn, column: pa.Array, first: pa.Array, kept: Kept) -> Numbers:
        lists = as_lists(column, self.feature.separator, part.purpose)
        check_aligned(first, lists, (self.column, part.column), self.purpose)
        where = f"{part.purpose}, an item of column {part.column!r} beside {self.column!r}"
        row_of = list_of(lists.offsets.to_numpy())
        values, missing = as_numbers(as_floats(lists.values, where, row_of), where, row_of)
        if kept.places is None:
            return Numbers(values, missing)
        chosen = kept.of(pa.array(values, mask=missing))
        return Numbers(chosen.fill_null(0.0).to_numpy(zero_copy_only=False), np.asarray(chosen.is_null()))

    @override
    def absorb(self, prepared: PreparedEvents) -> None:
        """Count the ids of a piece, also those of shared vocabularies, and add the moments of its numbers."""
        for column, items in zip(self.ids, prepared.ids, strict=True):
            column.absorb(items)
        for number, (values, missing) in zip(self.numbers, prepared.numbers, strict=True):
            # numbers of as many rows as a piece has, as a table gives them that comes in pieces
            for rows in blocks(len(prepared.offsets) - 1):
                of_rows = slice(prepared.offsets[rows.start], prepared.offsets[rows.stop])
                number.absorb(Numbers(values[of_rows], missing[of_rows]))

    @override
    def absorbed(self) -> State:
        """Return what every part absorbed."""
        return {column.name: column.absorbed() for column in self._parts}

    @override
    def merge(self, absorbed: State) -> None:
        for column in self._parts:
            column.merge(absorbed[column.name])

    @override
    def learn(self) -> None:
        for column in self._own:
            column.learn()
        for number in self.numbers:
            number.learn()

    @override
    def encode(self, prepared: PreparedEvents) -> AlignedLists:
        """Return the ids and numbers of every row's events, by part."""
        offsets, found = prepared.offsets, dict[str, RaggedLists]()
        for column, items in zip(self.ids, prepared.ids, strict=True):
            found[column.name] = RaggedIds(writable(column.rows_of(items)), offsets)
        for number, values in zip(self.numbers, prepared.numbers, strict=True):
            # the second column of a number, if any, flags nulls
            found[number.name] = RaggedNumbers(writable(number.encode(values)[:, 0]), offsets)
        return AlignedLists(found)

    @override
    def successor(self, *owners: KeyedColumn[Any, Any]) -> EventsColumn:
        fresh = EventsColumn(self.feature, *owners)
        fresh.ids = [
            column.successor(*(owner for owner in owners if owner.name == column.feature.shares)) for column in self.ids
        ]
        fresh.numbers = self.numbers
        return fresh

    @property
    @override
    def grows(self) -> bool:
        return True

    @override
    def grow(self, prepared: PreparedEvents) -> None:
        """Count the ids of a further table."""
        for column, items in zip(self.ids, prepared.ids, strict=True):
            column.grow(items)

    @override
    def turn_over(self, *, a_day: bool) -> dict[str, Turnover]:
        return {name: found for column in self._own for name, found in column.turn_over(a_day=a_day).items()}

    @override
    def lay_out(self, layout: LayoutBuilder) -> None:
        """Add the parts' lists, joined, and the embedding tables that are their own."""
        for column in self._own:
            layout.table(column.name, column.vocabulary.rows, column.feature.dim or DEFAULT_DIM)
        pooling = pooling_of(self.feature.pooling)
        assert pooling is not None
        tables = {column.name: column.table for column in self.ids}
        layout.joined(self.name, tables, [number.name for number in self.numbers], pooling)

    @override
    def description(self) -> Description:
        """Return the most frequent ids of the first part."""
        return self.ids[0].description()

    @override
    def descriptions(self) -> dict[str, Description]:
        """Return the description of every part, with examples of one length."""
        found: dict[str, Description] = {}
        for column in self.ids:
            some = column.description()
            example = (some.example * 2)[:2] if some.example else some.example
            found[column.column] = Description("list", some.dtype, (None,), example, some.some)
        count = min(len(one.example or ()) for one in found.values())
        found = {
            name: Description(one.holds, one.dtype, one.dims, one.example[:count], one.some)
            for name, one in found.items()
        }
        for number in self.numbers:
            example = [number.description().example] * count
            found[number.column] = Description("list", "float64", (None,), example)
        return found

    @property
    @override
    def particular(self) -> int:
        return 1

    @override
    def sample(self, rows: int, rng: np.random.Generator) -> list[Any]:
        """Return lists of the first part."""
        lengths = with_nulls(rng.integers(0, LONGEST, rows).tolist(), rng)
        return self.sample_aligned(lengths, rng)[self.column]

    @override
    def sample_aligned(self, lengths: SequenceOf[int | None], rng: np.random.Generator) -> dict[str, list[Any]]:
        """Return lists of all parts with known, unseen and null values."""
        found: dict[str, list[Any]] = {}
        for part in self._parts:
            found[part.column] = [None if n is None else _drawn(part, n, rng) for n in lengths]
        return found

    @override
    def state(self) -> dict[str, Any]:
        """Return the learnt state as JSON values."""
        learnt = [column for column in self._own if column.learns]
        return {
            "vocabularies": {column.name: column.state() for column in learnt},
            "numbers": {number.name: number.state() for number in self.numbers},
        }

    @override
    def restore(self, state: dict[str, Any]) -> None:
        """Restore a saved :meth:`state`."""
        for column in self._own:
            if column.learns:
                column.restore(state["vocabularies"][column.name])
        for number in self.numbers:
            number.restore(state["numbers"][number.name])


def _drawn(part: SequenceColumn | NumericColumn, length: int, rng: np.random.Generator) -> list[Any]:
    return part.sample(length, rng) if isinstance(part, NumericColumn) else with_nulls(part.draw(length, rng), rng)
