"""Reading the three layouts in which GroupLens publishes MovieLens, into tables of common columns.

| layout | data sets | ratings file |
|---|---|---|
| CSV | ml-latest-small, ml-latest, ml-20m, ml-25m, ml-32m | ``ratings.csv`` |
| tabs and pipes | ml-100k | ``u.data`` |
| double colons | ml-1m, ml-10m (has no users) | ``ratings.dat`` |
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from gatewise.datasets.delimited import parse
from gatewise.datasets.grouplens_files import Download
from gatewise.errors import TableError

RATINGS = {"user_id": pa.int64(), "movie_id": pa.int64(), "rating": pa.float64(), "timestamp": pa.int64()}
MOVIES = {"movie_id": pa.int64(), "title": pa.string(), "genres": pa.string(), "year": pa.int64()}
USERS = {
    "user_id": pa.int64(),
    "age": pa.int64(),
    "gender": pa.string(),
    "occupation": pa.string(),
    "zip_code": pa.string(),
}
NO_GENRES = ("", "(no genres listed)", "unknown")
# fmt: off
GENRES_100K = (  # the order of the flags in u.item
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)
# fmt: on

_YEAR_AT_END = re.compile(r"\s*\((\d{4})(?:[-–]\d{0,4})?\)(?:\s*\(V\))?\s*$")


class Source(NamedTuple):
    """The tables of one data set: ratings, movies and, if the source has them, users."""

    ratings: pa.Table  # columns RATINGS
    movies: pa.Table  # columns MOVIES
    users: pa.Table | None  # columns USERS


def read_grouplens(path: str | Path) -> Source:
    """Return the tables of a folder or zip from GroupLens, in any of the layouts; a TableError names the problem."""
    readers = {"ratings.csv": _read_csv_layout, "u.data": _read_100k, "ratings.dat": _read_double_colons}
    download = Download(path, readers)
    source = readers[download.ratings_name](download)
    where = f"{download.path}: {download.ratings_name}"
    if not source.ratings.num_rows:
        raise TableError(f"{where}: no ratings")
    if not pc.all(pc.is_finite(source.ratings["rating"])).as_py():
        raise TableError(f"{where}: a rating is not a finite number")
    return source


def movie_table(movie_id: Any, title: Any, genres: Any, year: Any) -> pa.Table:
    """Return movies with the common columns; a missing title, genre or year is null."""
    movies = pa.table([movie_id, title, genres, year], names=list(MOVIES)).cast(pa.schema(MOVIES))
    for at, absent in ((1, ("",)), (2, NO_GENRES)):
        movies = movies.set_column(at, movies.column_names[at], _null_where(movies[at], absent))
    return movies


def _null_where(strings: pa.ChunkedArray, absent: tuple[str, ...]) -> pa.ChunkedArray:
    return pc.if_else(pc.is_in(strings, pa.array(absent)), pa.scalar(None, pa.string()), strings)


def _read_csv_layout(download: Download) -> Source:
    def read(name: str, columns: dict[str, pa.DataType]) -> pa.Table:
        return parse(download.read(name), columns, f"{download.path}: {name}", header=True)

    rating_types = dict(zip(("userId", "movieId", "rating", "timestamp"), RATINGS.values(), strict=True))
    ratings = read("ratings.csv", rating_types).rename_columns(list(RATINGS))
    movies = read("movies.csv", {"movieId": pa.int64(), "title": pa.string(), "genres": pa.string()})
    titles, years = _titles_and_years(movies["title"])
    return Source(ratings, movie_table(movies["movieId"], titles, movies["genres"], years), users=None)


def _read_100k(download: Download) -> Source:
    def read(name: str, columns: dict[str, pa.DataType], delimiter: str) -> pa.Table:
        content = download.read(name).decode("latin-1").encode()
        return parse(content, columns, f"{download.path}: {name}", delimiter)

    ratings = read("u.data", RATINGS, "\t")
    texts = ("title", "released", "released_on_video", "imdb_url")
    flags = dict.fromkeys(GENRES_100K, pa.int64())
    movies = read("u.item", {"movie_id": pa.int64(), **dict.fromkeys(texts, pa.string()), **flags}, "|")
    titles, title_years = _titles_and_years(movies["title"])
    release_years = [_year_of(date) for date in movies["released"].to_pylist()]
    years = pc.coalesce(pa.array(release_years, pa.int64()), title_years)
    users = read("u.user", USERS, "|") if "u.user" in download else None
    genres = _genres_of_flags(movies)
    return Source(ratings, movie_table(movies["movie_id"], titles, genres, years), users)


def _read_double_colons(download: Download) -> Source:
    def read(name: str, columns: dict[str, pa.DataType]) -> pa.Table:
        # pyarrow splits at single characters only
        content = _as_utf8(download.read(name)).replace(b"::", b"\x01")
        return parse(content, columns, f"{download.path}: {name}", "\x01")

    movies = read("movies.dat", {"movie_id": pa.int64(), "title": pa.string(), "genres": pa.string()})
    titles, years = _titles_and_years(movies["title"])
    users = None
    if "users.dat" in download:
        in_file = ("user_id", "gender", "age", "occupation", "zip_code")
        users = read("users.dat", {name: USERS[name] for name in in_file}).select(list(USERS))
    ratings = read("ratings.dat", RATINGS)
    return Source(ratings, movie_table(movies["movie_id"], titles, movies["genres"], years), users)


def _as_utf8(content: bytes) -> bytes:
    """Return text as UTF-8: ml-1m is Latin-1, ml-10m UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1").encode()
    return content


def _titles_and_years(titles: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Return titles and years of texts such as "Toy Story (1995)"; a title without a year stays whole."""
    texts = titles.to_pylist()
    years = [int(found[1]) if (found := _YEAR_AT_END.search(text)) else None for text in texts]
    return pa.array([_YEAR_AT_END.sub("", text) for text in texts], pa.string()), pa.array(years, pa.int64())


def _year_of(date: str) -> int | None:
    """Return the year of a date such as "01-Jan-1995"."""
    year = date[-4:]
    return int(year) if year.isdigit() and len(year) == 4 else None


def _genres_of_flags(movies: pa.Table) -> pa.Array:
    flags = zip(*(movies[genre].to_pylist() for genre in GENRES_100K), strict=True)
    names = ["|".join(genre for genre, on in zip(GENRES_100K, row, strict=True) if on) for row in flags]
    return pa.array(names, pa.string())
