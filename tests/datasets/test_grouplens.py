from __future__ import annotations

import datetime
import zipfile

import pyarrow as pa
import pytest

from gatewise.datasets import movielens
from gatewise.errors import TableError

# User 2 rates last. 978300000 is 2000-12-31 22:00 UTC, a Sunday; user 1 rates twice in that instant.
RATINGS = [(2, 20, 4, 978303600), (1, 10, 5, 978300000), (1, 30, 3, 978300000), (2, 10, 1, 978303660)]

CSV = {
    "ratings.csv": "userId,movieId,rating,timestamp\n" + "".join(f"{u},{m},{r}.0,{t}\n" for u, m, r, t in RATINGS),
    "movies.csv": (
        "movieId,title,genres\n"
        '10,"Misérables, Les (1995)",Drama|War\n'
        "20,No Year,(no genres listed)\n"
        '30,"Said ""So"" (A.K.A. Else) (2006–2007)",Comedy\n'
    ),
}
HUNDRED_K = {
    "u.data": "".join(f"{u}\t{m}\t{r}\t{t}\n" for u, m, r, t in RATINGS),
    "u.item": (
        "10|Misérables, Les (1995)|01-Jan-1995||http://imdb|0|0|0|0|0|0|0|0|1|0|0|0|0|0|0|0|0|1|0\n"
        "20|No Year||||1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
        '30|Said "So" (A.K.A. Else) (2006) (V)|||x|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n'
    ),
    "u.user": "1|24|M|technician|85711\n2|53|F|other|T8H1N\n",
}
ONE_M = {
    "ratings.dat": "".join(f"{u}::{m}::{r}::{t}\n" for u, m, r, t in RATINGS),
    "movies.dat": (
        '10::Misérables, Les (1995)::Drama|War\n20::No Year::\n30::Said "So" (A.K.A. Else) (2006)::Comedy\n'
    ),
    "users.dat": "1::M::24::technician::85711\n2::F::53::other::T8H1N\n",
}
LAYOUTS = {
    "csv": (CSV, "utf-8"),
    "100k": (HUNDRED_K, "latin-1"),
    "1m": (ONE_M, "latin-1"),
    "10m": (ONE_M, "utf-8"),
}


def write(folder, files, encoding="utf-8"):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode(encoding))
    return folder


def zipped(path, files, encoding="utf-8", top="", compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, text in files.items():
            archive.writestr(top + name, text.encode(encoding))
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layouts_say_the_same(tmp_path, layout):
    files, encoding = LAYOUTS[layout]
    table = movielens(write(tmp_path, files, encoding))
    assert table["user_id"].to_pylist() == [1, 1, 2, 2]
    assert table["movie_id"].to_pylist() == [10, 30, 20, 10]
    assert table["genres"].to_pylist() == ["Drama|War", "Comedy", None, "Drama|War"]
    assert table["year"].to_pylist() == [1995, 2006, None, 1995]
    les_miserables = "Misérables, Les"
    assert table["title"].to_pylist() == [
        les_miserables,
        'Said "So" (A.K.A. Else)',
        "No Year",
        les_miserables,
    ]
    assert table["rating"].to_pylist() == [5.0, 3.0, 4.0, 1.0]
    assert table["liked"].to_pylist() == [1, 0, 1, 0]
    assert table["timestamp"].to_pylist() == [978300000, 978300000, 978303600, 978303660]
    assert table["hour"].to_pylist() == [22, 22, 23, 23]
    assert table["weekday"].to_pylist() == [6, 6, 6, 6]
    assert table["user_count"].to_pylist() == [0, 0, 0, 1]
    assert table["user_mean"].to_pylist() == [None, None, None, 4.0]
    assert table["movie_count"].to_pylist() == [0, 0, 0, 1]
    assert table["movie_mean"].to_pylist() == [None, None, None, 5.0]
    assert table["movie_age"].to_pylist() == [
        pytest.approx(6, abs=0.01),
        0.0,
        None,
        pytest.approx(6, abs=0.01),
    ]


@pytest.mark.parametrize("layout", ["100k", "1m"])
def test_users_come_where_the_source_has_them(tmp_path, layout):
    files, encoding = LAYOUTS[layout]
    table = movielens(write(tmp_path, files, encoding))
    assert table["age"].to_pylist() == [24, 24, 53, 53]
    assert table["gender"].to_pylist() == ["M", "M", "F", "F"]
    assert table["occupation"].to_pylist() == ["technician", "technician", "other", "other"]
    assert table["zip_code"].to_pylist() == ["85711", "85711", "T8H1N", "T8H1N"]


def test_columns_and_types(tmp_path):
    names = "user_id movie_id year hour weekday user_count movie_count timestamp liked"
    expected = dict.fromkeys(names.split(), pa.int64())
    expected |= dict.fromkeys(["movie_age", "user_mean", "movie_mean", "rating"], pa.float64())
    expected |= dict.fromkeys(["genres", "title"], pa.string())
    without_users = movielens(write(tmp_path / "csv", CSV))
    assert dict(zip(without_users.column_names, without_users.schema.types, strict=True)) == expected
    expected |= {"age": pa.int64()} | dict.fromkeys(["gender", "occupation", "zip_code"], pa.string())
    with_users = movielens(write(tmp_path / "1m", ONE_M, "latin-1"))
    assert dict(zip(with_users.column_names, with_users.schema.types, strict=True)) == expected


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("top", ["", "ml/"])
def test_zips_and_sub_folders(tmp_path, layout, top):
    files, encoding = LAYOUTS[layout]
    expected = movielens(write(tmp_path / "plain", files, encoding))
    assert movielens(zipped(tmp_path / "ml.zip", files, encoding, top)).equals(expected)
    write(tmp_path / "outer" / top, files, encoding)
    assert movielens(str(tmp_path / "outer")).equals(expected)


def test_what_a_mac_adds_to_a_zip_is_passed_over(tmp_path):
    files = CSV | {"__MACOSX/ratings.csv": "junk"}
    assert movielens(zipped(tmp_path / "ml.zip", files)).num_rows == 4


def test_windows_line_ends_and_a_byte_order_mark(tmp_path):
    files = {name: "\ufeff" + text.replace("\n", "\r\n") for name, text in CSV.items()}
    assert movielens(write(tmp_path / "windows", files)).equals(movielens(write(tmp_path / "unix", CSV)))


def test_a_movie_or_user_that_is_not_listed_is_null(tmp_path):
    files = HUNDRED_K | {
        "u.item": HUNDRED_K["u.item"].splitlines()[0] + "\n",
        "u.user": "1|24|M|technician|85711\n",
    }
    table = movielens(write(tmp_path, files, "latin-1"))
    assert table["title"].is_null().to_pylist() == [False, True, True, False]
    assert table["movie_age"].is_null().to_pylist() == [False, True, True, False]
    assert table["age"].to_pylist() == [24, 24, None, None]


def test_hour_and_weekday_are_those_of_utc(tmp_path):
    times = [0, 86399, 86400, 951782400, 1476640644]
    lines = "".join(f"1,10,3,{time}\n" for time in times)
    table = movielens(write(tmp_path, CSV | {"ratings.csv": "userId,movieId,rating,timestamp\n" + lines}))
    moments = [datetime.datetime.fromtimestamp(time, datetime.UTC) for time in times]
    assert table["hour"].to_pylist() == [moment.hour for moment in moments]
    assert table["weekday"].to_pylist() == [moment.weekday() for moment in moments]


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(TableError, match=r"nowhere: no such folder, zip or tar"):
        movielens(tmp_path / "nowhere")


@pytest.mark.parametrize("as_zip", [False, True])
def test_no_ratings_file(tmp_path, as_zip):
    files = {"README.txt": "hello"}
    path = zipped(tmp_path / "ml.zip", files) if as_zip else write(tmp_path / "ml", files)
    with pytest.raises(TableError, match=r"no ratings file, looked for ratings.csv, u.data, ratings.dat"):
        movielens(path)


def test_several_data_sets(tmp_path):
    write(tmp_path / "a", CSV)
    write(tmp_path / "b", HUNDRED_K)
    with pytest.raises(TableError, match=r"expected one data set, found a/ratings.csv, b/u.data"):
        movielens(tmp_path)


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_a_zip_cut_short(tmp_path, keep):
    path = zipped(tmp_path / "ml.zip", CSV)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TableError, match="expected a whole zip, found a damaged one"):
        movielens(path)


def test_a_zip_with_damaged_content(tmp_path):
    path = zipped(tmp_path / "ml.zip", CSV, compression=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"978300000", b"978300001"))
    with pytest.raises(TableError, match=r"cannot read ratings.csv: Bad CRC"):
        movielens(path)


def test_a_file_that_is_no_zip(tmp_path):
    with pytest.raises(TableError, match=r"ratings.csv: expected a folder, a zip or a tar"):
        movielens(write(tmp_path, CSV) / "ratings.csv")


@pytest.mark.parametrize(("layout", "missing"), [("csv", "movies.csv"), ("100k", "u.item"), ("1m", "movies.dat")])
def test_no_movies_file(tmp_path, layout, missing):
    files = {name: text for name, text in LAYOUTS[layout][0].items() if name != missing}
    with pytest.raises(TableError, match=rf"has .* but no {missing}"):
        movielens(write(tmp_path, files))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            CSV | {"ratings.csv": "user,movieId,rating,timestamp\n1,1,1,1\n"},
            "ratings.csv: no column 'userId', found",
        ),
        (CSV | {"ratings.csv": "userId,movieId,rating,timestamp\n1,10,5\n"}, "Expected 4 columns, got 3"),
        (CSV | {"ratings.csv": "userId,movieId,rating,timestamp\n1,10,good,5\n"}, "ratings.csv: .*'good'"),
        (
            CSV | {"ratings.csv": "userId,movieId,rating,timestamp\n1,10,,5\n"},
            "ratings.csv: .*invalid value ''",
        ),
        (CSV | {"ratings.csv": "userId,movieId,rating,timestamp\n1,10,nan,5\n"}, "not a finite number"),
        (CSV | {"ratings.csv": "userId,movieId,rating,timestamp\n"}, "ratings.csv: no ratings"),
        (CSV | {"ratings.csv": ""}, "ratings.csv: no column 'userId'"),
        (CSV | {"movies.csv": "movieId,titles,genres\n1,A,B\n"}, "movies.csv: .*did you mean 'titles'"),
        (
            HUNDRED_K | {"u.data": "1\t10\t5\n"},
            "u.data: expected columns user_id, movie_id, rating, timestamp: ",
        ),
        (HUNDRED_K | {"u.data": "1\t10\tgood\t5\n"}, "u.data: .*'good'"),
        (HUNDRED_K | {"u.data": ""}, "u.data: .*[Ee]mpty"),
        (HUNDRED_K | {"u.item": "10|A (1995)\n"}, "u.item: .*Expected 24 columns, got 2"),
        (ONE_M | {"ratings.dat": "1::10::good::5\n"}, "ratings.dat: .*'good'"),
        (ONE_M | {"ratings.dat": "1,10,5,5\n"}, "ratings.dat: .*Expected 4 columns, got 1"),
    ],
)
def test_files_with_something_else_in_them(tmp_path, files, message):
    with pytest.raises(TableError, match=message) as caught:
        movielens(write(tmp_path, files))
    assert "\n" not in str(caught.value)
