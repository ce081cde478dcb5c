"""Folders, partitions, globs and lists of files."""

from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from gatewise.data import TableEncoder, column_names, extent_of, identity_of, name_of, read_table, stream_table
from gatewise.declare import Binary, Categorical, Numeric, Schema
from gatewise.errors import TableError

DAYS = {"10": [1, 2, 3], "2": [4, 5], "9": [6]}


@pytest.fixture
def logs(tmp_path, monkeypatch):
    """Three partitions with a mark of Spark among them; the working directory is beside them."""
    monkeypatch.chdir(tmp_path)
    for day, users in DAYS.items():
        folder = tmp_path / "logs" / f"day={day}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"user": users, "city": ["a"] * len(users)}), folder / "part-0.parquet")
    (tmp_path / "logs" / "_SUCCESS").touch()
    (tmp_path / "logs" / "_delta").mkdir()
    (tmp_path / "logs" / "_delta" / "x.json").touch()
    (tmp_path / "logs" / "day=2" / ".part-0.parquet.crc").touch()
    return tmp_path / "logs"


def error_of(source, columns=None):
    with pytest.raises(TableError) as caught:
        read_table(source, columns)
    with pytest.raises(TableError):
        list(stream_table(source, columns))
    assert "\n" not in str(caught.value)
    return str(caught.value)


NAMES = [
    "logs",
    "logs/",
    "./logs",
    "logs/*/*.parquet",
    "logs/**/*.parquet",
    "logs/**",
    "logs/day=*",
    ["logs/day=10", "logs/day=2/part-0.parquet", "logs/day=9/*"],
]


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_files_are_one_table_in_the_order_of_their_paths(logs, name):
    table = read_table(name)
    assert table.column_names == column_names(name) == ["user", "city", "day"]
    assert table["user"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert table["day"].to_pylist() == [10, 10, 10, 2, 2, 9]
    for rows in (1, 4, 100):
        pieces = list(stream_table(name, ["day", "user"], rows=rows))
        assert [piece.num_rows for piece in pieces[:-1]] == [rows] * (len(pieces) - 1)
        assert pa.concat_tables(pieces).to_pydict() == table.select(["user", "day"]).to_pydict()
    assert extent_of(name).rows == 6


def test_the_folders_column_alone_reads_no_other(logs):
    assert read_table(logs, ["day"]).to_pydict() == {"day": [10, 10, 10, 2, 2, 9]}
    assert pa.concat_tables(stream_table(logs, ["day"])).num_rows == 6


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["hour=01", "hour=12"], ["01", "12"]),
        (["hour=1", "hour=-2"], [-2, 1]),
        (["day=2024-01-31", "day=2024-02-01"], ["2024-01-31", "2024-02-01"]),
        (["city=a%20b", "city=__HIVE_DEFAULT_PARTITION__"], [None, "a b"]),
    ],
)
def test_values_of_folders_are_integers_or_text(tmp_path, folders, expected):
    for folder in folders:
        (tmp_path / "t" / folder).mkdir(parents=True)
        pq.write_table(pa.table({"a": [1]}), tmp_path / "t" / folder / "x.parquet")
    name = folders[0].partition("=")[0]
    assert read_table(tmp_path / "t")[name].to_pylist() == expected
    known = read_table(tmp_path / "t", types={name: pa.string()})[name].to_pylist()
    assert known == [None if value is None else str(value) for value in expected]


def test_the_identity_of_a_folder_changes_with_any_file_but_not_with_marks(logs):
    before = identity_of(logs)
    assert identity_of("logs") == before
    (logs / "_SUCCESS").write_text("again")
    assert identity_of(logs) == before
    changed = logs / "day=9" / "part-0.parquet"
    os.utime(changed, ns=(0, changed.stat().st_mtime_ns + 1))
    assert identity_of(logs) != before


def test_names_for_titles(logs):
    assert name_of(logs) == name_of("logs/") == name_of("s3://bucket/logs?endpoint_override=x") == "logs"
    assert name_of(["logs/a.csv", "logs/b.csv"]) == "a.csv and 1 more"
    assert name_of({"a": [1]}) == "table"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (pa.array([1], pa.int32()), pa.array([2**40]), pa.int64()),
        (pa.array(["x"]).dictionary_encode(), pa.array(["y"]), pa.string()),
        (pa.array(["x"]), pa.array(["y"], pa.large_string()), pa.large_string()),
        (pa.array([1]), pa.array([0.5]), pa.float64()),
        (pa.array([None], pa.null()), pa.array(["y"]), pa.string()),
        (pa.array([[1]], pa.list_(pa.int32())), pa.array([[2]]), pa.large_list(pa.int64())),
        (pa.array([1], pa.timestamp("s")), pa.array([2], pa.timestamp("us")), pa.timestamp("us")),
    ],
    ids=str,
)
@pytest.mark.parametrize("swapped", [False, True])
def test_types_that_differ_are_brought_together(tmp_path, one, other, expected, swapped):
    first, second = (other, one) if swapped else (one, other)
    pq.write_table(pa.table({"a": first, "n": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"n": [2], "a": second}), tmp_path / "2.parquet")
    table = read_table(tmp_path)
    assert table.schema.field("a").type == expected
    assert table["a"].to_pylist() == [*first.cast(expected).to_pylist(), *second.cast(expected).to_pylist()]
    assert pa.concat_tables(stream_table(tmp_path)).equals(table)


def test_what_fits_no_common_type_names_column_and_files(tmp_path, logs):
    pq.write_table(pa.table({"user": ["x"], "city": ["b"]}), logs / "day=9" / "part-1.parquet")
    found = error_of(logs)
    for part in ("column 'user'", "int64 in", "day=10/part-0.parquet", "string in", "day=9/part-1.parquet"):
        assert part in found
    assert read_table(logs, ["city"]).num_rows == 7
    pq.write_table(pa.table({"user": [2**60 + 1], "city": ["b"]}), logs / "day=9" / "part-1.parquet")
    pq.write_table(pa.table({"user": [0.5], "city": ["b"]}), logs / "day=9" / "part-2.parquet")
    assert "column 'user' is int64 in" in error_of(logs)


def test_files_with_other_columns_matter_where_they_are_read(logs):
    pq.write_table(pa.table({"usr": [7], "city": ["b"]}), logs / "day=9" / "part-1.parquet")
    assert error_of(logs, ["user"]).endswith("has no column 'user', which other files have; did you mean 'usr'?")
    assert read_table(logs, ["city"]).num_rows == 7


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lgs", "table 'lgs' does not exist; did you mean 'logs'?"),
        ("logs/dya=10", "does not exist; did you mean 'day=10'?"),
        ("logs/*.csv", "no file fits the pattern"),
        ("empty", "is a folder without data"),
        (["logs", "lgs"], "table 'lgs' does not exist; did you mean 'logs'?"),
        ("https://example.org/a.csv", "download it first"),
        ("s4://bucket/x", "expected s3://"),
        ("s3://", "expected an address with a bucket"),
        ("postgresql://me:geheim@host/db", "'postgresql://me@host/db' is a database: name its rows with gatewise.sql"),
    ],
)
def test_what_is_not_there_is_one_line(logs, name, message):
    (logs.parent / "empty").mkdir()
    (logs.parent / "empty" / "_SUCCESS").touch()
    found = error_of(name)
    assert message in found
    assert "geheim" not in found


def test_a_file_of_another_kind_among_the_files_is_named(logs):
    (logs / "readme.txt").touch()
    assert "file 'logs/readme.txt' does not end in .parquet" in error_of("logs")
    (logs / "readme.txt").rename(logs / "broken.parquet")
    assert "table 'logs/broken.parquet' is no readable Parquet file" in error_of("logs")


def test_csv_files_of_one_folder_have_one_meaning(tmp_path):
    (tmp_path / "1.csv").write_text("code,price,n\n7,1,1\n")
    (tmp_path / "2.csv").write_text("price,code,n\n1.5,x7,\n")
    (tmp_path / "3.csv").write_text("code,price,n\n,,3\n")
    table = read_table(tmp_path)
    assert table.to_pydict() == {"code": ["7", "x7", None], "price": [1.0, 1.5, None], "n": [1, None, 3]}
    assert pa.concat_tables(stream_table(tmp_path)).to_pydict() == table.to_pydict()


def test_a_csv_file_that_turns_out_otherwise_in_its_last_row_is_read_in_the_type_of_all(tmp_path, monkeypatch):
    from gatewise.data.sources import csv_files

    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)
    (tmp_path / "1.csv").write_text("code,n\n" + "1,2\n" * 40)
    (tmp_path / "2.csv").write_text("code,n\n" + "1,2\n" * 40 + "x,2\n")
    assert read_table(tmp_path)["code"].to_pylist() == ["1"] * 80 + ["x"]


SCHEMA = Schema(features=[Categorical("user"), Numeric("age"), Categorical("day")], tasks=[Binary("click")])


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_partitioned_folder_is_encoded_as_its_table(tmp_path, kind):
    table = pa.table({"user": [1, 2, 1], "age": [1.0, 2.5, 0.5], "click": [0, 1, 1], "day": [1, 1, 2]})
    for day in (1, 2):
        folder = tmp_path / "t" / f"day={day}"
        folder.mkdir(parents=True)
        part = table.filter(pa.compute.equal(table["day"], day)).drop_columns("day")
        (pq.write_table if kind == "parquet" else pacsv.write_csv)(part, folder / f"a.{kind}")
    encoder, expected = TableEncoder.fit(SCHEMA, table)
    fitted, found = TableEncoder.fit(SCHEMA, tmp_path / "t")
    assert fitted.state() == encoder.state()
    assert (found.ids == expected.ids).all()
    assert (encoder.encode(str(tmp_path / "t")).floats == expected.floats).all()
