"""Weighted sequences from a table to training, an artefact, ONNX, a request, growth and explanation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gatewise as gw
from gatewise.errors import TableError

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'gatewise[export]'")
pytest.importorskip("onnxscript", reason="pip install 'gatewise[export]'")
ROWS = 240
RNG = np.random.default_rng(4)
TAGS = [None if i % 11 == 0 else RNG.integers(0, 9, n).tolist() for i, n in enumerate(RNG.integers(0, 6, ROWS))]
TABLE = {
    "tags": TAGS,
    "scores": [None if tags is None else RNG.gamma(1.0, size=len(tags)).round(2).tolist() for tags in TAGS],
    "item": [i % 10 for i in range(ROWS)],
    "click": (RNG.random(ROWS) < 0.4).astype(int).tolist(),
}
FEATURES = [
    gw.Categorical("item", dim=4),
    gw.Sequence("mean", dim=4, column="tags", weights="scores"),
    gw.Sequence("sum", dim=3, column="tags", weights="scores", pooling="sum", max_length=2, padding=0),
    gw.Sequence("shared", shares="item", column="tags", weights="scores", max_length=3, keep="first"),
    gw.Sequence("hashed", dim=3, column="tags", weights="scores", hash_buckets=5, padding=3),
    gw.Sequence("plain", dim=4, column="tags"),
]
SCHEMA = gw.Schema(features=FEATURES, tasks=[gw.Binary("click")])


@pytest.fixture(scope="module")
def ranker() -> gw.Ranker:
    model = gw.MMoE(experts=2, expert_dims=[6], tower_dims=[])
    return gw.Ranker(SCHEMA, model, epochs=3, batch_size=64, lr=0.02).fit(TABLE, progress=False)


def test_the_schema_is_read_back_from_yaml() -> None:
    assert gw.Schema.from_yaml(SCHEMA.to_yaml()) == SCHEMA


def test_a_loaded_ranker_predicts_the_same(ranker: gw.Ranker, tmp_path: Path) -> None:
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(TABLE).equals(ranker.predict(TABLE))


def test_weights_change_predictions_and_weights_of_1_are_the_mean(ranker: gw.Ranker) -> None:
    before = ranker.predict(TABLE)["click"].to_numpy()
    for factor, same in ((2.0, False), (1.0, True)):
        other = [
            None if row is None else [factor * w if i else w for i, w in enumerate(row)] for row in TABLE["scores"]
        ]
        found = ranker.predict({**TABLE, "scores": other})["click"].to_numpy()
        assert np.array_equal(found, before) is same
    ones = [None if tags is None else [1.0] * len(tags) for tags in TAGS]
    tensors = ranker.scorer.tensors(ranker.scorer.encode({**TABLE, "scores": ones}, labels=False))
    layer = ranker.scorer.model.input_layer
    ids, field = tensors.lists[0], layer.layout.lists[0].field
    rows = layer.tables.rows_of(field).detach().numpy()[ids.values.numpy()]
    means = [part.mean(axis=0) if len(part) else np.zeros(4) for part in np.split(rows, ids.offsets.numpy()[1:-1])]
    found = layer(tensors.inputs(tensors.ids.new_tensor(range(ROWS)).long())).x.detach().numpy()
    np.testing.assert_allclose(found[:, layer.columns_of("mean")], means, atol=1e-6)


@pytest.mark.parametrize("inputs", ["raw", "encoded"])
def test_onnx_runtime_predicts_the_same(ranker: gw.Ranker, tmp_path: Path, inputs: str) -> None:
    from gatewise.export import OnnxScorer

    # the written file is compared on the table, then on made-up rows
    ranker.export_onnx(tmp_path / "model.onnx", check=TABLE, inputs=inputs)
    ranker.export_onnx(tmp_path / "model.onnx", inputs=inputs)
    scorer = OnnxScorer(tmp_path / "model.onnx", ranker.scorer)
    few = {name: values[:1] for name, values in TABLE.items()}
    for table in (TABLE, few):
        np.testing.assert_allclose(scorer.run(table)["click"], ranker.predict(table)["click"].to_numpy(), atol=1e-5)
    names = {found.name: found.type for found in scorer.session.get_inputs()}
    expected = {"scores.mean": "tensor(double)"} if inputs == "raw" else {"mean.weights": "tensor(float)"}
    assert expected.items() <= names.items()


def test_a_program_of_torch_predicts_the_same(ranker: gw.Ranker, tmp_path: Path) -> None:
    from gatewise.export import export_torch

    assert export_torch(ranker.scorer, tmp_path / "model.pt2", check=TABLE).difference < 1e-5


def test_items_move_with_their_weights_where_features_are_explained(ranker: gw.Ranker) -> None:
    found = ranker.explain(3, TABLE, draws=4, others=20)
    parts = {part.feature: part.value for part in found.scores[0].features}
    assert set(parts) == {feature.name for feature in FEATURES}
    assert parts["mean"] == {"tags": TABLE["tags"][3], "scores": TABLE["scores"][3]}
    assert parts["plain"] == TABLE["tags"][3]
    importance = ranker.feature_importance(TABLE, repeats=1, progress=False)
    assert {one.feature for one in importance["click"]} == set(parts)
    with pytest.raises(TableError, match="expected a value for column 'scores'"):
        ranker.explain({"tags": [1], "item": 2})


def test_it_is_trained_further_with_new_items(ranker: gw.Ranker, tmp_path: Path) -> None:
    ranker.save(tmp_path / "model")
    grown = gw.load(tmp_path / "model")
    rows = {"tags": [[77, 1]] * 8, "scores": [[1.0, 2.0]] * 8, "item": [3] * 8, "click": [0, 1] * 4}
    assert grown.extend_vocabulary(rows)["mean"] == 1
    grown.update(rows, progress=False)
    assert grown.predict(rows)["click"].to_numpy().shape == (8,)
