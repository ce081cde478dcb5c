"""A new kind of feature is one class and two lines: it trains, is saved, loaded, exported, served and described."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.data import Description, FeatureColumn, LayoutBuilder, TableEncoder, register_kind, sample_rows
from gatewise.declare import doors, register_feature
from gatewise.declare.base import Name, declaration
from gatewise.errors import ArtefactError, DeclarationError, ExportError, TableError
from gatewise.layout import NULL, RESERVED_ROWS


@declaration
class Hour:
    """A time of day such as ``18:30``, of which the hour matters."""

    name: Name
    dim: int = 4
    column: Name | None = None
    kind: Literal["hour"] = field(default="hour", kw_only=True, repr=False)


class HourColumn(FeatureColumn[Hour, np.ndarray]):
    """One row of an embedding table per hour."""

    def prepare(self, column: pa.Array) -> np.ndarray:
        hours = [None if text is None else int(text[:2]) for text in column.to_pylist()]
        for row, hour in enumerate(hours):
            if hour is not None and not 0 <= hour < 24:
                raise TableError(f"{self.purpose}: found hour {hour} in row {row}, expected 0 to 23")
        return np.array([NULL if hour is None else hour + RESERVED_ROWS for hour in hours], np.int32)

    def encode(self, prepared: np.ndarray) -> np.ndarray:
        return prepared

    def lay_out(self, layout: LayoutBuilder) -> None:
        layout.table(self.name, 24 + RESERVED_ROWS, self.feature.dim)
        layout.ids(self.name, self.name)

    def description(self) -> Description:
        return Description("string", "string", example="18:30")

    def sample(self, rows: int, rng: np.random.Generator) -> list[Any]:
        return [None if hour == 24 else f"{hour:02}:15" for hour in rng.integers(0, 25, rows)]


register_kind(Hour, HourColumn)

TABLE = {
    "at": ["18:30", "07:00", None, "18:59", "23:05", "00:00"] * 20,
    "user": [1, 2, 3, 1, 2, 3] * 20,
    "click": [1, 0, 1, 1, 0, 0] * 20,
}
SCHEMA = gw.Schema(features=[Hour("at"), gw.Categorical("user", dim=4)], tasks=[gw.Binary("click")])


@pytest.fixture(scope="module")
def ranker() -> gw.Ranker:
    return gw.Ranker(SCHEMA, gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4]), epochs=3).fit(TABLE)


def test_it_is_declared_like_ours() -> None:
    assert gw.Schema.from_json(SCHEMA.to_json()) == SCHEMA
    assert gw.Schema.from_yaml(SCHEMA.to_yaml()) == SCHEMA
    with pytest.raises(DeclarationError, match=r"Schema\.features\[0\]\.dmi: unknown option; did you mean 'dim'"):
        gw.Schema.from_dict({**SCHEMA.to_dict(), "features": [{"kind": "hour", "name": "at", "dmi": 3}]})
    with pytest.raises(DeclarationError, match="Taken: expected a kind of its own"):
        register_feature(type("Taken", (), {"kind": "numeric"}))


def test_its_columns_are_encoded(ranker: gw.Ranker) -> None:
    encoder = ranker.scorer.encoder
    assert encoder.encode(TABLE, labels=False).ids[:6, 0].tolist() == [20, 9, 1, 20, 25, 2]
    assert encoder.columns["at"].encode_values(["18:30", None]).tolist() == [20, 1]
    with pytest.raises(TableError, match="feature 'at': found hour 31 in row 1, expected 0 to 23"):
        ranker.predict({"at": ["01:00", "31:00"], "user": [1, 2]})
    with pytest.raises(TableError, match="feature 'at': the table has no column 'at'"):
        ranker.predict({"user": [1, 2]})


def test_it_trains_is_saved_and_loaded(ranker: gw.Ranker, tmp_path) -> None:
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(TABLE) == ranker.predict(TABLE)
    at = ranker.predict({"at": ["18:30", "07:00"], "user": [1, 1]})["click"].to_pylist()
    assert at[0] > at[1]


def test_growing_leaves_it_as_it_is(ranker: gw.Ranker) -> None:
    grown = ranker.scorer.encoder.extended({"user": [9]})
    assert grown.columns["at"] is ranker.scorer.encoder.columns["at"]
    assert grown.encoders["at"] is grown.columns["at"]
    assert grown.vocabularies["user"].rows == ranker.scorer.encoder.vocabularies["user"].rows + 1


def test_it_is_exported_encoded_and_says_that_its_raw_values_are_not(ranker: gw.Ranker, tmp_path) -> None:
    pytest.importorskip("onnxruntime")
    from gatewise.export import export_onnx

    assert export_onnx(ranker.scorer, tmp_path / "model.onnx", inputs="encoded").difference < 1e-5
    with pytest.raises(ExportError, match=r"feature 'at' is of a kind \(hour\) whose raw values a graph cannot read"):
        export_onnx(ranker.scorer, tmp_path / "raw.onnx", inputs="raw")
    assert not (tmp_path / "raw.onnx").exists()


def test_made_up_rows_have_it(ranker: gw.Ranker) -> None:
    assert set(sample_rows(ranker.scorer.encoder)["at"].to_pylist()) >= {None, "18:15"}


def test_it_is_served_and_described(ranker: gw.Ranker, tmp_path, monkeypatch) -> None:
    for package in ("fastapi", "orjson", "prometheus_client", "onnxruntime", "onnxscript", "httpx"):
        pytest.importorskip(package)
    from starlette.testclient import TestClient

    from gatewise.export import onnx_bytes
    from gatewise.http import loading
    from gatewise.http.app import make_app
    from gatewise.http.sources import Source, Sources

    ranker.save(tmp_path / "model")
    # a service exports in a process of its own, which knows the kinds of the package alone
    monkeypatch.setattr(loading, "exported", lambda *_: onnx_bytes(ranker.scorer))
    app = make_app(Sources(given=(Source("model", "1", tmp_path / "model"),)))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = client.post("/predict", json={"rows": [{"at": "07:10", "user": 2}, {"at": None, "user": 1}]})
        assert answer.status_code == 200, answer.text
        found = [row["click"] for row in answer.json()["rows"]]
        described = {column["name"]: column for column in client.get("/models").json()[0]["columns"]}
        inputs = {one["name"]: one for one in client.get("/v2/models/model").json()["inputs"]}
        wrong = client.post("/predict", json={"rows": [{"at": "77:00", "user": 1}]})
    wanted = ranker.predict({"at": ["07:10", None], "user": [2, 1]})["click"].to_pylist()
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert described["at"] == {"name": "at", "kind": "string", "example": "18:30", "needed": True}
    assert inputs["at"] == {"name": "at", "datatype": "BYTES", "shape": [-1]}
    assert (wrong.status_code, "found hour 77 in row 0" in wrong.text) == (422, True)


def test_a_kind_without_a_declaration_is_no_feature(monkeypatch, ranker: gw.Ranker, tmp_path) -> None:
    ranker.save(tmp_path / "model")
    monkeypatch.delitem(doors._DECLARATIONS["feature"], "hour")
    monkeypatch.delitem(doors.REGISTERED, "hour")
    with pytest.raises(ArtefactError, match="hour"):
        gw.load(tmp_path / "model")
    with pytest.raises(DeclarationError):
        TableEncoder.fit(gw.Schema(features=[Hour("at")], tasks=[gw.Binary("click")]), TABLE)
