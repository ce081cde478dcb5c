"""Events from a table to training, an artefact, ONNX, growth and explanation, for every pooling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gatewise as gw
from gatewise.data import sample_rows

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'gatewise[export]'")
pytest.importorskip("onnxscript", reason="pip install 'gatewise[export]'")
ROWS = 160
RNG = np.random.default_rng(6)
COUNTS = [None if i % 13 == 0 else int(n) for i, n in enumerate(RNG.integers(0, 7, ROWS))]
TABLE = {
    "past": [None if n is None else RNG.integers(0, 12, n).tolist() for n in COUNTS],
    "kinds": [None if n is None else [f"c{i}" for i in RNG.integers(0, 4, n)] for n in COUNTS],
    "dwell": [None if n is None else [None if x > 60 else x for x in RNG.gamma(1, 30, n).round(1)] for n in COUNTS],
    "age": [None if n is None else RNG.normal(size=n).round(2).tolist() for n in COUNTS],
    "item": RNG.integers(0, 12, ROWS).tolist(),
    "kind": [f"c{i}" for i in RNG.integers(0, 4, ROWS)],
    "click": (RNG.random(ROWS) < 0.4).astype(int).tolist(),
}
IDS = [gw.EventId("item", shares="item", column="past"), gw.EventId("kind", dim=3, column="kinds")]
NUMBERS = [gw.EventNumber("dwell", "log"), gw.EventNumber("age", "none")]
POOLINGS = {
    "mean": "mean",
    "attention": gw.EventAttention(["item", "kind"]),
    "transformer": gw.Transformer(dim=6, heads=2),
}


def features_of(names: list[str]) -> list[object]:
    events = [
        gw.Events(name, ids=IDS, numbers=NUMBERS, pooling=POOLINGS[name], max_length=3 if name == "attention" else None)
        for name in names
    ]
    hashed = [gw.EventId("past", dim=2, hash_buckets=5), gw.EventId("kinds", dim=2)]
    first = gw.Events("first", ids=hashed, pooling="sum", max_length=2, keep="first")
    return [gw.Categorical("item", dim=4), gw.Categorical("kind", dim=3), *events, first]


SCHEMA = gw.Schema(features=features_of([*POOLINGS]), tasks=[gw.Binary("click")])


@pytest.fixture(scope="module")
def ranker() -> gw.Ranker:
    model = gw.MMoE(experts=2, expert_dims=[6], tower_dims=[])
    return gw.Ranker(SCHEMA, model, epochs=3, batch_size=64, lr=0.02).fit(TABLE, progress=False)


def test_the_schema_is_read_back_from_yaml() -> None:
    assert gw.Schema.from_yaml(SCHEMA.to_yaml()) == SCHEMA


def test_a_loaded_ranker_predicts_the_same(ranker: gw.Ranker, tmp_path: Path) -> None:
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(TABLE).equals(ranker.predict(TABLE))


@pytest.mark.parametrize("inputs", ["raw", "encoded"])
def test_onnx_runtime_predicts_the_same(ranker: gw.Ranker, tmp_path: Path, inputs: str) -> None:
    from gatewise.export import OnnxScorer

    ranker.export_onnx(tmp_path / "model.onnx", check=TABLE, inputs=inputs)
    scorer = OnnxScorer(tmp_path / "model.onnx", ranker.scorer)
    for table in (sample_rows(ranker.scorer.encoder), {name: values[:1] for name, values in TABLE.items()}):
        np.testing.assert_allclose(scorer.run(table)["click"], ranker.predict(table)["click"].to_numpy(), atol=1e-5)


def test_a_program_of_torch_predicts_the_same(ranker: gw.Ranker, tmp_path: Path) -> None:
    from gatewise.export import export_torch

    assert export_torch(ranker.scorer, tmp_path / "model.pt2", check=TABLE).difference < 1e-5


def test_long_rows_beside_a_row_change_nothing_of_its_prediction(ranker: gw.Ranker) -> None:
    alone = [ranker.predict({name: values[i : i + 1] for name, values in TABLE.items()}) for i in range(12)]
    together = ranker.predict(TABLE)["click"].to_numpy()[:12]
    np.testing.assert_allclose([row["click"][0].as_py() for row in alone], together, atol=1e-6)


def test_the_mean_joins_embeddings_and_standardised_numbers(ranker: gw.Ranker) -> None:
    layer = ranker.scorer.model.input_layer
    tensors = ranker.scorer.tensors(ranker.scorer.encode(TABLE, labels=False))
    x = layer(tensors.inputs(tensors.ids.new_tensor(range(ROWS)).long())).x.detach().numpy()
    row = next(i for i, n in enumerate(COUNTS) if n == 4)
    layout, expected = layer.layout, []
    joined = layout.joined[0]
    for place in joined.lists:
        ragged = tensors.lists[place]
        start, end = ragged.offsets[row : row + 2].tolist()
        vectors = layer.tables.rows_of(layout.lists[place].field).detach().numpy()
        expected += vectors[ragged.values[start:end].numpy()].mean(axis=0).tolist()
    known = np.array([np.log1p(x) for values in TABLE["dwell"] for x in values or [] if x is not None])
    dwell = [0.0 if x is None else (np.log1p(x) - known.mean()) / known.std() for x in TABLE["dwell"][row]]
    expected += [float(np.mean(dwell)), float(np.mean(TABLE["age"][row]))]
    np.testing.assert_allclose(x[row, layer.columns_of("mean")], expected, atol=1e-5)
    empty = next(i for i, n in enumerate(COUNTS) if n == 0)
    assert not x[empty, layer.columns_of("attention")].any()
    assert not x[empty, layer.columns_of("transformer")].any()


def test_events_are_explained_as_one_feature(ranker: gw.Ranker) -> None:
    found = ranker.explain(1, TABLE, draws=3, others=20)
    parts = {part.feature: part.value for part in found.scores[0].features}
    assert set(parts) == {feature.name for feature in SCHEMA.features}
    assert parts["mean"] == {name: TABLE[name][1] for name in ("past", "kinds", "dwell", "age")}
    importance = ranker.feature_importance(TABLE, repeats=1, progress=False)
    assert {one.feature for one in importance["click"]} == set(parts)


def test_it_grows_with_shared_and_own_vocabularies(ranker: gw.Ranker, tmp_path: Path) -> None:
    ranker.save(tmp_path / "model")
    grown = gw.load(tmp_path / "model")
    rows = {**{name: values[:2] for name, values in TABLE.items()}, "past": [[77], [78]], "kinds": [["new"], ["c1"]]}
    rows |= {"dwell": [[1.0], [2.0]], "age": [[0.0], [1.0]]}
    added = grown.extend_vocabulary(rows)
    assert (added["item"], added["mean.kind"], added["kind"]) == (2, 1, 0)
    before = ranker.predict(TABLE)["click"].to_numpy()
    np.testing.assert_allclose(grown.predict(TABLE)["click"].to_numpy(), before, atol=1e-6)
    grown.update(rows, progress=False)
