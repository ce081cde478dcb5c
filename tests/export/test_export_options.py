"""Options of features, from a table to training, an artefact, a request's values, and ONNX Runtime on raw columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gatewise as gw
from gatewise.data import as_matrix

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'gatewise[export]'")
ROWS = 240
RNG = np.random.default_rng(3)

TABLE = {
    "raw": [None if i % 9 == 0 else round(float(x), 2) for i, x in enumerate(RNG.normal(2, 1, ROWS))],
    "padded": [[int(i) for i in RNG.integers(1, 9, n)] + [0] * (5 - n) for n in RNG.integers(0, 6, ROWS)],
    "between": [None if i % 7 == 0 else [0, i % 5, 0, 3, 0, 6][: i % 8] for i in range(ROWS)],
    "words": ["|".join([*"abc"[: i % 4], "-", "d", "-"]) for i in range(ROWS)],
    "item": [i % 7 for i in range(ROWS)],
    "other": [None if i % 8 == 0 else i % 9 for i in range(ROWS)],
    "click": (RNG.random(ROWS) < 0.4).astype(int).tolist(),
}
FEATURES = [
    gw.Numeric("raw", transform="none"),
    gw.Sequence("padded", dim=3, padding=0),
    # the same column, where 0 is an item
    gw.Sequence("zeros", dim=3, column="between"),
    gw.Sequence("between", dim=3, padding=0, max_length=2),
    gw.Sequence("first", dim=3, padding=0, max_length=1, keep="first", column="between"),
    gw.Sequence("ordered", dim=4, padding=0, pooling=gw.GRU(), column="between"),
    gw.Sequence("words", dim=2, padding="-"),
    gw.Sequence("large", dim=2, padding=10**12, column="padded"),
    gw.Sequence("hashed", dim=2, padding=0, hash_buckets=5, column="padded"),
    gw.Categorical("item", dim=3, size=9),
    gw.Categorical("other", shares="item"),
    gw.Sequence("items", padding=0, shares="item", column="padded"),
    gw.Numeric("bounded", transform="bucket", boundaries=[0, 1.5, 3], dim=2, column="raw"),
    gw.Numeric("raw_bins", transform="none", embedding=gw.PiecewiseLinear(bins=4, dim=2), column="raw"),
]


@pytest.fixture(scope="module")
def ranker() -> gw.Ranker:
    schema = gw.Schema(features=FEATURES, tasks=[gw.Binary("click")])
    model = gw.MMoE(experts=2, expert_dims=[6], tower_dims=[])
    return gw.Ranker(schema, model, epochs=2, batch_size=64).fit(TABLE, progress=False)


@pytest.fixture(scope="module")
def artefact(ranker: gw.Ranker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("options") / "model"
    ranker.save(path)
    return path


def test_a_loaded_ranker_predicts_the_same(ranker: gw.Ranker, artefact: Path) -> None:
    loaded = gw.load(artefact)
    assert loaded.schema == ranker.schema
    assert loaded.predict(TABLE).equals(ranker.predict(TABLE))


def test_a_schema_is_read_back_from_yaml(ranker: gw.Ranker) -> None:
    assert gw.Schema.from_yaml(ranker.schema.to_yaml()) == ranker.schema


@pytest.mark.parametrize("feature", [feature.name for feature in FEATURES])
def test_values_of_a_request_are_encoded_as_a_table_is(artefact: Path, feature: str) -> None:
    encoder = gw.load(artefact).scorer.encoder
    column = encoder.columns[feature]
    values = TABLE[column.column]
    expected = as_matrix(column.encode_values(values))
    layout, encoded = encoder.layout, encoder.encode(TABLE, labels=False)
    lists = [found.name for found in layout.lists]
    if feature in lists:
        found = as_matrix(encoded.lists[lists.index(feature)])
    elif feature in layout.id_features:
        place = layout.id_features.index(feature)
        found = encoded.ids[:, place : place + 1]
    else:
        found = encoded.floats[:, [i for i, owner in enumerate(layout.float_features) if owner == feature]]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("inputs", ["raw", "encoded"])
def test_onnx_runtime_predicts_the_same(ranker: gw.Ranker, tmp_path: Path, inputs: str) -> None:
    from gatewise.export import OnnxScorer

    ranker.export_onnx(tmp_path / "model.onnx", check=TABLE, inputs=inputs)
    found = OnnxScorer(tmp_path / "model.onnx", ranker.scorer).run(TABLE)
    np.testing.assert_allclose(found["click"], ranker.predict(TABLE)["click"].to_numpy(), atol=1e-5)


def test_a_request_predicts_what_its_table_does(ranker: gw.Ranker, artefact: Path, tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="pip install 'gatewise[serve]'")
    from gatewise.export import port_names
    from gatewise.http.columns import FeatureColumns

    scorer = gw.load(artefact).scorer
    ranker.export_onnx(tmp_path / "model.onnx", inputs="encoded", check=TABLE)
    columns = FeatureColumns(scorer.encoder, ports=port_names(scorer))
    given = {name: TABLE[name] for name in columns.names}
    arrays = columns.side_by_side(columns.encode(given, ROWS), ROWS)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(["click"], arrays)
    np.testing.assert_allclose(found, ranker.predict(TABLE)["click"].to_numpy(), atol=1e-5)
