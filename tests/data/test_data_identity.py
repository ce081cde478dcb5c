"""What is known of a source without reading it: its identity and its extent."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from gatewise.data import Extent, extent_of, identity_of

TABLE = pa.table({"user": [3, 1, 2], "city": ["b", None, "ä"], "genres": [["x"], [], None]})
OTHER = TABLE.set_column(0, "user", pa.array([3, 1, 7]))


@pytest.mark.parametrize("kind", ["arrow", "pandas", "polars", "dict", "rows"])
def test_the_identity_of_a_table_in_memory_is_that_of_its_values(kind):
    make = {
        "arrow": lambda table: table,
        "pandas": lambda table: table.to_pandas(),
        "polars": pl.from_arrow,
        "dict": lambda table: table.to_pydict(),
        "rows": lambda table: table.to_pylist(),
    }[kind]
    assert identity_of(make(TABLE)) == identity_of(make(TABLE))
    assert identity_of(make(TABLE)) != identity_of(make(OTHER))
    assert identity_of(make(TABLE), ["city"]) == identity_of(make(OTHER), ["city"])
    assert extent_of(make(TABLE)).rows == 3
    assert extent_of(make(TABLE), ["user"]).bytes == 24


def test_chunks_and_metadata_are_not_part_of_the_identity():
    chunked = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]).replace_schema_metadata({"a": "b"})
    assert identity_of(chunked) == identity_of(TABLE)
    renamed = TABLE.rename_columns(["usr", "city", "genres"])
    assert len({identity_of(table) for table in (TABLE, renamed, TABLE.slice(0, 2), TABLE.select(["user"]))}) == 4


def test_a_column_that_arrow_cannot_hold_refuses_no_identity():
    frame = pd.DataFrame({"a": [1, 2], "b": pd.Series([1, "x"], dtype=object)})
    assert identity_of(frame) != identity_of(frame.assign(a=[1, 3]))
    assert extent_of(frame, ["a"]) == Extent(2, 16)


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.csv.gz"])
def test_the_identity_of_a_file_changes_with_its_size_and_its_time(tmp_path, name):
    path = tmp_path / name
    text = b"user,city\n1,a\n2,b\n"
    if name == "a.parquet":
        pq.write_table(TABLE, path)
    else:
        path.write_bytes(gzip.compress(text, mtime=0) if name.endswith("gz") else text)
    before = identity_of(path)
    assert identity_of(str(path)) == before
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))
    later = identity_of(path)
    assert later != before
    path.write_bytes(path.read_bytes() + b"\n")
    os.utime(path, ns=(0, path.stat().st_mtime_ns))
    assert identity_of(path) != later


def test_the_extent_of_a_parquet_file_is_that_of_the_wanted_columns(tmp_path):
    rows = 10_000
    table = pa.table({"a": np.arange(rows), "a.b": np.arange(rows), "lists": [[1, 2]] * rows})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=3_000, use_dictionary=False)
    found = extent_of(tmp_path / "a.parquet", ["a"])
    assert found.rows == rows
    assert 8 * rows <= found.bytes <= 9 * rows
    assert extent_of(tmp_path / "a.parquet", ["lists"]).bytes >= 16 * rows
    assert extent_of(tmp_path / "a.parquet").bytes > 2 * found.bytes
    pacsv.write_csv(table.select(["a"]), tmp_path / "a.csv")
    assert extent_of(tmp_path / "a.csv") == Extent(None, (tmp_path / "a.csv").stat().st_size)


def test_extents_add_up_as_far_as_they_are_known():
    assert Extent(2, 3) + Extent(4, 5) == Extent(6, 8)
    assert Extent(None, 3) + Extent(4, 5) == Extent(None, 8)
