"""Features of other libraries as plain values, and their rows as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gatewise import declare
from gatewise.errors import TableError, did_you_mean


@dataclass(frozen=True)
class Field:
    """One feature.

    Attributes:
        name: the feature's.
        kind: ``id``, ``list`` of ids, or ``number``.
        size: number of ids.
        dim: width of the embedding, or of the numbers.
        pooling: of a list.
        padding: the id of a list that is no item; None: every id is an item.
        table: the embedding table that is read.
        length: the column with a list's length, or an empty string.
    """

    name: str
    kind: Literal["id", "list", "number"]
    size: int = 0
    dim: int = 1
    pooling: Literal["mean", "sum", "max"] = "mean"
    padding: int | None = None
    table: str = ""
    length: str = ""


def make_features(fields: Sequence[Field]) -> list[declare.Feature]:
    """Return the features of a schema, where the first feature of ids owns the table that several read."""
    return [_feature(field, fields) for field in fields]


def _feature(field: Field, fields: Sequence[Field]) -> declare.Feature:
    if field.kind == "number":
        return declare.Numeric(field.name) if field.dim == 1 else declare.Vector(field.name, size=field.dim)
    table = field.table or field.name
    owner = next((other.name for other in fields if other.kind == "id" and (other.table or other.name) == table), None)
    own: dict[str, Any] = {"dim": field.dim, "size": field.size}
    if owner not in (None, field.name):
        own = {"shares": owner}
    if field.kind == "id":
        return declare.Categorical(field.name, **own)
    return declare.Sequence(field.name, pooling=field.pooling, padding=field.padding, **own)


def make_table(fields: Sequence[Field], x: Mapping[str, Any]) -> dict[str, Any]:
    """Return rows as a table of the columns that the features read.

    Args:
        fields: the features.
        x: arrays, lists, tensors or columns of a data frame by name; lists are padded to one length.

    Raises:
        TableError: a feature has no column.
    """
    return {field.name: _column(field, x) for field in fields}


def _column(field: Field, x: Mapping[str, Any]) -> Any:
    values = array_of(x, field.name)
    if field.length:
        return [row[:length] for row, length in zip(values, array_of(x, field.length).reshape(-1), strict=True)]
    return values if field.kind == "list" or (field.dim > 1 and field.kind == "number") else values.reshape(-1)


def array_of(x: Mapping[str, Any], name: str) -> np.ndarray:
    """Return a column as an array.

    Raises:
        TableError: there is no such column.
    """
    if name not in x:
        raise TableError(f"feature {name!r}: no column of this name{did_you_mean(name, map(str, x))}")
    column = x[name]
    return column.detach().cpu().numpy() if hasattr(column, "detach") else np.asarray(column)


def labels_of(y: Any, tasks: int) -> np.ndarray:
    """Return labels as ``[row, task]``.

    Args:
        y: an array, a tensor, a data frame, or a list of columns.
        tasks: number of label columns.

    Raises:
        TableError: there is another number of columns.
    """
    array = y.detach().cpu().numpy() if hasattr(y, "detach") else np.asarray(y)
    array = array.reshape(len(array), -1)
    if isinstance(y, (list, tuple)) and len(array) == tasks != array.shape[1]:
        array = array.T
    if array.shape[1] != tasks:
        raise TableError(f"labels: expected {tasks} columns, found {array.shape[1]}")
    return array
