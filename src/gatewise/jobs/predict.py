"""Predictions of a whole file, piece by piece."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gatewise.data import find_column, needed_columns, stream_table, wide_column
from gatewise.errors import TableError
from gatewise.files import write_atomically
from gatewise.names import FUSED
from gatewise.serving import Scorer

WRITERS: dict[str, Callable[[Path, pa.Schema], AbstractContextManager[Any]]] = {
    ".parquet": pq.ParquetWriter,
    ".csv": pacsv.CSVWriter,
}


def predict_file(
    scorer: Scorer,
    source: Path,
    target: Path,
    keep: list[str],
    count: Callable[[int], None] = lambda _: None,
    *,
    calibrated: bool = False,
) -> int:
    """Predict a CSV or Parquet file into another file, without holding either in memory.

    Args:
        scorer: predicts.
        source: rows with the features.
        target: gets one column per prediction; written completely or not at all.
        keep: columns of the source that are copied in front of the predictions.
        count: receives the number of rows done, after every piece.
        calibrated: write calibrated probabilities.

    Returns:
        How many rows were predicted.

    Raises:
        TableError: a column is missing, or the target's suffix is neither .parquet nor .csv.
        ArtefactError: the target cannot be written.
        GatewiseError: ``calibrated`` is set, and there is no calibration.
    """
    if target.suffix.lower() not in WRITERS:
        raise TableError(f"output {str(target)!r}: expected a file ending in {' or '.join(WRITERS)}")
    if target.exists() and source.exists() and target.samefile(source):
        raise TableError(f"output {str(target)!r} is the table that is read")
    fused = () if scorer.fusion is None else (FUSED,)
    taken = [name for name in (*(name for task in scorer.tasks for name in task.columns), *fused) if name in keep]
    if taken:
        raise TableError(f"kept column {taken[0]!r} has the name of a prediction")
    rows = 0

    def write(temporary: Path) -> None:
        nonlocal rows
        suffix = target.suffix.lower()
        pieces = _predicted(scorer, source, keep, suffix, calibrated)
        first = next(pieces)
        with WRITERS[suffix](temporary, first.schema) as writer:
            for piece in itertools.chain([first], pieces):
                writer.write_table(piece)
                rows += piece.num_rows
                count(piece.num_rows)

    write_atomically(target, write)
    return rows


def _predicted(scorer: Scorer, source: Path, keep: list[str], suffix: str, calibrated: bool) -> Iterator[pa.Table]:
    columns = [*needed_columns(scorer.encoder.schema, labels=False), *scorer.known_of(scorer.fusion), *keep]
    for piece in stream_table(source, columns, scorer.encoder.column_types()):
        kept = {name: _written(find_column(piece, name, "kept column"), name, suffix) for name in keep}
        predictions = scorer.predict(piece, calibrated=calibrated)
        yield pa.table(kept | dict(zip(predictions.column_names, predictions.columns, strict=True)))


def _written(column: pa.ChunkedArray, name: str, suffix: str) -> pa.ChunkedArray:
    """Return a column in a type that the file format can hold: its own type, or a plainer one.

    Raises:
        TableError: the file format has no such type.
    """
    # all pieces need one type, so the type does not depend on the values
    nameless = suffix == ".csv" and isinstance(column.type, pa.BaseExtensionType)
    for kept in (wide_column(column) if nameless else column, wide_column(column)):
        try:
            some = pa.table({name: kept.slice(0, 1)})
            with WRITERS[suffix](pa.BufferOutputStream(), some.schema) as writer:
                writer.write_table(some)
            return kept
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
    raise TableError(
        f"kept column {name!r}: a {suffix} file holds no {column.type}; write another kind, or leave it out"
    )
