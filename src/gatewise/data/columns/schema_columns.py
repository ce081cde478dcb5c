"""The columns of all features of a schema, learnt and encoded side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import pyarrow as pa
from typing_extensions import override

from gatewise.data.absorbed import State
from gatewise.data.columns.events import EventsColumn
from gatewise.data.columns.keyed import KeyedColumn
from gatewise.data.columns.kinds import AnyColumn, make_columns, owners_of
from gatewise.data.layouts import LayoutBuilder
from gatewise.data.matrix import Coded
from gatewise.data.parallel import in_parallel
from gatewise.data.ragged import Encoded, Single, parts_by_name
from gatewise.data.saved import check_state
from gatewise.data.vocabularies import AnyVocabulary, Turnover, Vocabulary
from gatewise.declare import Schema
from gatewise.layout import Layout


class SchemaColumns(Mapping[str, AnyColumn]):
    """One column per feature, by name and in the order of the features.

    Args:
        schema: the declared features.
        columns: the column of each feature; by default untrained columns.

    Example:
        >>> import pyarrow as pa
        >>> from gatewise import Binary, Categorical, Schema
        >>> columns = SchemaColumns(Schema(features=[Categorical("user")], tasks=[Binary("click")]))
        >>> for piece in ([7, 8], [8, 9]):
        ...     prepared = columns.absorb(pa.table({"user": piece}))
        >>> columns.learn()
        >>> columns["user"].encode_values([8, 7, 10, None]).tolist()
        [2, 3, 0, 1]
    """

    def __init__(self, schema: Schema, columns: Mapping[str, AnyColumn] | None = None) -> None:
        self.schema = schema
        self._columns = dict(make_columns(schema) if columns is None else columns)
        self._owners_of = {feature.name: owners_of(feature) for feature in schema.features}

    @override
    def __getitem__(self, feature: str) -> AnyColumn:
        return self._columns[feature]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    @override
    def __len__(self) -> int:
        return len(self._columns)

    def absorb(self, table: pa.Table) -> dict[str, Any]:
        """Collect what is to be learnt from the training table, or from a piece of it.

        Returns:
            The prepared columns, or those that are prepared again, for :class:`PreparedColumns`.

        Raises:
            TableError: a column is missing or holds values that its declaration excludes; names the feature.
        """

        def take_in(column: AnyColumn) -> Any:
            picked = column.pick(table)
            prepared = column.prepare(picked)
            column.absorb(prepared)
            return picked if column.prepares_again else prepared

        owners = [name for name, shared in self._owners_of.items() if not shared]
        sharing = [name for name, shared in self._owners_of.items() if shared]
        prepared = self._each(take_in, owners, table.num_rows)
        # these columns are read in the type of their owner's values, and count into its vocabulary one after the other
        prepared |= self._each(lambda column: column.prepare(column.pick(table)), sharing, table.num_rows)
        for name in sharing:
            self[name].absorb(prepared[name])
        return prepared

    @property
    def merges(self) -> bool:
        """Whether every column's :meth:`FeatureColumn.merges`."""
        return all(column.merges for column in self.values())

    def absorbed(self) -> State:
        """Return what every column absorbed, for :meth:`merge`."""
        return {name: column.absorbed() for name, column in self.items()}

    def merge(self, absorbed: State) -> None:
        """Take in what the next part of the training table gave.

        Raises:
            TableError: see :meth:`FeatureColumn.merge`.
        """
        for name, column in self.items():
            column.merge(absorbed[name])

    def learn(self, rows: int = 0) -> None:
        """Learn from everything that was absorbed.

        Args:
            rows: number of absorbed rows; many rows are worth threads.
        """
        self._each(lambda column: column.learn(), self, rows)

    def encode_prepared(self, prepared: dict[str, Any], rows: int, names: Sequence[str]) -> dict[str, Single | Coded]:
        """Return the encoded columns of some features, which leave ``prepared``, lists under their own names."""

        def encode(column: AnyColumn) -> Encoded | Coded:
            # popped, so that a prepared column is freed as soon as it is encoded
            kept = prepared.pop(column.name)
            return column.encode_into_matrix(column.prepare(kept) if column.prepares_again else kept)

        return _apart(self._each(encode, names, rows))

    def encode(self, table: pa.Table) -> dict[str, Single]:
        """Return the encoded columns of a table, lists of one feature each under their own name.

        Raises:
            TableError: see :meth:`absorb`.
        """
        return _apart(self._each(lambda column: column.encode_table(table), self, table.num_rows))

    def _each(self, work: Callable[[AnyColumn], Any], names: Iterable[str], rows: int) -> dict[str, Any]:
        """Return ``work(column)`` of every column, by its name."""
        names = list(names)
        return dict(zip(names, in_parallel(work, [self[name] for name in names], rows), strict=True))

    @property
    def vocabularies(self) -> dict[str, AnyVocabulary]:
        """Vocabularies by the name of the owning feature."""
        return {name: known for column in self.values() for name, known in column.vocabularies.items()}

    def growing(self) -> list[str]:
        """Return the table columns whose values :meth:`extended` reads."""
        return [name for column in self.values() if column.grows for name in column.columns]

    def extended(self, pieces: Iterable[pa.Table], *, a_day: bool = False) -> tuple[SchemaColumns, dict[str, Turnover]]:
        """Return columns that also know a table's values, and what came of them; rows of known values stay unchanged.

        Args:
            pieces: the table, piece by piece.
            a_day: see :meth:`FeatureColumn.turn_over`.

        Raises:
            TableError: a column is missing or of another type; names the feature.
        """
        grown: dict[str, AnyColumn] = {}
        for name in sorted(self, key=lambda name: bool(self._owners_of[name])):
            grown[name] = self[name].successor(*(grown[owner] for owner in self._owners_of[name]))
        further = SchemaColumns(self.schema, {name: grown[name] for name in self})
        names = [name for name, column in self.items() if column.grows]
        for piece in pieces:
            prepared = further._each(lambda column: column.prepare(column.pick(piece)), names, piece.num_rows)  # noqa: B023
            for name in names:
                further[name].grow(prepared[name])
        found = {
            vocabulary: each for name in names for vocabulary, each in further[name].turn_over(a_day=a_day).items()
        }
        return further, found

    def keyed(self) -> dict[str, KeyedColumn[Any, Any]]:
        """Return the columns that own a learnt vocabulary, by its name, also those within events."""
        parts = [
            part for column in self.values() for part in (column.ids if isinstance(column, EventsColumn) else [column])
        ]
        found = [part for part in parts if isinstance(part, KeyedColumn) and part.owner is None]
        return {part.name: part for part in found if isinstance(part.vocabulary, Vocabulary)}

    @cached_property
    def layout(self) -> Layout:
        """The columns of encoded tables and the embedding tables that a model needs."""
        layout = LayoutBuilder()
        for column in self.values():
            column.lay_out(layout)
        return layout.build()

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the learnt state as JSON values, by section and feature."""
        found: dict[str, dict[str, Any]] = {"vocabularies": {}, "features": {}}
        for name, column in self.items():
            learnt = column.state()
            if learnt is not None:
                found[column.section][name] = learnt
        return found

    @classmethod
    def from_state(cls, schema: Schema, state: Any) -> SchemaColumns:
        """Return columns from a schema and a saved :meth:`state`.

        Raises:
            ArtefactError: the state lacks something that the schema needs, or is not a state of columns.
        """
        columns = cls(schema)
        check_state(columns, state)
        for name, column in columns.items():
            if column.saves:
                column.restore(state[column.section][name])
        return columns


class PreparedColumns:
    """The prepared columns of a table, which are encoded as they are needed, so that few of them are there at a time.

    Columns that are prepared again are encoded for their matrix; all others, in one go, when the first is asked for.

    Args:
        columns: learnt columns.
        prepared: what :meth:`SchemaColumns.absorb` returned; is emptied.
        rows: number of rows.
    """

    def __init__(self, columns: SchemaColumns, prepared: dict[str, Any], rows: int) -> None:
        self._columns, self._prepared, self._rows = columns, prepared, rows
        self._encoded: dict[str, Single | Coded] = {}

    def several(self, features: Sequence[str]) -> list[Any]:
        """Return the encoded columns of some features, which are not kept; each can be asked for once."""
        self._encode([name for name, column in self._columns.items() if not column.prepares_again])
        self._encode(features)
        return [self._encoded.pop(name) for name in features]

    def single(self, name: str) -> Any:
        """Return an encoded list or text."""
        self._encode(self._columns)
        return self._encoded[name]

    def _encode(self, names: Iterable[str]) -> None:
        # in the order of the features, whose first error is raised
        left = [name for name in names if name in self._prepared]
        self._encoded |= self._columns.encode_prepared(self._prepared, self._rows, left) if left else {}


def _apart(encoded: Mapping[str, Any]) -> dict[str, Any]:
    """Return encoded columns, lists of one feature each under their own name."""
    return {part: found for name, whole in encoded.items() for part, found in parts_by_name(name, whole).items()}


def text_types(columns: Collection[AnyColumn]) -> dict[str, pa.DataType | None]:
    """Return the types for reading a text file, by column; None: inferred from the values."""
    found: dict[str, pa.DataType | None] = {}
    for column in sorted(columns, key=lambda column: column.text_priority):
        found |= column.text_types
    return found
