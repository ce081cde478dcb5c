"""Objects that hold no rows in memory: data sets, lazy frames, streams."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.data import column_names, extent_of, identity_of, read_table, readable, stream_table
from gatewise.errors import TableError

TABLE = pa.table({"user": np.arange(1000), "age": np.arange(1000) / 7, "click": np.arange(1000) % 2})


@pytest.fixture
def files(tmp_path):
    ds.write_dataset(TABLE, tmp_path / "t", format="parquet", max_rows_per_file=300, max_rows_per_group=300)
    return tmp_path / "t"


KINDS = {
    "data set": lambda files: ds.dataset(files),
    "data set in memory": lambda files: ds.dataset(TABLE),
    "union": lambda files: ds.dataset([ds.dataset(files)]),
    "lazy frame": lambda files: pl.scan_parquet(files / "*.parquet"),
    "lazy frame of a frame": lambda files: pl.from_arrow(TABLE).lazy(),
    "reader": lambda files: TABLE.to_reader(max_chunksize=70),
    "scanner": lambda files: ds.dataset(files).scanner().to_reader(),
    "duckdb": lambda files: duckdb.connect().from_parquet(str(files / "*.parquet")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_all_are_the_same_table(files, kind):
    def made():
        return KINDS[kind](files)

    assert column_names(made()) == ["user", "age", "click"]
    assert read_table(made(), ["age", "user"]).to_pydict() == TABLE.select(["user", "age"]).to_pydict()
    pieces = list(stream_table(made(), ["user", "nope"], rows=300))
    assert max(piece.num_rows for piece in pieces) <= 300
    assert pa.concat_tables(pieces).to_pydict() == TABLE.select(["user"]).to_pydict()
    assert identity_of(made()) == identity_of(made())
    assert extent_of(made()).rows in (None, 1000)
    # what reads twice
    again = readable(made())
    assert read_table(again, ["user"]).equals(read_table(again, ["user"]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_ranker_takes_them(files, kind):
    schema = gw.Schema(features=[gw.Categorical("user"), gw.Numeric("age")], tasks=[gw.Binary("click")])
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1, batch_size=500, seed=1)
    ranker.fit(KINDS[kind](files), progress=False)
    expected = ranker.predict(TABLE)
    assert ranker.predict(KINDS[kind](files)).equals(expected)
    assert ranker.evaluate(KINDS[kind](files)) == ranker.evaluate(TABLE)
    assert ranker.evaluate_stream(KINDS[kind](files)).rows == 1000


def test_the_filter_of_a_data_set_is_part_of_its_identity(files):
    whole = ds.dataset(files)
    part = whole.filter(ds.field("user") < 10)
    assert read_table(part).num_rows == extent_of(part).rows == 10
    assert identity_of(part) != identity_of(whole)


def test_a_reader_is_read_once_and_says_so():
    reader = TABLE.to_reader()
    list(stream_table(reader))
    for again in (lambda: list(stream_table(reader)), lambda: read_table(reader)):
        with pytest.raises(TableError, match="was read before and gives its rows once"):
            again()


def test_streams_are_not_collected(files):
    def batches():
        yield TABLE.to_batches()[0]
        raise AssertionError("more than the first piece was asked for")

    pieces = stream_table(pa.RecordBatchReader.from_batches(TABLE.schema, batches()), rows=400)
    assert next(pieces).num_rows == 400


def test_what_cannot_be_read_is_one_line(files, tmp_path):
    whole = ds.dataset(files)
    (files / "part-1.parquet").write_text("broken")
    broken = pl.scan_parquet(tmp_path / "none.parquet")
    lacking = pl.from_arrow(TABLE).lazy().with_columns(pl.col("usr"))
    for source, message in (
        (whole, "the data set cannot be read: "),
        (broken, "the lazy frame cannot be computed: "),
        (lacking, 'unable to find column "usr"'),
    ):
        with pytest.raises(TableError) as caught:
            read_table(source)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), files / "part-1.parquet")
