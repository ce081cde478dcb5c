"""Known columns: numbers that a fusion uses and the model does not read, wherever a model predicts."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.errors import DeclarationError, TableError
from gatewise.export import OnnxScorer
from gatewise.jobs.predict import predict_file

ROI = "stars / max(cost, 1) + 0 * click"


@pytest.fixture(scope="module")
def rows(feed: pa.Table) -> pa.Table:
    cost = np.random.default_rng(0).exponential(3, len(feed))
    return feed.append_column("cost", pa.array([None if i % 7 == 0 else float(c) for i, c in enumerate(cost)]))


@pytest.fixture(scope="module")
def schema(feed_schema: gw.Schema) -> gw.Schema:
    return gw.Schema(features=feed_schema.features, tasks=feed_schema.tasks, known=["cost", "margin"])


@pytest.fixture(scope="module")
def ranker(rows: pa.Table, schema: gw.Schema) -> gw.Ranker:
    model = gw.MMoE(experts=2, expert_dims=[8])
    return gw.Ranker(schema, model, fusion=ROI, epochs=1, batch_size=256).fit(rows.slice(0, 1500), rows.slice(1500))


def by_hand(ranker: gw.Ranker, table: pa.Table) -> np.ndarray:
    cost = np.array([0.0 if c is None else c for c in table["cost"].to_pylist()])
    return ranker.predict(table)["stars"].to_numpy() / np.maximum(cost, 1)


def test_a_known_column_counts_and_a_null_is_0(ranker: gw.Ranker, rows: pa.Table) -> None:
    found = ranker.predict(rows)
    assert found.column_names == ["click", "stars", "fused"]
    np.testing.assert_allclose(found["fused"].to_numpy(), by_hand(ranker, rows))


def test_only_what_the_fusion_uses_is_needed_and_only_for_predicting(ranker: gw.Ranker, rows: pa.Table) -> None:
    bare = rows.drop_columns(["cost"])
    assert ranker.evaluate(bare) == ranker.evaluate(rows)
    with pytest.raises(TableError, match="'cost'"):
        ranker.predict(bare)
    other = ranker.fuse_by("click")
    assert other.predict(bare)["fused"] == other.predict(bare)["click"]
    ranker.fuse_by(ROI)


def test_it_survives_files_and_searches(ranker: gw.Ranker, rows: pa.Table, tmp_path) -> None:
    expected = ranker.predict(rows)
    ranker.save(tmp_path / "artefact")
    loaded = gw.load(tmp_path / "artefact")
    assert loaded.schema.known == ("cost", "margin")
    assert loaded.predict(rows) == expected
    pq.write_table(rows.select(["user", "item", "tags", "price", "cost"]), tmp_path / "rows.parquet")
    predict_file(loaded.scorer, tmp_path / "rows.parquet", tmp_path / "out.parquet", [])
    assert pq.read_table(tmp_path / "out.parquet")["fused"] == expected["fused"]
    found = gw.fuse(loaded, rows, ["spearman:stars"], fusion="1 * stars / max(cost, 1)", trials=2)
    assert "cost" in found.front[0].expression
    assert ranker.explain(3, rows).fused == pytest.approx(expected["fused"][3].as_py())


@pytest.mark.parametrize("inputs", ["raw", "encoded"])
def test_it_is_an_input_of_the_exported_model(ranker: gw.Ranker, rows: pa.Table, tmp_path, inputs: str) -> None:
    ranker.export_onnx(tmp_path / "model.onnx", inputs=inputs)
    exported = OnnxScorer(tmp_path / "model.onnx", ranker.scorer)
    assert "cost" in [port.name for port in exported.form.ports]
    assert "margin" not in [port.name for port in exported.form.ports]
    np.testing.assert_allclose(exported.run(rows)["fused"], by_hand(ranker, rows), rtol=1e-5)


def test_it_comes_with_a_request_or_from_the_item_table(ranker: gw.Ranker, rows: pa.Table, serving, tmp_path) -> None:
    some = rows.slice(1, 4)
    ranker.save(tmp_path / "artefact")
    items = {row["item"]: row for row in rows.select(["item", "tags", "price", "cost"]).to_pylist()}
    pq.write_table(pa.Table.from_pylist(list(items.values())), tmp_path / "items.parquet")
    with serving(tmp_path / "artefact", "--items", tmp_path / "items.parquet", "--item-key", "item") as running:
        given = some.select(["user", "item", "tags", "price", "cost"]).to_pylist()
        answer = running.client.post("/predict", json={"rows": given}).json()
        np.testing.assert_allclose([row["fused"] for row in answer["rows"]], by_hand(ranker, some), rtol=1e-5)
        assert "cost" not in answer["rows"][0]
        missing = running.client.post("/predict", json={"rows": [{k: v for k, v in given[0].items() if k != "cost"}]})
        assert (missing.status_code, "'cost' missing" in missing.text) == (422, True)
        ids = list(items)[:5]
        ranked = running.rank(context={"user": 1}, candidates=ids)["candidates"]
        table = pa.Table.from_pylist([{"user": 1, **items[i]} for i in ids])
        expected = dict(zip(ids, by_hand(ranker, table), strict=True))
        assert [row["id"] for row in ranked] == sorted(ids, key=lambda i: -expected[i])
        scores = {row["id"]: row["scores"]["fused"] for row in ranked}
        np.testing.assert_allclose([scores[i] for i in ids], [expected[i] for i in ids], rtol=1e-5)
        told = json.dumps(running.client.get("/schema").json()) + running.client.get("/v2/models/artefact").text
        assert "cost" in told


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (["stars"], "known 'stars' is the label of task 'stars', which nobody knows beforehand"),
        (["fused"], "known 'fused' is the name of a prediction, too"),
        (["cost", "cost"], "'cost' is named twice"),
    ],
)
def test_what_cannot_be_known_is_refused(known: list[str], message: str, feed_schema: gw.Schema) -> None:
    with pytest.raises(DeclarationError, match=message):
        gw.Schema(features=feed_schema.features, tasks=feed_schema.tasks, known=known)


def test_the_nearest_name_is_given(schema: gw.Schema) -> None:
    with pytest.raises(DeclarationError, match="fusion: 'cots' is no prediction or known column; did you mean 'cost'"):
        gw.Ranker(schema, fusion="click / cots")


def test_numbers_only(ranker: gw.Ranker, rows: pa.Table) -> None:
    texts = rows.set_column(rows.column_names.index("cost"), "cost", pa.array(["1"] * len(rows)))
    with pytest.raises(TableError, match="known column 'cost': expected numbers"):
        ranker.predict(texts)
