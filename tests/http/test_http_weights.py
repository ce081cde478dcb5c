"""Requests with numbers beside lists: what each place of a value gives, and refusals that name both columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

import gatewise as gw
from gatewise.export import onnx_bytes
from gatewise.http import loading
from gatewise.http.app import make_app
from gatewise.http.items import ItemFile
from gatewise.http.sources import Source, Sources

ROWS = 120
RNG = np.random.default_rng(5)
READ = [RNG.integers(1, 9, n).tolist() for n in RNG.integers(0, 6, ROWS)]
TAGS = [[f"t{i}" for i in row] for row in READ[::-1]]
TABLE = {
    "item": list(range(ROWS)),
    "tags": TAGS,
    "scores": [RNG.gamma(1.0, size=len(tags)).round(2).tolist() for tags in TAGS],
    "read": READ,
    "click": (RNG.random(ROWS) < 0.4).astype(int).tolist(),
}
FEATURES = [
    gw.Sequence("tags", dim=4, weights="scores"),
    gw.Sequence("last", dim=3, column="tags", weights="scores", pooling="sum", max_length=2),
    gw.Sequence("read", dim=3),
]


@pytest.fixture(scope="module")
def ranker() -> gw.Ranker:
    schema = gw.Schema(features=FEATURES, tasks=[gw.Binary("click")])
    return gw.Ranker(schema, gw.SharedBottom(), epochs=3, batch_size=32, lr=0.05).fit(TABLE, progress=False)


@pytest.fixture(scope="module")
def client(ranker: gw.Ranker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("served")
    ranker.save(folder / "model")
    pq.write_table(pa.table(TABLE).select(["item", "tags", "scores"]), folder / "items.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "exported", lambda *_: onnx_bytes(ranker.scorer))
        source = Source("model", "1", folder / "model")
        app = make_app(Sources(given=(source,)), items=ItemFile(folder / "items.parquet", "item"))
        with TestClient(app, base_url="http://127.0.0.1") as running:
            yield running


def expected(ranker: gw.Ranker, rows: list[dict[str, Any]]) -> np.ndarray:
    return ranker.predict(rows)["click"].to_numpy()


def ranked(client: TestClient, status: int = 200, **asked: Any) -> Any:
    answer = client.post("/rank", json=asked)
    assert answer.status_code == status, answer.text
    if status != 200:
        return answer.json()["error"]
    found = sorted(answer.json()["candidates"], key=lambda one: one["index"])
    return [one["scores"]["click"] for one in found]


def rows_of(places: range) -> list[dict[str, Any]]:
    return [{name: TABLE[name][i] for name in ("tags", "scores", "read")} for i in places]


def test_rows_predict_what_a_table_does(client: TestClient, ranker: gw.Ranker) -> None:
    rows = [
        *rows_of(range(9)),
        {"tags": None, "scores": None, "read": None},
        {"tags": ["t99"], "scores": [2], "read": []},
    ]
    answer = client.post("/predict", json={"rows": rows})
    assert answer.status_code == 200, answer.text
    np.testing.assert_allclose([row["click"] for row in answer.json()["rows"]], expected(ranker, rows), atol=1e-6)


def test_weights_come_from_candidate_context_or_item_table(client: TestClient, ranker: gw.Ranker) -> None:
    rows = rows_of(range(3, 9))
    own = [{"tags": row["tags"], "scores": row["scores"]} for row in rows]
    wanted = expected(ranker, [{**row, "read": [1, 2]} for row in rows])
    np.testing.assert_allclose(ranked(client, context={"read": [1, 2]}, candidates=own), wanted, atol=1e-6)
    found = ranked(client, context={"read": [1, 2]}, candidates=list(range(3, 9)))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_items_of_candidates_may_have_the_weights_of_the_context(client: TestClient, ranker: gw.Ranker) -> None:
    candidates = [{"tags": ["t1", "t2"], "read": []}, {"tags": ["t3", "t3"], "read": [4]}]
    found = ranked(client, context={"scores": [2.0, 0.5]}, candidates=candidates)
    wanted = expected(ranker, [{**row, "scores": [2.0, 0.5]} for row in candidates])
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    shared = {"tags": ["t1", "t5"], "scores": [0.1, 3]}
    found = ranked(client, context=shared, candidates=[{"read": [1]}, {"read": [2, 3]}])
    np.testing.assert_allclose(
        found, expected(ranker, [{**shared, "read": [1]}, {**shared, "read": [2, 3]}]), atol=1e-6
    )


def test_what_does_not_belong_together_is_named(client: TestClient) -> None:
    error = ranked(client, 422, context={"read": []}, candidates=[{"item": 3, "tags": ["t1"]}])
    assert error == "'tags': feature 'tags' reads it together with 'scores', which must be given beside it"
    error = ranked(client, 422, context={"read": []}, candidates=[{"tags": ["t1", "t2"], "scores": [1]}])
    assert error == "feature 'tags': column 'tags' has 2 items and 'scores' has 1 in row 0, expected one for each"
    error = ranked(client, 422, context={"read": []}, candidates=[{"tags": ["t1"], "scores": [None]}])
    assert "a weight of column 'scores' for an item of column 'tags': found null in row 0" in error
    assert "'scores' missing" in ranked(client, 422, context={"read": []}, candidates=[{"tags": ["t1", "t2"]}])


def test_tensors_have_lists_of_different_lengths_with_null_behind_them(client: TestClient, ranker: gw.Ranker) -> None:
    def tensor(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
        return {"name": name, "datatype": datatype, "shape": shape, "data": data}

    inputs = [
        tensor("tags", "BYTES", [2, 2], [["t1", "t2"], ["t3", ""]]),
        tensor("scores", "FP64", [2, 2], [[0.5, 2], [3, None]]),
        tensor("read", "INT64", [2, 1], [[1], [2]]),
    ]
    answer = client.post("/v2/models/model/infer", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    rows = [{"tags": ["t1", "t2"], "scores": [0.5, 2], "read": [1]}, {"tags": ["t3"], "scores": [3], "read": [2]}]
    np.testing.assert_allclose(answer.json()["outputs"][0]["data"], expected(ranker, rows), atol=1e-6)


def test_both_columns_are_described(client: TestClient) -> None:
    described = {column["name"]: column for column in client.get("/models").json()[0]["columns"]}
    assert described["scores"] == {"name": "scores", "kind": "list", "example": [1.0, 1.0], "needed": True}
    assert described["tags"]["kind"] == "list"
    inputs = {one["name"]: one for one in client.get("/v2/models/model").json()["inputs"]}
    assert inputs["scores"] == {"name": "scores", "datatype": "FP64", "shape": [-1, -1]}
