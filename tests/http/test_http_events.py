"""Requests with events: a history in the context ranks candidates; lists and numbers stay aligned in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import gatewise as gw
from gatewise.export import onnx_bytes
from gatewise.http import loading
from gatewise.http.app import make_app
from gatewise.http.columns import joined, pieces
from gatewise.http.sources import Source, Sources

ROWS = 120
RNG = np.random.default_rng(8)
COUNTS = [int(n) for n in RNG.integers(0, 6, ROWS)]
TABLE = {
    "item": RNG.integers(0, 9, ROWS).tolist(),
    "past": [RNG.integers(0, 9, n).tolist() for n in COUNTS],
    "action": [[("view", "buy")[i] for i in RNG.integers(0, 2, n)] for n in COUNTS],
    "seconds": [RNG.gamma(1, 30, n).round(1).tolist() for n in COUNTS],
    "click": (RNG.random(ROWS) < 0.4).astype(int).tolist(),
}
HISTORY = gw.Events(
    "history",
    ids=[gw.EventId("item", column="past", shares="item"), gw.EventId("action", dim=2)],
    numbers=[gw.EventNumber("seconds", "log")],
    pooling=gw.EventAttention("item"),
    max_length=4,
)


@pytest.fixture(scope="module")
def ranker() -> gw.Ranker:
    schema = gw.Schema(features=[gw.Categorical("item", dim=4), HISTORY], tasks=[gw.Binary("click")])
    return gw.Ranker(schema, gw.SharedBottom(), epochs=3, batch_size=32, lr=0.05).fit(TABLE, progress=False)


@pytest.fixture(scope="module")
def client(ranker: gw.Ranker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("served")
    ranker.save(folder / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "exported", lambda *_: onnx_bytes(ranker.scorer))
        app = make_app(Sources(given=(Source("model", "1", folder / "model"),)))
        with TestClient(app, base_url="http://127.0.0.1") as running:
            yield running


def history_of(row: int) -> dict[str, Any]:
    return {name: TABLE[name][row] for name in ("past", "action", "seconds")}


def test_a_history_in_the_context_ranks_candidates(client: TestClient, ranker: gw.Ranker) -> None:
    for history in (history_of(1), {"past": None, "action": None, "seconds": None}, history_of(COUNTS.index(0))):
        candidates = [{"item": item} for item in (0, 5, 8, 77)]
        answer = client.post("/rank", json={"context": history, "candidates": candidates})
        assert answer.status_code == 200, answer.text
        found = sorted(answer.json()["candidates"], key=lambda one: one["index"])
        wanted = ranker.predict([{**history, **one} for one in candidates])["click"].to_numpy()
        np.testing.assert_allclose([one["scores"]["click"] for one in found], wanted, atol=1e-6)


def test_rows_predict_what_a_table_does(client: TestClient, ranker: gw.Ranker) -> None:
    rows = [{"item": TABLE["item"][i], **history_of(i)} for i in range(20)]
    answer = client.post("/predict", json={"rows": rows})
    assert answer.status_code == 200, answer.text
    found = [row["click"] for row in answer.json()["rows"]]
    np.testing.assert_allclose(found, ranker.predict(rows)["click"].to_numpy(), atol=1e-6)


def test_columns_that_do_not_belong_together_are_named(client: TestClient) -> None:
    rows = [{"item": 1, "past": [1, 2], "action": ["buy"], "seconds": [1, 2]}]
    answer = client.post("/predict", json={"rows": rows})
    assert answer.status_code == 422
    assert answer.json()["error"] == (
        "feature 'history': column 'past' has 2 items and 'action' has 1 in row 0, expected one for each"
    )


def test_all_columns_are_described_with_examples_that_fit_together(client: TestClient) -> None:
    described = {column["name"]: column for column in client.get("/models").json()[0]["columns"]}
    row = {name: described[name]["example"] for name in ("item", "past", "action", "seconds")}
    assert client.post("/predict", json={"rows": [row]}).status_code == 200
    inputs = {one["name"]: one["datatype"] for one in client.get("/v2/models/model").json()["inputs"]}
    assert (inputs["past"], inputs["action"], inputs["seconds"]) == ("INT64", "BYTES", "FP64")


def test_pieces_and_batches_of_lists_and_numbers_have_the_same_places() -> None:
    short = {"a": np.array([[3, 4], [5, -1]]), "a.n": np.array([[-1.0, 0.5], [2.0, np.nan]], np.float32)}
    longer = {"a": np.array([[1, 2, 3]]), "a.n": np.array([[1.0, 2.0, 3.0]], np.float32)}
    together = {name: joined([short[name], longer[name]]) for name in short}
    np.testing.assert_array_equal(np.isnan(together["a.n"]), together["a"] < 0)
    first, second = pieces(together, 3, 2)
    np.testing.assert_array_equal(first["a.n"], short["a.n"])
    assert first["a"].shape == (2, 2)
    assert second["a.n"].tolist() == [[1.0, 2.0, 3.0]]
