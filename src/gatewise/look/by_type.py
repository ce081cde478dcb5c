"""Features and tasks by the types of columns alone, where a person has said already which columns are which."""

from __future__ import annotations

import pyarrow as pa

from gatewise.declare import Binary, Feature, Multiclass, Task, Vector
from gatewise.errors import TableError
from gatewise.look.column import Column
from gatewise.look.features import category_of, number_of, sequence_of
from gatewise.look.label_kinds import task_of
from gatewise.look.measured import measure
from gatewise.look.sample import take_sample


def features_by_type(table: pa.Table) -> list[Feature]:
    """Return one feature per column: texts, truths and pandas' categories are categorical, numbers numeric.

    Nothing is left out, and no number is taken for an id.

    Args:
        table: the columns; at least one row.

    Raises:
        TableError: a column holds times, or what no feature reads; names the column.

    Example:
        >>> table = pa.table({"city": ["Rome", "Oslo"], "age": [30, 40]})
        >>> [feature.kind for feature in features_by_type(table)]
        ['categorical', 'numeric']
    """
    sample = take_sample(table)
    return [_feature(measure(sample.table, name, sample.rows).column, table) for name in table.column_names]


def task_by_type(labels: pa.Table, name: str) -> Task:
    """Return the task that a label's values ask for, however few rows there are.

    Args:
        labels: a table with the label.
        name: the label's column.

    Raises:
        TableError: the label has one value only, or no kind of task predicts it; names the column.
    """
    sample = take_sample(labels.select([name]))
    column = measure(sample.table, name, sample.rows).column
    task, reason = task_of(column, sample.rows)
    if task is None and column.distinct == 2:
        return Binary(name) if column.is_zero_or_one else Multiclass(name)
    if task is None:
        raise TableError(f"label {name!r} {reason}")
    return task


def _feature(column: Column, table: pa.Table) -> Feature:
    match column.kind:
        case "time":
            raise TableError(f"feature {column.name!r} is a time: make numbers of it, such as its hour or its age")
        case "unreadable":
            raise TableError(f"feature {column.name!r} cannot be read: {column.problem}")
        case "list":
            return sequence_of(column)
        case "vector":
            return Vector(column.name, int(column.length))
    categories = pa.types.is_dictionary(table.schema.field(column.name).type)
    return category_of(column) if categories or column.kind in ("text", "truth") else number_of(column)
