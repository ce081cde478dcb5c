"""A ranker without a single option: what the table decides, is told, kept and decided anew."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise.declare import AUTO, DEFAULT_MODEL, chosen

ROWS = 700


def make_table(rows: int = ROWS, seed: int = 0) -> pa.Table:
    """Return rows whose labels follow from numbers, not along lines, and from a category."""
    rng = np.random.default_rng(seed)
    x, zeros = rng.uniform(-3, 3, rows), np.where(rng.random(rows) < 0.9, 0.0, rng.lognormal(3, 1, rows))
    kind = rng.choice(["a", "b", "c"], rows)
    click = rng.random(rows) < 1 / (1 + np.exp(-3 * np.sin(2 * x) - (zeros > 0)))
    buy = click & (rng.random(rows) < np.where(kind == "a", 0.8, 0.3))
    price = np.abs(x) * 10 + (kind == "b") * 5 + rng.normal(size=rows)
    labels = {"click": click.astype(float), "buy": buy.astype(float), "price": price}
    return pa.table({"x": x, "zeros": zeros, "kind": kind, **labels})


SCHEMA = gw.Schema(
    features=[gw.Numeric("x"), gw.Numeric("zeros"), gw.Categorical("kind", dim=2)],
    tasks=[gw.Binary("click"), gw.Binary("buy", after="click"), gw.Regression("price")],
)
TRAIN, VALID, TEST = make_table(), make_table(300, 1), make_table(300, 2)


@pytest.fixture(scope="module")
def ranker() -> gw.Ranker:
    return gw.Ranker(SCHEMA).fit(TRAIN, VALID)


def test_a_small_table_is_learnt_to_its_end(ranker: gw.Ranker) -> None:
    found = ranker.evaluate(TEST)
    assert found["click"]["auc"] > 0.85
    assert found["price"]["r2"] > 0.97
    assert len(ranker.history) > 20
    assert not [p for p in ranker.training_problems() if "last" in p.what]


def test_what_auto_became_is_kept_and_what_was_declared_too(ranker: gw.Ranker) -> None:
    assert ranker.options.training.decided == (100, 32, 10, 5e-4)
    assert ranker.options.model == replace(DEFAULT_MODEL, members=8)
    assert ranker.declared.model.members == ranker.declared.training.epochs == AUTO
    assert ranker.get_params()["epochs"] == AUTO


def test_every_fit_decides_anew() -> None:
    made = gw.Ranker(SCHEMA, gw.MMoE(experts=1, expert_dims=[4], tower_dims=[2]), epochs=2)
    assert made.fit(make_table(200)).options.training.batch_size == 32
    assert made.fit(make_table(6_400), fresh=True).options.training.batch_size == 64


def test_an_artefact_holds_numbers_and_predicts_the_same(ranker: gw.Ranker, tmp_path: Path) -> None:
    ranker.save(tmp_path / "a")
    kept = json.loads((tmp_path / "a" / "options.json").read_text("utf-8"))
    assert (kept["training"]["epochs"], kept["model"]["members"]) == (100, 8)
    loaded = gw.load(tmp_path / "a")
    assert loaded.predict(TEST).equals(ranker.predict(TEST))
    assert loaded.options == ranker.options


def test_an_update_trains_the_members_that_are_there(ranker: gw.Ranker, tmp_path: Path) -> None:
    ranker.save(tmp_path / "a")
    loaded = gw.load(tmp_path / "a").update(make_table(200, 3))
    assert loaded.scorer.model.num_members == 8
    assert not loaded.predict(TEST).equals(ranker.predict(TEST))


def test_what_auto_became_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    gw.Ranker(SCHEMA, "mmoe", epochs=1).fit(make_table(100), progress=True)
    assert "chosen for 100 rows: batch_size 32, patience 3, lr 0.0005" in capsys.readouterr().err
    gw.Ranker(SCHEMA, "mmoe", epochs=1, batch_size=50, patience=None, lr=0.01).fit(make_table(100), progress=True)
    assert "chosen for" not in capsys.readouterr().err


def test_a_kind_by_its_name_is_the_plain_one() -> None:
    assert gw.Ranker(SCHEMA, "mmoe").options.model == gw.MMoE()
    assert gw.Ranker(SCHEMA).options.model == DEFAULT_MODEL
    assert "members" not in chosen(gw.Ranker(SCHEMA, "mmoe").options, gw.declare.TableSize(10, validated=True))


def test_members_resume_where_they_stopped(tmp_path: Path) -> None:
    def trained(epochs: int, folder: str, *, resume: bool = False) -> gw.Ranker:
        model = gw.MMoE(experts=2, expert_dims=[4], members=3, dropout=0.2)
        made = gw.Ranker(SCHEMA, model, epochs=epochs, batch_size=100, patience=5)
        return made.fit(TRAIN, VALID, run_dir=tmp_path / folder, resume=resume)

    whole = trained(4, "whole")
    trained(2, "part")
    assert trained(4, "part", resume=True).predict(TEST).equals(whole.predict(TEST))


@pytest.mark.parametrize("form", ["raw", "encoded"])
def test_members_are_one_file_of_onnx(ranker: gw.Ranker, tmp_path: Path, form: str) -> None:
    # exporting compares all predictions with the ranker's
    ranker.export_onnx(tmp_path / "model.onnx", inputs=form, check=TEST)
    assert (tmp_path / "model.onnx").exists()


def test_gates_and_explanations_are_those_of_all_members(ranker: gw.Ranker) -> None:
    gates = ranker.scorer.gates(TEST)
    (usage,) = ranker.gate_usage(TEST)
    assert usage.rows == len(TEST)
    np.testing.assert_allclose(usage.weights, gates.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(gates.sum(axis=2), 1, atol=1e-5)
    found = ranker.explain(0, TEST, draws=20)
    click = found.scores[0]
    logit = torch.logit(torch.tensor(found.predictions["click"])).item()
    assert click.value == pytest.approx(logit, abs=1e-4)
    assert sum(part.contribution for part in click.features) + click.background == pytest.approx(click.value, abs=1e-4)
    of_experts = sum(part.contribution for part in click.experts) + click.without_experts
    assert of_experts == pytest.approx(click.value, abs=1e-4)
    (routing,) = ranker.gradient_routing(TEST)
    np.testing.assert_allclose(routing.weights, usage.weights, atol=1e-5)


def test_numbers_that_declare_an_embedding_keep_it() -> None:
    features = [
        gw.Numeric("x", embedding=gw.Periodic(dim=3)),
        gw.Numeric("zeros", transform="bucket"),
        SCHEMA.features[2],
    ]
    made = gw.Ranker(replace(SCHEMA, features=features), gw.MMoE(numbers="piecewise_linear"), epochs=1)
    (number,) = made.fit(TRAIN).scorer.encoder.layout.numbers
    assert (number.name, type(number.embedding).__name__, number.embedding.dim) == ("x", "PeriodicNumber", 3)
    assert made.schema.features[0].embedding == gw.Periodic(dim=3)


def test_a_number_beyond_the_training_table_is_like_the_last_one(ranker: gw.Ranker) -> None:
    far = TEST.slice(0, 2).set_column(0, "x", pa.array([1e3, 1e9]))
    edge = TEST.slice(0, 2).set_column(0, "x", pa.array([max(TRAIN["x"].to_pylist())] * 2))
    assert ranker.predict(far).equals(ranker.predict(edge))


def test_a_ranker_says_what_it_is_in_one_line(ranker: gw.Ranker) -> None:
    assert repr(gw.Ranker(SCHEMA, "ple")) == "<Ranker PLE, 3 features, tasks: click, buy, price; not fitted>"
    fitted = f"fitted, {len(ranker.history)} epochs of {ROWS} rows"
    assert repr(ranker) == f"<Ranker CGC, 3 features, tasks: click, buy, price; {fitted}>"
