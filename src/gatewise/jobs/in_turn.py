"""Work on the pieces of a table that the processes of a launcher do in turn; rank 0 gets what comes of it, in order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from gatewise.data import read_at
from gatewise.declare import Instant
from gatewise.processes import Processes
from gatewise.serving import Scorer
from gatewise.tasks import Metrics, Predicted, joined

Piece = TypeVar("Piece")
LABEL, GROUP = "label ", "group"
"""What the names of columns begin with that are no predictions; those of predictions have a prefix of their own."""
PREDICTION = "prediction "


def in_turn(
    processes: Processes, pieces: Iterable[Piece], work: Callable[[Piece], pa.Table]
) -> Iterator[tuple[Piece, pa.Table]]:
    """Yield every piece with what ``work`` makes of it, in the order of the pieces and in rank 0 alone.

    All processes read the same pieces, each works on every W-th of them, and rank 0 receives the results.
    """
    nothing = torch.zeros(0, dtype=torch.uint8)
    reading = iter(pieces)
    while some := list(itertools.islice(reading, processes.size)):
        own = _bytes(work(some[processes.rank])) if processes.rank < len(some) else nothing
        found = processes.exchange([own, *[nothing] * (processes.size - 1)])
        if processes.rank == 0:
            yield from zip(some, map(_table, found), strict=False)


def evaluate_in_turn(
    scorer: Scorer, source: Any, processes: Processes, *, calibrated: bool = False, now: Instant | None = None
) -> Metrics | None:
    """Return every metric of a table whose pieces several processes predict, in rank 0; None in others."""
    as_of = read_at(scorer.encoder.schema, source, now)

    def predicted(piece: pa.Table) -> pa.Table:
        found = scorer.predicted_piece(piece, calibrated=calibrated, as_of=as_of)
        columns = {PREDICTION + name: column.numpy() for name, column in found.columns.items()}
        columns |= {f"{LABEL}{place}": column.numpy() for place, column in enumerate(found.labels.unbind(1))}
        return pa.table(columns | ({} if found.groups is None else {GROUP: found.groups.numpy()}))

    parts = [table for _, table in in_turn(processes, scorer.labelled_pieces(source), predicted)]
    return joined([_predicted(scorer, part) for part in parts]).evaluate() if parts else None


def _predicted(scorer: Scorer, table: pa.Table) -> Predicted:
    def column(name: str) -> Tensor:
        return torch.from_numpy(np.array(table[name]))

    columns = {
        name.removeprefix(PREDICTION): column(name) for name in table.column_names if name.startswith(PREDICTION)
    }
    labels = [column(name) for name in table.column_names if name.startswith(LABEL)]
    groups = column(GROUP) if GROUP in table.column_names else None
    return Predicted(scorer.tasks, columns, torch.stack(labels, dim=1), groups)


def _bytes(table: pa.Table) -> Tensor:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return torch.frombuffer(bytearray(sink.getvalue()), dtype=torch.uint8)


def _table(data: Tensor) -> pa.Table:
    return pa.ipc.open_stream(pa.py_buffer(data.numpy())).read_all()
