"""Files in a bucket, behind a server that speaks S3."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatewise.data import column_names, extent_of, identity_of, name_of, read_table, stream_table
from gatewise.errors import TableError

TABLE = pa.table({"user": [1, 2, 3], "city": ["a", "b", None]})


@pytest.fixture
def bucket(s3):
    for day in (1, 2):
        with s3.open_output_stream(f"logs/visits/day={day}/a.parquet") as stream:
            pq.write_table(TABLE, stream)
    with s3.open_output_stream("logs/visits/_SUCCESS") as stream:
        stream.write(b" ")
    with s3.open_output_stream("logs/a.csv.gz", compression="gzip") as stream:
        stream.write(b"user,city\n7,x\n")
    return s3


def test_folders_globs_lists_and_files_of_a_bucket(bucket, s3_endpoint):
    address = f"s3://logs/visits?endpoint_override={s3_endpoint}&region=us-east-1"
    names = ["s3://logs/visits", "s3://logs/visits/", Path("s3://logs/visits"), "s3://logs/visits/*/*.parquet", address]
    for name in [*names, ["s3://logs/visits/day=1", "s3://logs/visits/day=2/a.parquet"]]:
        table = read_table(name)
        assert table["user"].to_pylist() == [1, 2, 3, 1, 2, 3], name
        assert table["day"].to_pylist() == [1, 1, 1, 2, 2, 2]
        assert pa.concat_tables(stream_table(name, ["user"], rows=2)).num_rows == 6
        assert extent_of(name).rows == 6
    assert read_table("s3://logs/visits/day=1/a.parquet").equals(TABLE)
    assert column_names("s3://logs/visits/day=1/a.parquet") == ["user", "city"]
    assert read_table("s3://logs/a.csv.gz").to_pydict() == {"user": [7], "city": ["x"]}
    assert name_of(Path("s3://logs/visits")) == "visits"


def test_the_identity_of_a_bucket_is_told_by_etags(bucket):
    before = identity_of("s3://logs/visits")
    assert identity_of("s3://logs/visits") == before
    other = TABLE.set_column(0, "user", pa.array([1, 2, 4]))
    # of the same size, and within the same second
    with bucket.open_output_stream("logs/visits/day=2/a.parquet") as stream:
        pq.write_table(other, stream)
    assert identity_of("s3://logs/visits") != before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("s3://nobucket/visits", "there is no bucket 'nobucket'"),
        ("s3://nobucket/visits/*.parquet", "there is no bucket 'nobucket'"),
        ("s3://logs/visit", "table 's3://logs/visit' does not exist; did you mean 'visits'?"),
        ("s3://logs/nope/x.parquet", "does not exist"),
        ("s3://logs/visits/day=1/*.csv", "no file fits the pattern"),
    ],
)
def test_what_a_bucket_lacks_is_one_line(bucket, name, message):
    with pytest.raises(TableError) as caught:
        read_table(name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
