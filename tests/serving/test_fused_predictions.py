"""A fusion is part of the ranker and of its artefact: one order, wherever it is predicted."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.errors import ArtefactError, DeclarationError, GatewiseError, TableError
from gatewise.jobs import predict_file

FUSION = "log(click) + 2 * device[tv]^0.5 * stars - buy_given_click / (click_and_buy + 0.1)"


@pytest.fixture(scope="module")
def rows(feed) -> pa.Table:
    click = np.nan_to_num(feed["click"].to_numpy(zero_copy_only=False))
    step = np.arange(feed.num_rows)
    device = pa.array(np.array(["tv", "pc", "phone"])[step % 3])
    return feed.append_column("device", device).append_column("buy", pa.array(click * (step % 2)))


@pytest.fixture(scope="module")
def schema(feed_schema) -> gw.Schema:
    tasks = [gw.Binary("click"), gw.Regression("stars"), gw.Multiclass("device"), gw.Binary("buy", after="click")]
    return gw.Schema(features=feed_schema.features, tasks=tasks)


@pytest.fixture(scope="module")
def trained(rows, schema) -> gw.Ranker:
    """Return a calibrated ranker with a fusion; tests must not change it."""
    model = gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4])
    ranker = gw.Ranker(schema, model, fusion=FUSION, epochs=2, batch_size=256, lr=0.02)
    return ranker.fit(rows.slice(0, 1500)).calibrate(rows.slice(1500), tasks=["click", "buy"])


def by_hand(predicted: pa.Table) -> np.ndarray:
    at = {name: predicted[name].to_numpy() for name in predicted.column_names}
    with np.errstate(divide="ignore"):
        log = np.where(at["click"] > 0, np.log(at["click"]), -(2.0**100))
    funnel = at["buy_given_click"] / (at["click_and_buy"] + 0.1)
    return log + 2 * at["device[tv]"] ** 0.5 * at["stars"] - funnel


def test_fused_is_made_of_calibrated_predictions_whatever_stands_beside_it(trained, rows):
    plain, calibrated = trained.predict(rows), trained.predict(rows, calibrated=True)
    assert plain.column_names[-1] == calibrated.column_names[-1] == "fused"
    assert plain.schema.field("fused").type == pa.float64()
    np.testing.assert_allclose(calibrated["fused"], by_hand(calibrated), rtol=1e-12)
    assert plain["fused"] == calibrated["fused"]
    assert plain["click"] != calibrated["click"]


def test_without_a_calibration_it_is_made_of_what_the_model_says(make_ranker, feed):
    ranker = make_ranker(epochs=1).fit(feed)
    before = ranker.predict(feed)
    after = ranker.fuse_by("click * stars").predict(feed)
    assert before.column_names == ["click", "stars"]
    assert after.select(["click", "stars"]) == before
    np.testing.assert_allclose(after["fused"], before["click"].to_numpy() * before["stars"].to_numpy(), rtol=1e-12)
    assert ranker.fuse_by(None).predict(feed) == before


def test_a_fresh_process_fuses_the_same(trained, rows, tmp_path):
    trained.save(tmp_path / "model")
    assert json.loads((tmp_path / "model" / "options.json").read_text())["fusion"] == FUSION
    pq.write_table(rows, tmp_path / "rows.parquet")
    script = (
        "import gatewise as gw, pyarrow.parquet as pq\n"
        "pq.write_table(gw.load('model').predict('rows.parquet'), 'predictions.parquet')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert pq.read_table(tmp_path / "predictions.parquet") == trained.predict(rows)
    assert gw.load(tmp_path / "model").options == trained.options


def test_files_get_it_too_and_it_is_not_overwritten(trained, rows, tmp_path):
    source = rows.append_column("fused", pa.array(np.zeros(rows.num_rows)))
    pq.write_table(source, tmp_path / "rows.parquet")
    predict_file(trained.scorer, tmp_path / "rows.parquet", tmp_path / "out.parquet", ["user"])
    written = pq.read_table(tmp_path / "out.parquet")
    assert written.column_names[0] == "user"
    assert written["fused"] == trained.predict(rows)["fused"]
    with pytest.raises(TableError, match="kept column 'fused' has the name of a prediction"):
        predict_file(trained.scorer, tmp_path / "rows.parquet", tmp_path / "out.parquet", ["fused"])


def test_new_values_and_new_weights_leave_the_rest_as_it_is(trained, rows, tmp_path):
    trained.save(tmp_path / "model")
    ranker = gw.load(tmp_path / "model")
    before = ranker.predict(rows)
    ranker.extend_vocabulary(rows.set_column(0, "user", pa.array(np.arange(rows.num_rows))))
    assert ranker.predict(rows) == before
    ranker.fuse_by("2 * click")
    ranker.save(tmp_path / "model")
    moved = gw.load(tmp_path / "model").predict(rows, calibrated=True)
    assert moved["fused"].to_numpy().tolist() == (2 * moved["click"].to_numpy()).tolist()
    assert moved.drop_columns(["fused"]) == trained.predict(rows, calibrated=True).drop_columns(["fused"])


def test_metrics_and_training_know_nothing_of_it(trained, rows, tmp_path):
    trained.save(tmp_path / "model")
    plain = gw.load(tmp_path / "model").fuse_by(None)
    assert plain.evaluate(rows) == trained.evaluate(rows)
    assert "fused" not in trained.evaluate(rows)


def test_a_training_is_resumed_with_another_fusion(feed, make_ranker, feed_schema, tmp_path):
    model = gw.MMoE(experts=3, expert_dims=[8], tower_dims=[4])
    options = {"epochs": 1, "batch_size": 256, "lr": 0.02}
    gw.Ranker(feed_schema, model, fusion="click", **options).fit(feed, run_dir=tmp_path)
    resumed = gw.Ranker(feed_schema, model, fusion="stars", **options).fit(feed, run_dir=tmp_path, resume=True)
    assert resumed.predict(feed)["fused"] == resumed.predict(feed)["stars"]


@pytest.mark.parametrize(
    ("fusion", "complaint"),
    [
        ("clik + stars", "fusion: 'clik' is no prediction; did you mean 'click'?"),
        ("buy", "fusion: 'buy' is no prediction"),
        ("device", "fusion: 'device' is no prediction"),
        ("devices[tv]", "fusion: 'devices[tv]' is no prediction"),
        ("click +", "Options.fusion: expected a number, a name or '(' at character 8, found the end"),
    ],
)
def test_what_is_no_prediction_is_refused_before_tables_are_read(schema, fusion, complaint):
    with pytest.raises(DeclarationError) as caught:
        gw.Ranker(schema, fusion=fusion)
    assert str(caught.value).startswith(complaint)
    assert "\n" not in str(caught.value)


def test_a_class_that_there_is_not_is_refused_before_training(schema, rows):
    with pytest.raises(DeclarationError, match=r"'device\[tvs\]' is no prediction; did you mean 'device\[tv\]'\?"):
        gw.Ranker(schema, fusion="click + device[tvs]", epochs=1).fit(rows)


def test_no_prediction_is_called_like_the_result(feed_schema):
    with pytest.raises(DeclarationError, match="no prediction can be called 'fused'"):
        gw.Schema(features=feed_schema.features, tasks=[gw.Binary("fused", column="click")])


def test_a_fusion_that_does_not_fit_changes_nothing(trained, rows, make_ranker):
    before = trained.predict(rows)
    for wrong in ["clik", "click +", "device[radio]"]:
        with pytest.raises(DeclarationError):
            trained.fuse_by(wrong)
    assert trained.options.fusion == FUSION
    assert trained.predict(rows) == before
    with pytest.raises(GatewiseError, match="is not fitted"):
        make_ranker().fuse_by("click")


@pytest.mark.parametrize("wrong", ["click + clik", "click +", "__import__('os')", "(" * 5000, 3])
def test_an_artefact_with_another_expression_is_refused(trained, tmp_path, wrong):
    import hashlib

    trained.save(tmp_path / "model")
    options = json.loads((tmp_path / "model" / "options.json").read_text())
    text = json.dumps(options | {"fusion": wrong})
    (tmp_path / "model" / "options.json").write_text(text)
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    manifest["files"]["options.json"] = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "bytes": len(text)}
    (tmp_path / "model" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtefactError, match="fusion") as caught:
        gw.load(tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_an_artefact_from_before_fusions_is_read(trained, rows, tmp_path):
    import hashlib

    trained.save(tmp_path / "model")
    options = json.loads((tmp_path / "model" / "options.json").read_text())
    del options["fusion"]
    text = json.dumps(options)
    (tmp_path / "model" / "options.json").write_text(text)
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    manifest["files"]["options.json"] = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "bytes": len(text)}
    (tmp_path / "model" / "manifest.json").write_text(json.dumps(manifest))
    assert gw.load(tmp_path / "model").predict(rows) == trained.predict(rows).drop_columns(["fused"])
