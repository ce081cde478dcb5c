"""The encoder of a whole table: fitted on the training table, used for every table after it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.encoded import EncodedTable
from gatewise.data.encoders.by_feature import (
    Encoded,
    Encoder,
    encode_column,
    encode_prepared,
    fit_encoder,
    gather_values,
    keyed_encoder,
    learn_vocabularies,
    owner_of,
    prepare,
    restore_encoder,
)
from gatewise.data.encoders.categorical import check_type
from gatewise.data.encoders.numeric import NumericEncoder
from gatewise.data.encoders.sequence import RaggedIds
from gatewise.data.encoders.text import EncodedTexts, TextEncoder
from gatewise.data.encoders.vector import VectorEncoder
from gatewise.data.labels import (
    LabelEncoder,
    encode_groups,
    encode_weights,
    known_labels,
    label_encoder,
    learn_labels,
    read_labels,
)
from gatewise.data.layouts import layout_of
from gatewise.data.matrix import side_by_side
from gatewise.data.parallel import in_parallel
from gatewise.data.remarks import remark_on_lists
from gatewise.data.saved import check_state
from gatewise.data.tables import read_needed
from gatewise.data.vocabulary import AnyVocabulary, vocabulary_from_state
from gatewise.declare import (
    Categorical,
    Feature,
    Numeric,
    Schema,
    Sequence,
    Text,
    column_of,
)
from gatewise.errors import ArtefactError, TableError
from gatewise.layout import (
    Layout,
)

KEYS = {None: None, "string": pa.string(), "integer": pa.int64()}
"""What a column of a text file is read as, by what a feature of categories declares."""


class TableEncoder:
    """Turns any table into an :class:`EncodedTable`, with vocabularies and statistics of the training table.

    Args:
        schema: the declared features and tasks.
        encoders: one fitted encoder a feature, by name.
        vocabularies: by the name of the feature that owns them.
        labels: one encoder of labels a task, by name.

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
        encoders: Mapping[str, Encoder],
        vocabularies: Mapping[str, AnyVocabulary],
        labels: Mapping[str, LabelEncoder[Any]],
    ) -> None:
        self.schema = schema
        self.encoders = dict(encoders)
        self.vocabularies = dict(vocabularies)
        self.labels = dict(labels)

    @classmethod
    def fit(cls, schema: Schema, source: Any) -> tuple[TableEncoder, EncodedTable]:
        """Learn from the training table and encode it, reading every column once.

        Returns:
            The encoder and the encoded training table, with labels.

        Raises:
            TableError: a column is missing or holds what its declaration excludes; names the column.

        Warns:
            GatewiseWarning: labels of a funnel contradict.
        """
        table = _read(source, needed_columns(schema, weights=True), lambda: declared_types(schema))
        if table.num_rows == 0:
            raise TableError("the training table has no rows")
        rows = table.num_rows
        remark_on_lists(schema, table)
        prepared = _prepared(schema, table)
        labels = {task.name: label_encoder(task) for task in schema.tasks}
        learnt = learn_labels(schema, labels, table)
        weights, groups = encode_weights(schema, table), encode_groups(schema, table)
        # nothing reads the columns any more: what was copied of them is freed
        del table
        vocabularies = learn_vocabularies(schema, prepared, rows)
        encoders = _each(lambda f: fit_encoder(f, prepared[f.name], vocabularies), schema.features, rows)
        # popped, so that what was prepared of a column is freed once the column is encoded
        encoded = _each(lambda f: encode_prepared(f, encoders[f.name], prepared.pop(f.name)), schema.features, rows)
        assembled = _assembled(encoded, rows, learnt, weights, groups)
        # training follows: Arrow gives back what encoding needed, twice the size of what it made
        pa.default_memory_pool().release_unused()
        return cls(schema, encoders, vocabularies, labels), assembled

    def encode(
        self, source: Any, *, labels: bool = True, weights: bool = False, optional: Collection[str] = ()
    ) -> EncodedTable:
        """Encode a table; unseen values and nulls get the rows kept for them.

        Args:
            source: any table, see :func:`gatewise.data.read_table`.
            labels: whether labels and groups are read; without, their columns need not be there.
            weights: whether row weights are read with the labels: they steer learning only.
            optional: names of features whose columns may be absent, which makes them null.

        Raises:
            TableError: as in :meth:`fit`.
        """
        known = {column for task in self.schema.tasks for column in task.known_columns}
        spared = [column_of(f) for f in self.schema.features if f.name in optional and column_of(f) not in known]
        needed = needed_columns(self.schema, labels=labels, weights=weights)
        table = _read(source, needed, self.column_types, spared)
        rows = table.num_rows
        remark_on_lists(self.schema, table)
        for column in spared:
            if column not in table.column_names:
                table = table.append_column(column, pa.nulls(rows))
        encoded = _each(lambda f: encode_column(f, self.encoders[f.name], table), self.schema.features, rows)
        if not labels:
            return _assembled(encoded, rows, known_labels(self.labels, table))
        read = read_labels(self.schema, self.labels, table)
        steering = encode_weights(self.schema, table) if weights else None
        return _assembled(encoded, rows, read, steering, encode_groups(self.schema, table))

    @property
    def statistics(self) -> dict[str, dict[str, Any]]:
        """For each task what was learnt of its training labels."""
        return {name: label.statistics for name, label in self.labels.items()}

    @property
    def layout(self) -> Layout:
        """The columns that encoded tables have and the tables that a model needs for them."""
        return layout_of(self.schema, self.encoders, self.vocabularies)

    def column_types(self) -> dict[str, pa.DataType]:
        """Return the types that columns of a text file are read as, so that "007" stays the string it was."""
        known = dict(declared_types(self.schema))
        for feature in self.schema.features:
            learnt = self._type_of(feature)
            if learnt is not None and known.get(column_of(feature)) != pa.string():
                known[column_of(feature)] = learnt
        labels = {column_of(label.task): label.type for label in self.labels.values()}
        return known | {column: dtype for column, dtype in labels.items() if dtype is not None}

    def _type_of(self, feature: Feature) -> pa.DataType | None:
        vocabulary = self.vocabularies.get(owner_of(feature))
        found = None if vocabulary is None else vocabulary.type
        return None if found is None or pa.types.is_null(found) else found

    def extended(self, source: Any) -> TableEncoder:
        """Return an encoder that also knows this table's values; rows of values already known stay as they are."""
        keyed = [f for f in self.schema.features if isinstance(f, (Categorical, Sequence))]
        table = _read(source, [column_of(f) for f in keyed], self.column_types)
        fits = gather_values(self.schema, _each(lambda f: prepare(f, table, self._type_of(f)), keyed, table.num_rows))
        vocabularies = {}
        for owner, vocabulary in self.vocabularies.items():
            for seen in fits[owner].seen:
                check_type(seen.values.type, vocabulary.type, f"feature {owner!r}", "its vocabulary was learnt from")
                vocabulary = vocabulary.extended(seen.values, seen.counts)
            vocabularies[owner] = vocabulary
        encoders = self.encoders | {f.name: keyed_encoder(f, vocabularies) for f in keyed}
        return TableEncoder(self.schema, encoders, vocabularies, self.labels)

    def state(self) -> dict[str, Any]:
        """Return all that was learnt as JSON values."""
        return {
            "vocabularies": {name: vocabulary.state() for name, vocabulary in self.vocabularies.items()},
            "features": {
                name: encoder.state()
                for name, encoder in self.encoders.items()
                if isinstance(encoder, (NumericEncoder, TextEncoder, VectorEncoder))
            },
            "labels": self.statistics,
        }

    @classmethod
    def from_state(cls, schema: Schema, state: dict[str, Any]) -> TableEncoder:
        """Rebuild an encoder from its schema and :meth:`state`.

        Raises:
            ArtefactError: something that the schema needs is not there, or is not what an encoder saves.
        """
        check_state(schema, state)
        try:
            vocabularies = {name: vocabulary_from_state(learnt) for name, learnt in state["vocabularies"].items()}
            encoders = {f.name: restore_encoder(f, state["features"], vocabularies) for f in schema.features}
            labels = {task.name: label_encoder(task, state["labels"][task.name]) for task in schema.tasks}
        except (AttributeError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise ArtefactError(f"encoder: its saved state does not fit the schema ({error})") from None
        return cls(schema, encoders, vocabularies, labels)


def needed_columns(schema: Schema, *, labels: bool = True, weights: bool = False) -> list[str]:
    """Return the names of the columns that a schema reads; row weights are needed for training only."""
    columns = [column_of(feature) for feature in schema.features]
    columns += [column for task in schema.tasks for column in task.known_columns]
    if labels:
        columns += [column_of(task) for task in schema.tasks]
        columns += [schema.group] if schema.group else []
    if weights:
        columns += [task.weight_column for task in schema.tasks if task.weight_column]
    return list(dict.fromkeys(columns))


def _read(
    source: Any, columns: list[str], types: Callable[[], Mapping[str, pa.DataType]], spared: Collection[str] = ()
) -> pa.Table:
    # types are for text files
    return read_needed(source, columns, types() if isinstance(source, (str, Path)) else None, spared)


def _each(work: Callable[[Any], Any], features: Iterable[Feature], rows: int) -> dict[str, Any]:
    """Return what the work makes of every feature, by its name."""
    features = list(features)
    return dict(zip((f.name for f in features), in_parallel(work, features, rows), strict=True))


def _prepared(schema: Schema, table: pa.Table) -> dict[str, Any]:
    """Prepare all features; who shares a vocabulary comes after its owner and is read as the type that it has."""
    owners = [f for f in schema.features if owner_of(f) == f.name]
    others = [f for f in schema.features if owner_of(f) != f.name]
    prepared = _each(lambda f: prepare(f, table), owners, table.num_rows)
    return prepared | _each(lambda f: prepare(f, table, prepared[owner_of(f)].values.type), others, table.num_rows)


def _assembled(
    encoded: Mapping[str, Encoded],
    rows: int,
    labels: np.ndarray | None,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> EncodedTable:
    dense = [column for column in encoded.values() if isinstance(column, np.ndarray)]
    return EncodedTable(
        ids=side_by_side([column for column in dense if column.ndim == 1], rows, np.int32),
        lists=tuple(column for column in encoded.values() if isinstance(column, RaggedIds)),
        floats=side_by_side([column for column in dense if column.ndim == 2], rows, np.float32),
        labels=labels,
        weights=weights,
        groups=groups,
        texts=tuple(column for column in encoded.values() if isinstance(column, EncodedTexts)),
    )


def declared_types(schema: Schema) -> dict[str, pa.DataType]:
    """Return the types that a schema fixes for text files: numbers, and what can look like them but is text."""
    keyed = {column_of(f): KEYS[f.dtype] for f in schema.features if isinstance(f, Categorical)}
    numbers = [column_of(f) for f in schema.features if isinstance(f, Numeric)]
    for task in schema.tasks:
        numbers += [*task.known_columns, *([task.weight_column] if task.weight_column else [])]
    types = {column: pa.float64() for column in numbers if column not in keyed}
    types |= {column_of(task): label_encoder(task).type for task in schema.tasks}
    types |= {column: dtype for column, dtype in keyed.items() if dtype is not None}
    types |= {column_of(f): pa.string() for f in schema.features if isinstance(f, (Sequence, Text))}
    return {column: dtype for column, dtype in types.items() if dtype is not None}
