"""Real rows for the page: requests, and which columns their candidates share."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.errors import DeclarationError, TableError
from gatewise.http.columns import FeatureColumns
from gatewise.http.sample_rows import SampleRows

ROWS = {
    "request": [2, 1, 1, 2, 3, 1],
    "age": [30.0, 20.0, 20.0, 30.0, 50.0, 20.0],
    "item": ["a", "b", "c", "d", "e", "f"],
    "tags": [["x"], [], None, ["x", "y"], ["y"], ["x"]],
    "click": [0, 1, 0, 1, 0, 1],
}


@pytest.fixture(scope="module")
def columns() -> FeatureColumns:
    features = [gw.Numeric("age"), gw.Categorical("item", dim=2), gw.Sequence("tags", dim=2)]
    schema = gw.Schema(features=features, tasks=[gw.Binary("click")])
    return FeatureColumns(gw.Ranker(schema, "shared_bottom", epochs=1, batch_size=6).fit(ROWS).scorer.encoder)


def written(folder: Path, **rows: list) -> Path:
    pq.write_table(pa.table(rows), folder / "rows.parquet")
    return folder / "rows.parquet"


def test_rows_of_a_group_are_a_request(columns, tmp_path: Path):
    found = SampleRows.read(written(tmp_path, **ROWS), columns, "request")
    assert [[row["item"] for row in rows] for rows in found.requests] == [["b", "c", "f"], ["a", "d"]]
    assert found.requests[0][1] == {"age": 20.0, "item": "c", "tags": None}
    assert found.context == ["age"]


def test_without_a_group_nothing_tells_what_is_shared(columns, tmp_path: Path):
    for group in (None, "session"):
        found = SampleRows.read(written(tmp_path, **ROWS), columns, group)
        assert [len(rows) for rows in found.requests] == [6]
        assert found.context is None


def test_what_the_rows_lack_is_named(columns, tmp_path: Path):
    with pytest.raises(TableError, match="no column 'item', 'tags'"):
        SampleRows.read(written(tmp_path, age=[1.0]), columns, None)
    with pytest.raises(TableError, match="has no rows"):
        SampleRows.read(
            written(
                tmp_path,
                age=pa.array([], pa.float64()),
                item=pa.array([], pa.string()),
                tags=pa.array([], pa.list_(pa.string())),
            ),
            columns,
            None,
        )


def test_a_schema_declares_what_candidates_share():
    features = [gw.Numeric("age"), gw.Categorical("item")]
    schema = gw.Schema(features=features, tasks=[gw.Binary("click")], context=["age"])
    assert gw.Schema.from_json(schema.to_json()).context == ("age",)
    with pytest.raises(DeclarationError, match="context 'aeg' is no column that a feature reads; did you mean 'age'"):
        gw.Schema(features=features, tasks=[gw.Binary("click")], context=["aeg"])
