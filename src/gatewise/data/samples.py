"""Made-up rows of all sorts: known, unseen and null values, lists of any length, extreme numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.columns.samples import LONGEST, with_nulls
from gatewise.data.encoder import TableEncoder


def sample_rows(encoder: TableEncoder, rows: int = 256, seed: int = 0) -> pa.Table:
    """Return made-up rows with every column that predicting needs.

    Args:
        encoder: the encoder whose vocabularies and statistics give the values.
        rows: number of rows.
        seed: seed of the draws.
    """
    rng = np.random.default_rng(seed)
    columns: dict[str, list[Any]] = {}
    for column in sorted(encoder.columns.values(), key=lambda column: column.particular):
        columns[column.column] = column.sample(rows, rng)
    aligned = [column for column in encoder.columns.values() if len(column.columns) > 1]
    # features may read some columns together: all of them get lists of the same lengths
    lengths = with_nulls(rng.integers(0, LONGEST + 3, rows).tolist(), rng) if aligned else []
    for column in aligned:
        columns |= column.sample_aligned(lengths, rng)
    for task in encoder.schema.tasks:
        # such as the length of a video, which is above 0
        columns |= {name: with_nulls(rng.lognormal(2, 1, rows).tolist(), rng) for name in task.known_columns}
    beside = [name for name in encoder.schema.known if name not in columns]
    columns |= {name: with_nulls(rng.lognormal(0, 2, rows).tolist(), rng) for name in beside}
    return pa.table(columns)
