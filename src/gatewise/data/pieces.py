"""Tables in pieces of a fixed number of rows, wherever the source cuts them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

PIECE_ROWS = 65_536
"""Rows of a piece. What is learnt of a table is taken piece by piece also where the table is in memory, so that sums
have the same bits either way."""


def blocks(rows: int, size: int = PIECE_ROWS) -> Iterator[slice]:
    """Yield the slices of ``rows`` rows into pieces; nothing for no rows."""
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def regrouped(tables: Iterable[pa.Table], size: int = PIECE_ROWS, *, some: bool = False) -> Iterator[pa.Table]:
    """Yield the rows of tables, one after the other, in pieces of ``size`` rows; the last piece may be short.

    The pieces do not depend on where one table ends and the next begins. Nothing is copied but a piece's own rows.

    Args:
        tables: of one schema, or of types that can be brought together.
        size: rows of a piece.
        some: whether tables without any row give one empty piece, so that their columns are known; else they give none.
    """
    waiting: list[pa.Table] = []
    count, none_yet = 0, True
    for table in tables:
        waiting.append(table)
        count += table.num_rows
        while count >= size:
            whole = pa.concat_tables(waiting, promote_options="permissive")
            yield whole.slice(0, size)
            waiting, count, none_yet = [whole.slice(size)], count - size, False
    if count or (some and none_yet and waiting):
        yield pa.concat_tables(waiting, promote_options="permissive")
