from __future__ import annotations

import uuid

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.jobs.predict import predict_file

ROWS = {"user": [1, 2, 1, 3], "click": [0, 1, 1, 0]}
IDS = [uuid.UUID(int=row) for row in range(4)]
KEPT = {
    "text": pa.array(["a", None, "", "d"]),
    "views": pa.array(["a", None, "b", "c"], pa.string_view()),
    "codes": pa.array(["a", "b", None, "a"]).dictionary_encode(),
    "tags": pa.array([["a"], None, [], ["b", "c"]]),
    "thing": pa.array([{"a": 1}] * 4),
    "id": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([each.bytes for each in IDS], pa.binary(16))),
}


@pytest.fixture(scope="module")
def scorer():
    schema = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click")])
    return gw.Ranker(schema, "shared_bottom", epochs=1).fit(ROWS).scorer


@pytest.fixture
def source(tmp_path):
    pq.write_table(pa.table(ROWS | KEPT), tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def test_parquet_keeps_every_column(scorer, source, tmp_path):
    assert predict_file(scorer, source, tmp_path / "p.parquet", list(KEPT)) == 4
    found, given = pq.read_table(tmp_path / "p.parquet"), pq.read_table(source)
    assert [found[name].to_pylist() for name in KEPT] == [given[name].to_pylist() for name in KEPT]


def test_csv_keeps_what_can_be_written_as_text(scorer, source, tmp_path):
    predict_file(scorer, source, tmp_path / "p.csv", ["views", "codes", "id"])
    found = pacsv.read_csv(tmp_path / "p.csv").to_pydict()
    assert found["views"] == ["a", "", "b", "c"]
    assert found["codes"] == ["a", "b", "", "a"]
    assert found["id"] == [str(each) for each in IDS]


@pytest.mark.parametrize("name", ["tags", "thing"])
def test_csv_says_what_it_does_not_hold(scorer, source, tmp_path, name):
    with pytest.raises(gw.GatewiseError, match=rf"^kept column '{name}': a \.csv file holds no (list|struct)<"):
        predict_file(scorer, source, tmp_path / "p.csv", ["text", name])
    assert not (tmp_path / "p.csv").exists()
