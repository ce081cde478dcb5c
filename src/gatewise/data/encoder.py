"""The encoder of a whole table, fitted on the training table and used for all tables."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.absorbed import State
from gatewise.data.columns import AnyColumn, PreparedColumns, SchemaColumns, make_columns, text_types
from gatewise.data.encoded import EncodedTable
from gatewise.data.labels import (
    AsOf,
    Contradictions,
    LabelEncoder,
    absorb_labels,
    combined,
    encode_groups,
    encode_weights,
    hash_groups,
    known_labels,
    known_numbers,
    label_encoder,
    label_places,
    learn_labels,
    read_labels,
    some_weigh,
    warn_of_zeros,
    weights_of_kept,
)
from gatewise.data.matrix import side_by_side
from gatewise.data.pieces import regrouped
from gatewise.data.plain_types import null_count
from gatewise.data.shares import Shares, shares_of, stabilities
from gatewise.data.sources import source_of
from gatewise.data.tables import column_names, read_needed, readable, stream_table
from gatewise.data.vocabularies import AnyVocabulary, NumberedVocabulary, Turnover, Vocabulary, remembered_days
from gatewise.data.vocabularies.stored import plain, put_together, read, taken_apart, written
from gatewise.declare import Schema, column_of, columns_of
from gatewise.errors import ArtefactError, DeclarationError, GatewiseWarning, TableError
from gatewise.layout import IDS, Layout, assemble
from gatewise.machine.allocator import give_back_freed_memory

MANY_ROWS = 50_000
"""Number of rows from which it pays to give freed memory back."""


class TableEncoder:
    """Turns any table into an :class:`EncodedTable`, with vocabularies and statistics of the training table.

    Args:
        schema: the declared features and tasks.
        columns: the fitted columns of all features.
        labels: one label encoder per task, by name.
        nulls: the share of training rows without a value, by feature; a feature that is absent had none; None: not
            known.
        shares: how training rows were distributed, by feature, as far as it is known.

    Example:
        >>> from gatewise import Binary, Categorical
        >>> schema = Schema(features=[Categorical("user")], tasks=[Binary("click")])
        >>> table = {"user": [7, 8, 7], "click": [0, 1, None]}
        >>> encoder, encoded = TableEncoder.fit(schema, table)
        >>> encoded.ids[:, 0].tolist(), encoder.encode({"user": [9, None]}, labels=False).ids[:, 0].tolist()
        ([2, 3, 2], [0, 1])
    """

    def __init__(
        self,
        schema: Schema,
        columns: SchemaColumns,
        labels: Mapping[str, LabelEncoder[Any]],
        nulls: Mapping[str, float] | None = None,
        shares: Mapping[str, Shares] | None = None,
    ) -> None:
        self.schema = schema
        self.shares = dict(shares or {})
        self.nulls = nulls
        self.columns = columns
        self.labels = dict(labels)

    @classmethod
    def fit(cls, schema: Schema, source: Any, as_of: AsOf | None = None) -> tuple[TableEncoder, EncodedTable]:
        """Return an encoder that is fitted on the training table, and the encoded table; reads every column once.

        Args:
            schema: features and tasks.
            source: any table, see :func:`gatewise.data.read_table`.
            as_of: the moment at which labels with a ``delay`` are read; None: the newest time of the table.

        Returns:
            The encoder and the encoded training table, with labels.

        Raises:
            TableError: a column is missing or holds values that its declaration excludes; names the column.

        Warns:
            GatewiseWarning: labels of a funnel contradict, or values look like something else than declared.
        """
        table = _read(source, needed_columns(schema, weights=True), lambda: declared_types(schema))
        rows = table.num_rows
        _give_back(rows)
        learner = TableLearner(schema, as_of)
        absorbed = learner.absorb(table)
        # the columns are not read any more: copies of them are freed
        del table
        encoder = learner.learn()
        _give_back(rows)
        columns = encoder.columns
        encoded = PreparedColumns(columns, absorbed.prepared, rows)
        assembled = _assembled(columns.layout, encoded, rows, absorbed.labels, absorbed.weights, absorbed.groups)
        return encoder, assembled

    @classmethod
    def without_training(cls, schema: Schema, statistics: Mapping[str, Mapping[str, Any]]) -> TableEncoder:
        """Return an encoder that learns nothing from a table: ids are rows already, and numbers stay as they are.

        Args:
            schema: features without a vocabulary.
            statistics: per task the statistics of its labels, such as ``{"price": {"mean": 0.0, "std": 1.0}}``.

        Raises:
            DeclarationError: a feature has values to learn; names the feature.
        """
        columns = SchemaColumns(schema)
        for name, column in columns.items():
            if any(not isinstance(known, NumberedVocabulary) for known in column.vocabularies.values()):
                raise DeclarationError(f"feature {name!r}: its values are learnt from a table, expected a size")
        return cls(schema, columns, {task.name: label_encoder(task, statistics[task.name]) for task in schema.tasks})

    def encode(
        self,
        source: Any,
        *,
        labels: bool = True,
        weights: bool = False,
        optional: Collection[str] = (),
        known: Collection[str] = (),
        as_of: AsOf | None = None,
    ) -> EncodedTable:
        """Return the encoded table; unseen values and nulls get their reserved rows.

        Args:
            source: any table, see :func:`gatewise.data.read_table`.
            labels: whether to read labels and groups; if not, their columns may be absent.
            weights: whether to read row weights with the labels; only training uses them.
            optional: names of features whose columns may be absent, which counts as null.
            known: the schema's known columns that are wanted, for a fusion.
            as_of: the moment at which labels with a ``delay`` are read; None: the newest time of the table.

        Raises:
            TableError: as in :meth:`fit`.
        """
        needed_beside = {*known, *(column for task in self.schema.tasks for column in task.known_columns)}
        spared = [column for column in self._columns_of(optional) if column not in needed_beside]
        needed = list(dict.fromkeys([*needed_columns(self.schema, labels=labels, weights=weights), *known]))
        table = _read(source, needed, self.column_types, spared)
        rows = table.num_rows
        _remark(self.columns, table)
        table = _with_nulls(table, spared)
        encoded = self.columns.encode(table)
        beside = known_numbers(known, table)
        if not labels:
            return _assembled(self.layout, encoded, rows, known_labels(self.labels, table), known=beside)
        read, fresh = read_labels(self.schema, self.labels, table, as_of)
        steering = self._weights(table, read, fresh) if weights else None
        if fresh is None:
            warn_of_zeros(self.schema, None if steering is None or not rows else some_weigh(steering))
        if not weights:
            self._warn_of_young(read)
        groups = encode_groups(self.schema, table)
        return _assembled(self.layout, encoded, rows, read, steering, groups, beside)

    def _weights(self, table: pa.Table, labels: np.ndarray, fresh: np.ndarray | None) -> np.ndarray | None:
        """Return the weights ``[row, task]`` of training rows, 0 where a label was learnt before; None: all 1."""
        kept = weights_of_kept(self.schema, labels, label_places(self.labels))
        return combined(encode_weights(self.schema, table), kept, fresh)

    def _warn_of_young(self, labels: np.ndarray) -> None:
        """Warn of tasks that no row of a judged table is old enough for.

        Warns:
            GatewiseWarning: names the task and its delay.
        """
        for task in self.schema.tasks:
            place = label_places(self.labels)[task.name]
            late = self.labels[task.name].num_labels == 3
            own = labels[:, place] if not late else np.where(labels[:, place + 1] >= 1, labels[:, place], np.nan)
            if task.delay is not None and len(own) and np.isnan(own).all():
                young = f"task {task.name!r}: no row is {task.delay} old by {task.time!r}, so that it is not judged"
                remedy = "give now, the moment at which the labels were read, if that was later"
                warnings.warn(f"{young}: {remedy}", GatewiseWarning, stacklevel=4)

    def encode_piece(
        self,
        piece: pa.Table,
        *,
        weights: bool = False,
        optional: Collection[str] = (),
        as_of: AsOf | None = None,
    ) -> EncodedTable:
        """Return an encoded piece of a table with labels; groups are hashes, the same in every piece.

        Args:
            piece: rows with the needed columns.
            weights: see :meth:`encode`.
            optional: see :meth:`encode`.
            as_of: see :meth:`encode`; None: the newest time of the piece.

        Raises:
            TableError: as in :meth:`fit`.
        """
        piece = _with_nulls(piece, self._columns_of(optional))
        encoded, (read, fresh) = self.columns.encode(piece), read_labels(self.schema, self.labels, piece, as_of)
        steering = self._weights(piece, read, fresh) if weights else None
        return _assembled(self.layout, encoded, piece.num_rows, read, steering, hash_groups(self.schema, piece))

    def _columns_of(self, features: Collection[str]) -> list[str]:
        """Return the names of the table's columns that some features read."""
        return list(dict.fromkeys(name for f in self.schema.features if f.name in features for name in columns_of(f)))

    @property
    def statistics(self) -> dict[str, dict[str, Any]]:
        """Statistics of the training labels, by task."""
        return {name: label.statistics for name, label in self.labels.items()}

    @property
    def encoders(self) -> Mapping[str, AnyColumn]:
        """The columns by feature, under the name that earlier versions gave them."""
        return self.columns

    @property
    def layout(self) -> Layout:
        """The columns of encoded tables and the embedding tables that a model needs."""
        return self.columns.layout

    @property
    def vocabularies(self) -> dict[str, AnyVocabulary]:
        """Vocabularies by the name of the owning feature."""
        return self.columns.vocabularies

    @property
    def id_columns(self) -> list[str]:
        """The table columns with one id per row; slices of a table use single values of them, not ranges."""
        return [column.column for column in self.columns.values() if column.description().holds == "id"]

    def column_types(self) -> dict[str, pa.DataType]:
        """Return the types for reading a text file, so that the string "007" stays a string."""
        known = dict(declared_types(self.schema))
        for column in self.columns.values():
            if column.learnt_type is not None and known.get(column.column) != pa.string():
                known[column.column] = column.learnt_type
        labels = {column_of(label.task): label.type for label in self.labels.values()}
        return known | {column: dtype for column, dtype in labels.items() if dtype is not None}

    def extended(self, source: Any) -> TableEncoder:
        """Return an encoder that also knows this table's values; rows of known values stay unchanged.

        A value is admitted where its count in the table, with those of the days that are remembered, reaches the
        feature's ``min_count``. The table's counts are not remembered.
        """
        return self.turned_over(source, a_day=False)[0]

    def turned_over(self, source: Any, *, a_day: bool = True) -> tuple[TableEncoder, dict[str, Turnover]]:
        """Return an encoder after a day's rows, and what came of them, by vocabulary; rows of values do not move.

        The table is read piece by piece. Statistics of numbers stay as they are.

        Args:
            source: any table.
            a_day: whether the table is a day: its counts are remembered, and values that were not seen for
                ``keep_days`` lose their rows.

        Raises:
            TableError: a column is missing or of another type; names the feature.
        """
        source, needed = readable(source), self.columns.growing()
        missing = not set(needed) <= set(column_names(source))
        if missing or source_of(source).in_memory:
            pieces = iter([_read(source, needed, self.column_types)])
        else:
            types = self.column_types() if source_of(source).takes_types else None
            pieces = regrouped(stream_table(source, needed, types), some=True)
        columns, found = self.columns.extended(pieces, a_day=a_day)
        return TableEncoder(self.schema, columns, self.labels, self.nulls, self.shares), found

    def changed(self, schema: Schema, learnt: TableEncoder | None = None) -> TableEncoder:
        """Return an encoder of another schema, with this one's vocabularies and statistics of what both schemas have.

        Args:
            schema: other features and tasks; those of equal name are declared alike.
            learnt: an encoder of the other schema, which gives what is new; None: nothing is.
        """
        parts = [self] if learnt is None else [learnt, self]
        states = [part._state() for part in parts]
        names = {feature.name for feature in schema.features} | {task.name for task in schema.tasks}
        merged: dict[str, Any] = {}
        for state in states:
            for section, known in state.items():
                own = {name: value for name, value in known.items() if name in names}
                merged[section] = merged.get(section, {}) | own
        made = TableEncoder.from_state(schema, merged)
        for part in parts:
            for name, column in part.columns.keyed().items():
                if column.seen is not None and name in made.columns.keyed():
                    made.columns.keyed()[name].seen = column.seen
        return made

    def learn_shares(self, rows: EncodedTable) -> None:
        """Take over how training rows, or some of them, are distributed; see :meth:`stabilities`."""
        self.shares = shares_of(self.layout, self.vocabularies, rows)

    def stabilities(self, rows: EncodedTable) -> dict[str, float]:
        """Return the population stability index of encoded rows beside the training rows, by feature."""
        return stabilities(self.shares, self.layout, self.vocabularies, rows)

    def remembered(self) -> bytes | None:
        """Return what vocabularies remember of the days, as an Arrow file; None: none of them remembers anything."""
        seen = {name: column.seen for name, column in self.columns.keyed().items() if column.seen is not None}
        return remembered_days.written(seen) if seen else None

    def remember(self, content: bytes) -> None:
        """Take over what :meth:`remembered` returned.

        Raises:
            ArtefactError: it is not such a file, or does not belong to these vocabularies.
        """
        keyed = self.columns.keyed()
        remembering = {name: column.vocabulary for name, column in keyed.items() if column.rules.remembers}
        known = {name: each for name, each in remembering.items() if isinstance(each, Vocabulary)}
        for name, seen in remembered_days.read(content, known).items():
            keyed[name].seen = seen

    def state(self) -> dict[str, Any]:
        """Return the learnt state as JSON values."""
        found: dict[str, Any] = plain(self._state())
        return found

    def saved(self) -> tuple[dict[str, Any], bytes]:
        """Return the learnt state without the learnt values, as JSON values, and an Arrow file of the learnt values."""
        state, values = taken_apart(self._state())
        return state, written(values)

    def _state(self) -> dict[str, Any]:
        nulls = {} if self.nulls is None else {"nulls": dict(self.nulls)}
        shares = {"shares": {name: each.state() for name, each in self.shares.items()}} if self.shares else {}
        return {**self.columns.state(), "labels": self.statistics, **nulls, **shares}

    @classmethod
    def from_saved(cls, schema: Schema, state: Any, values: bytes | None) -> TableEncoder:
        """Return an encoder from its schema and what :meth:`saved` returned.

        Args:
            schema: features and tasks.
            state: the learnt state.
            values: the bytes of the Arrow file; None: the state holds the learnt values, as in earlier versions.

        Raises:
            ArtefactError: as :meth:`from_state`; or the file is not an Arrow file with the values that the state says.
        """
        return cls.from_state(schema, put_together(state, {} if values is None else read(values)))

    @classmethod
    def from_state(cls, schema: Schema, state: Any) -> TableEncoder:
        """Return an encoder from its schema and a saved :meth:`state`.

        Raises:
            ArtefactError: the state lacks something that the schema needs, or is not an encoder's state.
        """
        try:
            columns = SchemaColumns.from_state(schema, state)
            labels = {task.name: label_encoder(task, state["labels"][task.name]) for task in schema.tasks}
            shares = {name: Shares.from_state(each) for name, each in state.get("shares", {}).items()}
        except (AttributeError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise ArtefactError(f"encoder: its saved state does not fit the schema ({error})") from None
        return cls(schema, columns, labels, state.get("nulls"), shares)


@dataclass(frozen=True)
class Absorbed:
    """What was read of a training table, or of a piece of it, while an encoder learns.

    Attributes:
        prepared: the features' columns, for :class:`PreparedColumns`.
        labels: ``[row, label]``; of a piece, positions among learnt classes are provisional.
        weights: ``[row, task]`` or None.
        groups: ``[row]`` or None.
    """

    prepared: dict[str, Any]
    labels: np.ndarray
    weights: np.ndarray | None
    groups: np.ndarray | None


class TableLearner:
    """Learns an encoder from a training table, or from its pieces, one after the other, in one pass.

    Pieces of :data:`gatewise.data.pieces.PIECE_ROWS` rows give what the whole table gives, bit for bit. So do several
    learners that took in some of these pieces each: :meth:`merge` brings them together, in the order of the pieces.

    Args:
        schema: features and tasks.
        as_of: the moment at which labels with a ``delay`` are read; None: the newest time of each piece.
        first: number of rows of the table before the first piece.

    Example:
        >>> from gatewise import Binary, Categorical
        >>> learner = TableLearner(Schema(features=[Categorical("user")], tasks=[Binary("click")]))
        >>> for users in ([7, 8], [8, 9]):
        ...     absorbed = learner.absorb(pa.table({"user": users, "click": [0, 1]}))
        >>> learner.learn().vocabularies["user"].size, learner.rows
        (3, 4)
    """

    def __init__(self, schema: Schema, as_of: AsOf | None = None, first: int = 0) -> None:
        self.schema = schema
        self.rows = 0
        self._first = first
        self._as_of = as_of
        self._columns = SchemaColumns(schema)
        self._labels = {task.name: label_encoder(task) for task in schema.tasks}
        self._contradictions = Contradictions()
        self._weighs: np.ndarray | None = None
        self._nulls = Counter[str]()

    def absorb(self, table: pa.Table) -> Absorbed:
        """Take in a training table, or its next piece.

        Raises:
            TableError: a column is missing or holds values that its declaration excludes; names the column.

        Warns:
            GatewiseWarning: values of the first piece look like something else than declared.
        """
        done = self._first + self.rows
        if done == 0:
            _remark(self._columns, table, learning=True)
        try:
            prepared = self._columns.absorb(table)
            labels = absorb_labels(self.schema, self._labels, table, self._contradictions, self._as_of)
            places = label_places(self._labels)
            weights = combined(encode_weights(self.schema, table), weights_of_kept(self.schema, labels, places))
            groups = encode_groups(self.schema, table)
        except TableError as error:
            later = f" (counted from row {done:,} on)" if done and " in row " in str(error) else ""
            raise TableError(f"{error}{later}") from None
        if weights is not None:
            found = some_weigh(weights)
            self._weighs = found if self._weighs is None else self._weighs | found
        for feature in self.schema.features:
            self._nulls[feature.name] += null_count(table.column(column_of(feature)))
        self.rows += table.num_rows
        return Absorbed(prepared, labels, weights, groups)

    @property
    def merges(self) -> bool:
        """Whether parts of a table can be merged; kinds of one's own say so, see :meth:`FeatureColumn.merges`."""
        return self._columns.merges

    def absorbed(self) -> State:
        """Return what was absorbed, for :meth:`merge`."""
        return {
            "rows": self.rows,
            "columns": self._columns.absorbed(),
            "labels": {name: label.absorbed() for name, label in self._labels.items()},
            "contradictions": self._contradictions.absorbed(),
            "weighs": None if self._weighs is None else self._weighs.tolist(),
            "nulls": dict(self._nulls),
        }

    def merge(self, absorbed: State) -> None:
        """Take in what a learner of the next part of the table absorbed.

        Raises:
            TableError: the parts hold what one table cannot.
        """
        self._columns.merge(absorbed["columns"])
        for name, label in self._labels.items():
            label.merge(absorbed["labels"][name])
        self._contradictions.merge(absorbed["contradictions"], self.schema.tasks_by_name)
        if absorbed["weighs"] is not None:
            found = np.array(absorbed["weighs"], bool)
            self._weighs = found if self._weighs is None else self._weighs | found
        self._nulls.update(absorbed["nulls"])
        self.rows += absorbed["rows"]

    def learn(self) -> TableEncoder:
        """Return the encoder that was learnt from everything absorbed.

        Raises:
            TableError: there were no rows, or nothing can be learnt from a task's labels.

        Warns:
            GatewiseWarning: labels of a funnel contradict, or all weights of a task are 0.
        """
        if self.rows == 0:
            raise TableError("the training table has no rows")
        learn_labels(self._labels, self._contradictions)
        warn_of_zeros(self.schema, self._weighs)
        self._columns.learn(self.rows)
        nulls = {name: count / self.rows for name, count in self._nulls.items() if count}
        return TableEncoder(self.schema, self._columns, self._labels, nulls)


def needed_columns(schema: Schema, *, labels: bool = True, weights: bool = False) -> list[str]:
    """Return the names of the columns that a schema reads; only training needs row weights."""
    columns = [column for feature in schema.features for column in columns_of(feature)]
    columns += [column for task in schema.tasks for column in task.known_columns]
    if labels:
        columns += [column for task in schema.tasks for column in task.columns_of_labels]
        columns += [schema.group] if schema.group else []
    if weights:
        columns += [task.weight_column for task in schema.tasks if task.weight_column]
    return list(dict.fromkeys(columns))


def _read(
    source: Any, columns: list[str], types: Callable[[], Mapping[str, pa.DataType]], spared: Collection[str] = ()
) -> pa.Table:
    # types matter for text files only
    return read_needed(source, columns, types() if source_of(source).takes_types else None, spared)


def _with_nulls(table: pa.Table, columns: Collection[str]) -> pa.Table:
    """Return a table with those of the columns that it lacks, as nulls."""
    for column in columns:
        if column not in table.column_names:
            table = table.append_column(column, pa.nulls(table.num_rows))
    return table


def _remark(columns: SchemaColumns, table: pa.Table, *, learning: bool = False) -> None:
    """Warn of columns whose values look like something else than declared.

    Warns:
        GatewiseWarning: see :meth:`FeatureColumn.remark`; names the feature.
    """
    for column in columns.values():
        for found in (column.remark(table), column.remark_before_learning(table) if learning else None):
            if found is not None:
                warnings.warn(f"{column.purpose}: {found}", GatewiseWarning, stacklevel=4)


def _give_back(rows: int) -> None:
    """Have Arrow and the allocator return what an earlier training, or encoding, took and freed: both would add up."""
    if rows >= MANY_ROWS:
        pa.default_memory_pool().release_unused()
        give_back_freed_memory()


def _assembled(
    layout: Layout,
    encoded: Mapping[str, Any] | PreparedColumns,
    rows: int,
    labels: np.ndarray | None,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    known: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> EncodedTable:
    def matrix(which: str, names: Sequence[str]) -> np.ndarray:
        dtype = np.int32 if which == IDS else np.float32
        if not isinstance(encoded, PreparedColumns):
            return side_by_side([encoded[name] for name in names], rows, dtype)
        found = side_by_side(encoded.several(names), rows, dtype)
        # what these columns took makes room for the others
        _give_back(rows)
        return found

    found = assemble(layout, matrix, encoded.single if isinstance(encoded, PreparedColumns) else encoded.__getitem__)
    texts, numbers = found.texts, found.number_lists
    return EncodedTable(found.ids, found.lists, found.floats, labels, weights, texts, groups, known, numbers)


def declared_types(schema: Schema) -> dict[str, pa.DataType]:
    """Return the types that a schema fixes for text files: numbers, and texts that may look like numbers."""
    types: dict[str, pa.DataType | None] = dict.fromkeys(schema.known, pa.float64())
    for task in schema.tasks:
        numbers = [*task.known_columns, *([task.weight_column] if task.weight_column else [])]
        types |= dict.fromkeys(numbers, pa.float64())
    types |= {column_of(task): label_encoder(task).type for task in schema.tasks}
    types |= text_types(make_columns(schema).values())
    return {column: dtype for column, dtype in types.items() if dtype is not None}
