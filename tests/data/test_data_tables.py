from __future__ import annotations

import gzip

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from gatewise.data import TableEncoder, column_names, read_table, stream_table
from gatewise.data.sources import csv_files
from gatewise.declare import Binary, Categorical, Numeric, Regression, Schema, Sequence
from gatewise.errors import TableError

SCHEMA = Schema(
    features=[Categorical("user"), Categorical("city"), Numeric("age"), Sequence("genres")],
    tasks=[Binary("click"), Regression("rating", weight_column="trust")],
)
TABLE = pa.table(
    {
        "user": [3, 1, 3, 2, None],
        "unused": [1, 2, 3, 4, 5],
        "city": ["b", "a", None, "b", "ä"],
        "age": [1.5, None, 3.0, -2.0, 0.25],
        "genres": ["x|y", "y", None, "z|x|x", "y"],
        "click": [1, 0, 1, None, 0],
        "rating": [0.5, 3.0, None, 2.5, 4.0],
        "trust": [1.0, 0.5, 2.0, 0.0, 1.0],
    }
)


def numpy_columns():
    columns = {name: TABLE[name].to_numpy() for name in ("trust", "unused")}
    return columns | {name: TABLE[name].to_pylist() for name in TABLE.column_names if name not in columns}


def as_csv(folder, name, delimiter=","):
    sink = pa.BufferOutputStream()
    pacsv.write_csv(TABLE, sink, pacsv.WriteOptions(delimiter=delimiter))
    text = sink.getvalue().to_pybytes()
    return write(folder / name, gzip.compress(text) if name.endswith(".gz") else text)


def as_parquet(folder, name):
    pq.write_table(TABLE, folder / name, row_group_size=2)
    return folder / name


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


SOURCES = {
    "pandas": lambda folder: TABLE.to_pandas(),
    "polars": lambda folder: pl.from_arrow(TABLE),
    "table": lambda folder: TABLE,
    "chunked table": lambda folder: pa.concat_tables([TABLE.slice(0, 2), TABLE.slice(2)]),
    "record batch": lambda folder: TABLE.to_batches()[0],
    "record batch reader": lambda folder: TABLE.to_reader(),
    "duckdb": lambda folder: duckdb.connect().from_arrow(TABLE),
    "dict": lambda folder: numpy_columns(),
    "dict of series": lambda folder: dict(TABLE.to_pandas().items()),
    "dict of polars": lambda folder: dict(zip(TABLE.column_names, pl.from_arrow(TABLE).get_columns(), strict=True)),
    "dict of arrow": lambda folder: dict(zip(TABLE.column_names, TABLE.columns, strict=True)),
    "dicts": lambda folder: TABLE.to_pylist(),
    "dicts without nulls": lambda folder: [{k: v for k, v in r.items() if v is not None} for r in TABLE.to_pylist()],
    "csv": lambda folder: as_csv(folder, "a.csv"),
    "csv as str": lambda folder: str(as_csv(folder, "A.CSV")),
    "csv.gz": lambda folder: as_csv(folder, "a.csv.gz"),
    "tsv": lambda folder: as_csv(folder, "a.tsv", "\t"),
    "tsv.gz": lambda folder: as_csv(folder, "a.tsv.gz", "\t"),
    "parquet": lambda folder: as_parquet(folder, "a.parquet"),
    "pq": lambda folder: as_parquet(folder, "a.pq"),
}


def assert_same(left, right):
    for name in ("ids", "floats", "labels"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    for a, b in zip(left.lists, right.lists, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
        np.testing.assert_array_equal(a.offsets, b.offsets)


@pytest.mark.parametrize("kind", SOURCES)
def test_all_kinds_of_tables_give_the_same_encoded_table(tmp_path, kind):
    encoder, expected = TableEncoder.fit(SCHEMA, TABLE)
    fitted, encoded = TableEncoder.fit(SCHEMA, SOURCES[kind](tmp_path))
    assert_same(encoded, expected)
    np.testing.assert_array_equal(encoded.weights, expected.weights)
    assert_same(encoder.encode(SOURCES[kind](tmp_path)), expected)
    assert fitted.state() == encoder.state()


@pytest.mark.parametrize("kind", SOURCES)
def test_column_names(tmp_path, kind):
    assert sorted(column_names(SOURCES[kind](tmp_path))) == sorted(TABLE.column_names)


def test_a_matrix_is_a_list_column():
    table = read_table({"vector": np.arange(6.0).reshape(3, 2).T})
    assert table["vector"].to_pylist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]


def test_no_rows_and_no_columns_are_a_table():
    assert read_table({}).shape == (0, 0)
    assert read_table([]).shape == (0, 0)
    assert read_table({"a": []}).shape == (0, 1)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_of_a_file_only_the_wanted_columns_are_read(tmp_path, name):
    path = as_csv(tmp_path, name) if name == "a.csv" else as_parquet(tmp_path, name)
    table = read_table(path, ["click", "absent", "user"])
    assert sorted(table.column_names) == ["click", "user"]
    assert table["user"].to_pylist() == TABLE["user"].to_pylist()


@pytest.mark.parametrize("rows", [1, 3, 4, 1000])
def test_pieces_of_a_parquet_file_are_the_whole(tmp_path, rows):
    table = pa.table({"a": np.arange(103), "b": [str(i) for i in range(103)]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=10)
    for source in (tmp_path / "a.parquet", table):
        pieces = list(stream_table(source, rows=rows))
        assert max(piece.num_rows for piece in pieces) <= rows
        assert pa.concat_tables(pieces).equals(table)


def test_pieces_of_a_csv_file_are_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)
    path = write(tmp_path / "a.csv", "a,b\n" + "".join(f"{i},v{i}\n" for i in range(100)))
    pieces = list(stream_table(path))
    assert len(pieces) > 5
    assert pa.concat_tables(pieces).to_pydict() == {"a": list(range(100)), "b": [f"v{i}" for i in range(100)]}


def test_a_table_without_rows_is_one_empty_piece(tmp_path):
    empty = TABLE.slice(0, 0)
    pq.write_table(empty, tmp_path / "a.parquet")
    for source in (empty, tmp_path / "a.parquet", write(tmp_path / "a.csv", "user,click\n")):
        [piece] = stream_table(source, ["user", "click"])
        assert piece.num_rows == 0
        assert {"user", "click"} <= set(piece.column_names)


def error_of(source, columns=None):
    with pytest.raises(TableError) as caught:
        read_table(source, columns)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"a": [1, 2], "b": [1, 2], "c": [1]}, "column 'c' has 1 rows, column 'a' has 2"),
        ({"a": [1, "x"]}, "column 'a': "),
        ([{"a": 1}, {"a": "x"}], "column 'a': "),
        ({"a": 5}, "column 'a': "),
        ({"a": "abc"}, "column 'a': expected an array or a list, found str"),
        ({"a": {"x": 1}}, "column 'a': expected an array or a list, found dict"),
        ({"a": np.zeros((2, 2, 2))}, "column 'a': "),
        (pa.table([[1], [2]], names=["a", "a"]), "column 'a' stands there twice"),
        (pa.RecordBatch.from_arrays([pa.array([1])] * 2, names=["a", "a"]), "column 'a' stands there twice"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a'"),
        (pd.DataFrame({"a": [1, "x"]}), "column 'a': "),
        (3, "found int"),
        (None, "found NoneType"),
        ([1, 2], "found list"),
    ],
)
def test_what_is_no_table_is_named(source, message):
    assert message in error_of(source)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "is empty, expected a header line"),
        ("a.csv", "a,a\n1,2\n", "column 'a' stands there twice"),
        ("a.csv", "a,b\n1,2\n3\n", "Expected 2 columns, got 1"),
        ("a.csv", "a,b\n1,né\n".encode("latin1"), "column 'b' is not UTF-8 text"),
        ("a.csv", "né,b\n1,2\n".encode("latin1"), "header is not UTF-8 text"),
        ("a.csv.gz", "a,b\n1,2\n", "no readable CSV file"),
        ("a.csv.gz", gzip.compress(b"a,b\n" + bytes(range(48, 58)) * 999, mtime=0)[:-20], "no readable CSV file"),
        ("a.parquet", "", "no readable Parquet file"),
        ("a.parquet", "garbage " * 99, "no readable Parquet file"),
        ("a.txt", "a,b\n", "expected a file ending in .parquet, .pq, .csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, message):
    path = write(tmp_path / name, content)
    found = error_of(path)
    assert message in found
    assert repr(str(path)) in found


@pytest.mark.parametrize("cut", [1, 100, 1000])
def test_a_truncated_parquet_file_is_named(tmp_path, cut):
    path = as_parquet(tmp_path, "a.parquet")
    path.write_bytes(path.read_bytes()[:-cut])
    assert f"table {str(path)!r} is no readable Parquet file: " in error_of(path)


def test_a_parquet_file_with_a_column_twice_is_an_error(tmp_path):
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "a.parquet")
    assert "column 'a' stands there twice" in error_of(tmp_path / "a.parquet")


def test_a_missing_file_suggests_the_nearest(tmp_path):
    write(tmp_path / "ratings.csv", "a\n")
    assert error_of(tmp_path / "ratngs.csv").endswith("does not exist; did you mean 'ratings.csv'?")
    assert error_of(tmp_path / "none" / "a.csv").endswith("does not exist")
    (tmp_path / "none").mkdir()
    assert "is a folder without data" in error_of(tmp_path / "none")


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("wanted", [None, ["a", "y"]])
def test_a_csv_column_that_changes_its_type_is_named_where_pieces_are_out_already(tmp_path, monkeypatch, name, wanted):
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)
    text = '"b,c",a,y\n' + "0,1,2\n" * 40 + "0,seven,2\n"
    path = write(tmp_path / name, gzip.compress(text.encode()) if name.endswith("gz") else text)
    with pytest.raises(TableError) as caught:
        list(stream_table(path, wanted))
    assert "column 'a': " in str(caught.value)
    assert "seven" in str(caught.value)


@pytest.mark.parametrize(("last", "dtype"), [("seven", pa.string()), ("1.5", pa.float64()), ("", pa.int64())])
def test_a_whole_csv_column_has_the_type_that_all_its_rows_have(tmp_path, monkeypatch, last, dtype):
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)
    table = read_table(write(tmp_path / "a.csv", "a,y\n" + "1,2\n" * 40 + f"{last},2\n"))
    assert table.schema.field("a").type == dtype


@pytest.mark.parametrize("first", ["1", ""])
def test_a_streamed_csv_column_of_numbers_may_start_with_integers_or_empty(tmp_path, monkeypatch, first):
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)
    path = write(tmp_path / "a.csv", "a,y\n" + f"{first},2\n" * 40 + "1.5,2\n")
    pieces = list(stream_table(path, types={"a": pa.float64()}))
    assert len(pieces) > 1
    assert pieces[-1]["a"].to_pylist()[-1] == 1.5


def test_bytes_that_are_no_utf8_later_in_the_file_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)
    found = error_of(write(tmp_path / "a.csv", b"y,a\n" + b"1,n\n" * 40 + b"1,\xe9\n"))
    assert "column 'a' is not UTF-8 text" in found
    assert "save it as UTF-8" in found


def test_a_csv_column_has_the_type_it_is_known_to_have(tmp_path):
    path = write(tmp_path / "a.csv", "a,b\n007,1\n,2\n")
    assert read_table(path, types={"a": pa.string(), "c": pa.string()}).to_pydict() == {"a": ["007", None], "b": [1, 2]}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (pd.Series([1.0]), "expected a table, found a single column (Series)"),
        (pd.DataFrame({"a": [1, 2], "m": [1, "x"]}), "column 'm': "),
        ({"a": 1.5}, "column 'a': expected an array or a list, found float"),
        ({"a": None}, "column 'a': expected an array or a list, found NoneType"),
        (None, "found NoneType"),
        (np.zeros((2, 2)), "found ndarray"),
    ],
    ids=["series", "mixed objects", "number", "none", "nothing", "matrix"],
)
def test_what_is_no_table_is_said_in_one_line(source, message):
    found = error_of(source)
    assert message in found
    assert "\n" not in found


def test_a_quoted_newline_may_stand_where_a_block_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)
    text = ["one\ntwo" * (i % 9) for i in range(200)]
    path = write(tmp_path / "a.csv", "a,b\n" + "".join(f'"{t}",{i}\n' for i, t in enumerate(text)))
    table = pa.concat_tables(stream_table(path))
    assert table["b"].to_pylist() == list(range(200))
    assert [t or "" for t in table["a"].to_pylist()] == text
    assert read_table(path).to_pydict() == table.to_pydict()
