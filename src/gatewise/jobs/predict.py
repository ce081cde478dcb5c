"""Predictions of a whole file, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from gatewise.data import find_column, needed_columns, stream_table, wide_column
from gatewise.errors import TableError
from gatewise.jobs.in_turn import in_turn
from gatewise.jobs.output import WRITERS, Output, same_as
from gatewise.names import FUSED
from gatewise.processes import Alone, Processes
from gatewise.serving import Scorer

PIECE = 65_536
"""Rows that are predicted at once."""


def predict_file(
    scorer: Scorer,
    source: Any,
    target: str | Path,
    keep: list[str],
    count: Callable[[int], None] = lambda _: None,
    *,
    calibrated: bool = False,
    processes: Processes | None = None,
) -> int:
    """Predict a table into a file or a folder, piece by piece, without holding either in memory.

    Args:
        scorer: predicts.
        source: rows with the features, any table, such as a file, a folder, a bucket's or a query's.
        target: gets one column per prediction, written completely or not at all: a file ending in .parquet or .csv, or
            a folder, which gets part files of a million rows; a path or an address such as ``s3://bucket/scores``.
        keep: columns of the source that are copied in front of the predictions.
        count: receives the number of rows done, after every piece.
        calibrated: write calibrated probabilities.
        processes: those that predict pieces in turn; rank 0 writes them, in the order of the table.

    Returns:
        How many rows were predicted; in other processes than rank 0 none.

    Raises:
        TableError: a column is missing, or the target's suffix is another one.
        ArtefactError: the target cannot be written.
        GatewiseError: ``calibrated`` is set, and there is no calibration.
    """
    output = Output.of(target)
    if same_as(output, source):
        raise TableError(f"output {output.place.shown!r} is the table that is read")
    fused = () if scorer.fusion is None else (FUSED,)
    taken = [name for name in (*(name for task in scorer.tasks for name in task.columns), *fused) if name in keep]
    if taken:
        raise TableError(f"kept column {taken[0]!r} has the name of a prediction")
    rows = 0

    def counted(pieces: Iterator[pa.Table]) -> Iterator[pa.Table]:
        nonlocal rows
        for piece in pieces:
            yield piece
            rows += piece.num_rows
            count(piece.num_rows)

    columns = [*needed_columns(scorer.encoder.schema, labels=False), *scorer.known_of(scorer.fusion), *keep]
    pieces = stream_table(source, columns, scorer.encoder.column_types(), PIECE)
    among = processes or Alone()
    predicted = in_turn(among, pieces, partial(scorer.predict, calibrated=calibrated))
    whole = _beside(predicted, keep, output.suffix)
    if among.rank == 0:
        output.write(counted(whole))
    else:
        # it works for rank 0, which has everything
        list(whole)
    return rows


def _beside(predicted: Iterable[tuple[pa.Table, pa.Table]], keep: list[str], suffix: str) -> Iterator[pa.Table]:
    """Yield predictions with the kept columns of their piece in front of them."""
    for piece, predictions in predicted:
        kept = {name: _written(find_column(piece, name, "kept column"), name, suffix) for name in keep}
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
