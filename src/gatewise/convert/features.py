"""From another library's features and tasks to a schema, and from its embedding tables to those of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gatewise import declare
from gatewise.convert.source import Source
from gatewise.convert.spec import FeatureSpec, TaskSpec
from gatewise.layout import RESERVED_ROWS
from gatewise.nn import InputLayer

TableName = Callable[[str], str]
"""The name of the weight that holds an embedding table, from the table's name in the old model."""


def table_of(feature: FeatureSpec) -> str:
    """Return the name of a feature's embedding table in the old model."""
    return feature.shares or feature.name


def owner_of(feature: FeatureSpec, features: Sequence[FeatureSpec]) -> FeatureSpec:
    """Return the feature that owns the table which a feature reads: the first one with ids, if there is one."""
    readers = [other for other in features if other.kind != "dense" and table_of(other) == table_of(feature)]
    return next((other for other in readers if other.kind == "sparse"), readers[0])


def remark_on_tables(features: Sequence[FeatureSpec]) -> list[str]:
    """Return a remark if features that shared a table each have their own copy."""
    embedded = [feature for feature in features if feature.kind != "dense"]
    copied = [f.name for f in embedded if owner_of(f, features) is not f and reads_own(f, features)]
    return [f"these lists have their own copy of the table that they shared: {', '.join(copied)}"] if copied else []


def reads_own(feature: FeatureSpec, features: Sequence[FeatureSpec]) -> bool:
    """Whether a feature has a table of its own: it owns it, or lists alone share it."""
    owner = owner_of(feature, features)
    return owner is feature or owner.kind == "sequence"


def make_schema(
    features: Sequence[FeatureSpec], tasks: Sequence[TaskSpec], source: Source, table: TableName, *, funnel: bool
) -> declare.Schema:
    """Return the schema of a model of another library.

    Args:
        features: in the order in which the model was given them.
        tasks: in the order of its outputs.
        source: the weights, which say the sizes of the embedding tables.
        table: see :data:`TableName`.
        funnel: whether the second task is a step after the first.
    """
    made = [_feature(feature, features, source, table) for feature in features]
    labels = [declare.Regression(t.name) if t.kind == "regression" else declare.Binary(t.name) for t in tasks]
    if funnel:
        labels[1] = declare.Binary(tasks[1].name, after=tasks[0].name)
    return declare.Schema(features=made, tasks=labels)


def _feature(
    feature: FeatureSpec, features: Sequence[FeatureSpec], source: Source, table: TableName
) -> declare.Feature:
    if feature.kind == "dense":
        one = feature.dim == 1
        return declare.Numeric(feature.name, "none") if one else declare.Vector(feature.name, size=feature.dim)
    owner = owner_of(feature, features)
    size, dim = source.take(table(table_of(feature))).shape
    own: dict[str, Any] = {"dim": dim, "size": size} if reads_own(feature, features) else {"shares": owner.name}
    if feature.kind == "sparse":
        return declare.Categorical(feature.name, **own)
    return declare.Sequence(feature.name, pooling=feature.pooling, padding=feature.padding, **own)


def fill_tables(input_layer: InputLayer, features: Sequence[FeatureSpec], source: Source, table: TableName) -> None:
    """Copy the embedding tables; the rows of unseen values and of null are zeros."""
    tables = {feature.name: table_of(feature) for feature in features}
    for index, field in enumerate(input_layer.layout.fields):
        rows = input_layer.tables.rows_of(index)
        rows[:RESERVED_ROWS] = 0
        rows[RESERVED_ROWS:] = source.take(table(tables[field.name]))


def column_order(input_layer: InputLayer, order: Sequence[tuple[str, int]]) -> Tensor:
    """Return, for each column of the input layer's output, its place in the old model's input.

    Args:
        input_layer: of the new model.
        order: name and width of every feature in the old model's input.
    """
    places, start = torch.full((input_layer.output_dim,), -1), 0
    for name, width in order:
        columns = input_layer.columns_of(name)
        assert len(columns) == width
        places[columns] = torch.arange(start, start + width)
        start += width
    return places
