"""Look-up of ids in another table."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def look_up(ids: pa.ChunkedArray, table: pa.Table, key: str) -> pa.Table:
    """Return the other columns of ``table`` for each id; all null for an id that is not in the column ``key``.

    Example:
        >>> movies = pa.table({"movie_id": [7, 9], "year": [1995, 2006]})
        >>> look_up(pa.chunked_array([[9, 8]]), movies, "movie_id")["year"].to_pylist()
        [2006, None]
    """
    known = table.combine_chunks()
    return known.drop_columns(key).take(pc.index_in(ids, value_set=known[key]))
