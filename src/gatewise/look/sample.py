"""Some rows of a table, drawn at random, that stand for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data import column_names, extent_of, is_named, name_of, read_table, readable, stream_table, take_rows
from gatewise.errors import TableError

ROWS = 200_000
"""Rows of a sample."""
WHOLE_BYTES = 512 << 20
"""Largest file that is read whole, with the types that all of its rows have."""


@dataclass(frozen=True)
class Sample:
    """Rows of a table, in the table's order.

    Attributes:
        name: the file's name, or ``table``.
        table: the rows that are looked at.
        rows: how many rows the whole table has.
        unread: columns that Arrow cannot hold, each with the reason.
    """

    name: str
    table: pa.Table
    rows: int
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all rows of the table are in the sample."""
        return self.rows == self.table.num_rows


def take_sample(source: Any, rows: int = ROWS, seed: int = 0) -> Sample:
    """Return at most so many rows of a table, each with the same chance; a large file is never held whole.

    Args:
        source: any table, see :func:`gatewise.data.read_table`.
        rows: largest number of rows.
        seed: seed of the draw.

    Raises:
        TableError: the source cannot be read as a table, or has no rows.
    """
    source = readable(source)
    name = name_of(source)
    # what names no file is told by reading it
    if is_named(source) and (extent_of(source).bytes or WHOLE_BYTES + 1) > WHOLE_BYTES:
        found = _streamed(name, source, rows, seed)
    else:
        whole, unread = _readable_columns(source)
        chosen = np.sort(np.random.default_rng(seed).permutation(whole.num_rows)[:rows])
        table = whole if whole.num_rows <= rows else take_rows(whole, chosen)
        found = Sample(name, table, whole.num_rows, unread)
    if not found.rows:
        raise TableError(f"{name}: has no rows to look at")
    return found


def _readable_columns(source: Any) -> tuple[pa.Table, tuple[tuple[str, str], ...]]:
    """Return a table of the columns that Arrow can hold, and the others with the reason."""
    try:
        return read_table(source), ()
    except TableError:
        if is_named(source):
            raise
    unread: dict[str, str] = {}
    names = column_names(source)
    for name in names:
        try:
            read_table(source, [name])
        except TableError as error:
            unread[name] = str(error)
    if len(unread) in (0, len(names)):
        return read_table(source), ()
    return read_table(source, [name for name in names if name not in unread]), tuple(unread.items())


def _streamed(name: str, source: Any, rows: int, seed: int) -> Sample:
    """Return the rows with the smallest of keys that are drawn for all rows, whichever pieces they come in."""
    rng = np.random.default_rng(seed)
    kept: list[pa.Table] = []
    keys, bound, seen = np.zeros(0), 1.0, 0
    for piece in stream_table(source):
        drawn = rng.random(piece.num_rows)
        chosen = np.flatnonzero(drawn < bound)
        kept.append(take_rows(piece, chosen))
        keys, seen = np.concatenate([keys, drawn[chosen]]), seen + piece.num_rows
        if len(keys) > 2 * rows:
            kept, keys, bound = _smallest(kept, keys, rows)
    if len(keys) > rows:
        kept, _, _ = _smallest(kept, keys, rows)
    return Sample(name, pa.concat_tables(kept), seen)


def _smallest(pieces: list[pa.Table], keys: np.ndarray, rows: int) -> tuple[list[pa.Table], np.ndarray, float]:
    chosen = np.sort(np.argpartition(keys, rows - 1)[:rows])
    return [take_rows(pa.concat_tables(pieces), chosen)], keys[chosen], float(keys[chosen].max())
