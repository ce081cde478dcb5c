"""Problems that a table's columns tell of before a model does: features that know the label."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gatewise.analysis.problems import Problem
from gatewise.data import take_rows
from gatewise.declare import Schema, column_of, columns_of
from gatewise.look import leaks_among

LOOKED_AT = 10_000
"""Most rows that are looked at."""


def leaks(table: pa.Table, schema: Schema) -> list[Problem]:
    """Return the features that alone nearly decide a label, as problems: columns that come after the event do.

    A feature is one if its column alone tells a label with an AUC or R2 of .95 or more in rows that it was not learnt
    from, or if a binary label is 1 wherever the column has a value.

    Args:
        table: rows with the columns of features and labels; of many an evenly spaced sample is looked at.
        schema: features and tasks.
    """
    owners = {column: feature.name for feature in schema.features for column in columns_of(feature)}
    tasks = [task for task in schema.tasks if column_of(task) in table.column_names]
    if table.num_rows > LOOKED_AT:
        table = take_rows(table, np.linspace(0, table.num_rows - 1, LOOKED_AT).astype(np.int64))
    columns = [name for name in owners if name in table.column_names]
    remedy = "leaving it out, unless it is known before the label: then the label needs no model"
    return [
        Problem("leak", None, (owners[leak.column], leak.label), f"a feature knows the label: {leak.how}", remedy)
        for leak in leaks_among(table, columns, tasks)
    ]
