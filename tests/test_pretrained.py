"""Vectors that were learnt elsewhere: read once, frozen or trained, and held by the artefact."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.errors import DeclarationError, GatewiseWarning, TableError

ROWS = 120
RNG = np.random.default_rng(0)
TABLE = {
    "item": [None if i % 11 == 0 else f"i{i % 7}" for i in range(ROWS)],
    "shop": [i % 5 for i in range(ROWS)],
    "tags": [[f"t{i % 3}", "t3"][: i % 3] for i in range(ROWS)],
    "user": [i % 13 for i in range(ROWS)],
    "y": [i % 2 for i in range(ROWS)],
}
ITEMS = {f"i{k}": RNG.normal(size=4).astype(np.float32) for k in (3, 0, 5, 99)}
SHOPS = RNG.normal(size=(6, 4)).astype(np.float32)
TAGS = {f"t{k}": RNG.normal(size=4).astype(np.float32) for k in range(4)}


def of(vectors: dict[str, np.ndarray]) -> pa.Table:
    return pa.table({"id": [*vectors], "vector": [vector.tolist() for vector in vectors.values()]})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vectors")
    pq.write_table(of(ITEMS), path / "items.parquet")
    feather.write_feather(of(TAGS).rename_columns(["tag", "v"]), path / "tags.arrow", compression="uncompressed")
    np.save(path / "shops.npy", SHOPS)
    return path


def schema(folder: Path, frozen: bool) -> gw.Schema:
    return gw.Schema(
        features=[
            gw.Categorical("user", dim=4),
            gw.Categorical("item", dim=4, pretrained=gw.Pretrained(folder / "items.parquet", frozen=frozen)),
            gw.Categorical("shop", dim=4, size=6, pretrained=gw.Pretrained(folder / "shops.npy", frozen=frozen)),
            gw.Sequence(
                "tags", dim=4, pretrained=gw.Pretrained(folder / "tags.arrow", frozen=frozen, key="tag", vector="v")
            ),
        ],
        tasks=[gw.Binary("y")],
    )


def fitted(folder: Path, frozen: bool, **options: object) -> gw.Ranker:
    model = gw.MMoE(experts=2, expert_dims=[4], tower_dims=[])
    made = gw.Ranker(schema(folder, frozen), model, epochs=2, batch_size=40, lr=0.05, **options)
    expected = "feature 'item': pretrained .* has no vector for 4 of 7 values, which keep the vectors drawn for them"
    with pytest.warns(GatewiseWarning, match=expected) as found:
        made.fit(TABLE, progress=False)
    assert len(found) == 1
    return made


def vectors(ranker: gw.Ranker, feature: str) -> dict[object, np.ndarray]:
    encoder, tables = ranker.scorer.encoder, ranker.scorer.model.input_layer.tables
    place = [field.name for field in tables.fields].index(feature)
    table = tables.rows_of(place).detach().numpy()
    vocabulary = encoder.vocabularies[feature]
    values = range(vocabulary.size) if feature == "shop" else vocabulary.values.to_pylist()
    return dict(zip(values, table[2:], strict=True)) | {"reserved": table[:2]}


@pytest.fixture(scope="module")
def frozen(folder: Path) -> gw.Ranker:
    return fitted(folder, frozen=True)


def test_frozen_vectors_stay_those_of_the_file(frozen: gw.Ranker) -> None:
    for feature, given in (("item", ITEMS), ("shop", dict(enumerate(SHOPS))), ("tags", TAGS)):
        found = vectors(frozen, feature)
        for value in given.keys() & found.keys():
            np.testing.assert_array_equal(found[value], given[value])
        assert not found["reserved"].any()
    assert 0 < np.abs(vectors(frozen, "item")["i1"]).max() < 0.5


@pytest.mark.parametrize("update", ["lazy", "rowwise_adagrad", "dense"])
def test_every_way_to_update_leaves_frozen_vectors_alone(folder: Path, update: str) -> None:
    ranker = fitted(folder, frozen=True, embedding_update=update, embedding_decay=0.1)
    np.testing.assert_array_equal(vectors(ranker, "shop")[4], SHOPS[4])
    assert np.abs(vectors(ranker, "user")[3]).max() > 0


def test_trained_vectors_begin_as_those_of_the_file(folder: Path) -> None:
    ranker = fitted(folder, frozen=False)
    found = vectors(ranker, "item")["i3"]
    assert 0 < np.abs(found - ITEMS["i3"]).max() < 0.5
    # an id that no row holds stays as it was
    np.testing.assert_array_equal(vectors(ranker, "shop")[5], SHOPS[5])


def test_the_artefact_holds_the_vectors(frozen: gw.Ranker, folder: Path, tmp_path: Path) -> None:
    frozen.save(tmp_path / "model")
    for file in folder.iterdir():
        file.rename(tmp_path / file.name)
    try:
        loaded = gw.load(tmp_path / "model")
        assert loaded.predict(TABLE).equals(frozen.predict(TABLE))
        loaded.update(TABLE, progress=False)
        np.testing.assert_array_equal(vectors(loaded, "item")["i3"], ITEMS["i3"])
        with pytest.raises(TableError, match=r"feature 'item': pretrained: there is no file '.*items\.parquet'"):
            gw.Ranker(loaded.schema).fit(TABLE, progress=False)
    finally:
        for name in ("items.parquet", "tags.arrow", "shops.npy"):
            (tmp_path / name).rename(folder / name)


def test_new_values_join_a_frozen_table(frozen: gw.Ranker) -> None:
    scorer = frozen.scorer
    before = frozen.predict(TABLE)
    from gatewise.serving import grow

    grown = grow(scorer, frozen.options.model, {**TABLE, "item": ["new"] * ROWS}).scorer
    assert grown.predict(TABLE).equals(before)


@pytest.mark.parametrize("embeddings", ["float32", "int8"])
def test_onnx_runtime_predicts_the_same(frozen: gw.Ranker, tmp_path: Path, embeddings: str) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from gatewise.export import OnnxScorer, export_onnx, with_int8_embeddings

    scorer = with_int8_embeddings(frozen.scorer) if embeddings == "int8" else frozen.scorer
    export_onnx(scorer, tmp_path / "model.onnx", check=TABLE)
    found = OnnxScorer(tmp_path / "model.onnx", scorer).run(TABLE)
    np.testing.assert_allclose(found["y"], scorer.predict(TABLE)["y"].to_numpy(), atol=1e-5)


WRONG = {
    "width": (of({"i0": np.zeros(3)}), "found 3 numbers in row 0, expected 4"),
    "kind": (pa.table({"id": ["i0"], "vector": ["x"]}), "expected lists of 4 numbers, found string"),
    "column": (pa.table({"id": ["i0"], "vectr": [[0.0]]}), "the table has no column 'vector'; did you mean 'vectr'?"),
    "keys": (pa.table({"id": [1], "vector": [[0.0] * 4]}), "found integers, its vocabulary was learnt from strings"),
    "twice": (pa.table({"id": ["a", "a"], "vector": [[0.0] * 4] * 2}), "key 'a' stands there twice"),
    "null": (pa.table({"id": ["a", None], "vector": [[0.0] * 4] * 2}), "a key is null"),
    "later row": (of({"zz": np.zeros(4), "i0": np.zeros(2)}), "found 2 numbers in row 1, expected 4"),
    "nan": (of({"i0": np.array([0, 0, np.nan, 0])}), "found nan in row 0"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_does_not_fit_is_one_line(tmp_path: Path, name: str) -> None:
    table, message = WRONG[name]
    pq.write_table(table, tmp_path / "v.parquet")
    features = [gw.Categorical("item", dim=4, pretrained=tmp_path / "v.parquet")]
    expected = rf"feature 'item': pretrained '.*v\.parquet'.*{re.escape(message)}"
    with warnings.catch_warnings(), pytest.raises(TableError, match=expected) as caught:
        gw.Ranker(gw.Schema(features=features, tasks=[gw.Binary("y")]), epochs=1).fit(TABLE, progress=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros((5, 4)), r"expected numbers [id, dim] = (6, 4), found (5, 4) of float64"),
        (np.full((6, 4), np.inf), "found NaN or infinity in row 0"),
        (np.array(["a"]), "found (1,) of <U1"),
        (b"nonsense", "cannot be read"),
    ],
)
def test_an_array_that_does_not_fit_is_one_line(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "v.npy"
    path.write_bytes(content) if isinstance(content, bytes) else np.save(path, content)
    features = [gw.Categorical("shop", dim=4, size=6, pretrained=path)]
    with pytest.raises(TableError, match=rf"feature 'shop': pretrained '.*v\.npy': .*{re.escape(message)}"):
        gw.Ranker(gw.Schema(features=features, tasks=[gw.Binary("y")]), epochs=1).fit(TABLE, progress=False)


def test_what_cannot_be_declared_together() -> None:
    for options, message in (
        ({"shares": "b"}, "the table is that of 'b': declare pretrained there"),
        ({"hash_buckets": 4}, "hash_buckets has values share rows"),
        ({"pretrained": "v.npy"}, "a .npy array are ids: it needs a size"),
        ({"pretrained": "v.csv"}, "Categorical.pretrained: path: expected a file ending in .npy"),
    ):
        with pytest.raises(DeclarationError, match=re.escape(message)):
            gw.Categorical("a", **{"pretrained": "v.parquet"} | options)
    declared = gw.Categorical("a", pretrained="v.parquet")
    assert declared.pretrained == gw.Pretrained("v.parquet", frozen=True, key="id", vector="vector")
