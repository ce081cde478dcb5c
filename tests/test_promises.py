"""What a user can check, through the ranker alone: the promises of docs/architecture.md, by their numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch
from scipy import stats

import gatewise as gw
from gatewise import preparing
from gatewise.nn import Vectors
from sklearn import metrics as sk


def rows_with(table: pa.Table, column: str) -> pa.Table:
    return table.filter(table[column].is_valid())


def changed(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def parameters(ranker: gw.Ranker) -> dict[str, torch.Tensor]:
    return ranker.scorer.model.state_dict()


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# 1: metrics are named, per task, over the whole pass


def test_metrics_are_scikit_learns_on_each_tasks_own_rows(fitted, feed):
    found = fitted.evaluate(feed)
    clicks, stars = rows_with(feed, "click"), rows_with(feed, "stars")
    y, p = clicks["click"].to_numpy(), fitted.predict(clicks)["click"].to_numpy()
    r, s = stars["stars"].to_numpy(), fitted.predict(stars)["stars"].to_numpy()
    assert found["click"] == pytest.approx(
        {
            "auc": sk.roc_auc_score(y, p),
            "log_loss": sk.log_loss(y, p),
            "pr_auc": sk.average_precision_score(y, p),
            "pcoc": p.sum() / y.sum(),
            "brier": sk.brier_score_loss(y, p),
            "normalised_entropy": sk.log_loss(y, p) / sk.log_loss(y, np.full(len(y), y.mean())),
            "ece": found["click"]["ece"],  # scikit-learn has none: held to a hand-made one in tests/metrics
        },
        abs=1e-6,
    )
    assert found["stars"] == pytest.approx(
        {
            "rmse": sk.root_mean_squared_error(r, s),
            "mae": sk.mean_absolute_error(r, s),
            "r2": sk.r2_score(r, s),
            "spearman": stats.spearmanr(r, s).statistic,
        },
        abs=1e-6,
    )
    assert found["click"]["auc"] > 0.7
    assert found["stars"]["r2"] > 0.3


def test_metrics_do_not_depend_on_the_evaluation_batch_size(fitted, feed, monkeypatch):
    expected = fitted.evaluate(feed)
    score = fitted.scorer.model.score
    monkeypatch.setattr(fitted.scorer.model, "score", lambda table, **options: score(table, batch_size=7, **options))
    found = fitted.evaluate(feed)
    assert {t: pytest.approx(m, abs=1e-6) for t, m in expected.items()} == found


def test_metrics_do_not_depend_on_the_order_of_tasks(feed, feed_schema, make_ranker):
    turned = gw.Schema(features=feed_schema.features, tasks=feed_schema.tasks[::-1])
    a, b = make_ranker(epochs=1).fit(feed), make_ranker(turned, epochs=1).fit(feed)
    assert list(a.evaluate(feed)) == ["click", "stars"]
    assert list(b.evaluate(feed)) == ["stars", "click"]
    assert b.evaluate(feed)["click"].keys() == a.evaluate(feed)["click"].keys()
    assert b.evaluate(feed)["stars"]["rmse"] == pytest.approx(
        sk.root_mean_squared_error(
            rows_with(feed, "stars")["stars"], b.predict(rows_with(feed, "stars"))["stars"].to_numpy()
        ),
        abs=1e-6,
    )


def test_a_metric_of_one_class_is_undefined_and_the_other_task_is_not_touched(fitted, feed):
    clicked = feed.filter(pc.equal(feed["click"], 1))
    found = fitted.evaluate(clicked)
    assert found["click"]["auc"] is None
    assert found["click"]["log_loss"] > 0
    assert all(value is not None for value in found["stars"].values())


def test_no_labelled_row_leaves_every_metric_undefined(fitted, feed):
    empty = changed(feed, "stars", pa.nulls(feed.num_rows, pa.float64()))
    assert fitted.evaluate(empty)["stars"] == {"rmse": None, "mae": None, "r2": None, "spearman": None}


# 2: a missing label changes nothing, whatever stands there


def test_garbage_under_a_zero_weight_changes_no_parameter(feed, feed_schema, make_ranker):
    rng = np.random.default_rng(0)
    weight = (rng.random(feed.num_rows) < 0.5).astype(float)
    schema = gw.Schema(
        features=feed_schema.features, tasks=[gw.Binary("click"), gw.Regression("stars", weight_column="w")]
    )
    stars = feed["stars"].fill_null(3.0).to_numpy()
    base = feed.append_column("w", pa.array(weight))
    # the label's mean and deviation come from all rows: swap the masked labels among themselves
    masked = np.flatnonzero(weight == 0)
    swapped = stars.copy()
    swapped[masked] = stars[rng.permutation(masked)]
    a = make_ranker(schema).fit(changed(base, "stars", stars))
    b = make_ranker(schema).fit(changed(base, "stars", swapped))
    assert not np.array_equal(stars, swapped)
    assert same(parameters(a), parameters(b))


def test_a_null_label_and_a_nan_label_are_the_same(feed, make_ranker):
    stars = feed["stars"].to_numpy()
    assert np.isnan(stars).any()
    a, b = make_ranker().fit(feed), make_ranker().fit(changed(feed, "stars", stars))
    assert same(parameters(a), parameters(b))


def test_a_batch_without_any_label_is_safe(feed, make_ranker):
    click = np.where(np.arange(feed.num_rows) < 64, feed["click"].fill_null(0).to_numpy(), np.nan)
    stars = np.where(np.arange(feed.num_rows) < 64, feed["stars"].fill_null(3).to_numpy(), np.nan)
    table = changed(changed(feed, "click", click), "stars", stars)
    ranker = make_ranker(balance="uncertainty", batch_size=8).fit(table)
    assert all(value.isfinite().all() for value in parameters(ranker).values())


# 3: a label among the features is an error


def test_a_label_among_the_features_is_an_error():
    with pytest.raises(gw.GatewiseError, match=r"feature 'stars' reads 'stars', which is the label of task 'stars'"):
        gw.Schema(features=[gw.Numeric("stars")], tasks=[gw.Regression("stars")])


# 4: weights and units


def test_labels_a_thousand_times_larger_leave_the_other_task_alone(feed, make_ranker):
    larger = changed(feed, "stars", pc.multiply(feed["stars"], 1000.0))
    a, b = make_ranker().fit(feed), make_ranker().fit(larger)
    np.testing.assert_allclose(b.predict(feed)["click"], a.predict(feed)["click"], atol=1e-4)
    np.testing.assert_allclose(b.predict(feed)["stars"], 1000 * a.predict(feed)["stars"].to_numpy(), rtol=1e-3)


def test_raw_and_weighted_losses_are_both_in_the_history(fitted):
    for record in fitted.history:
        for values in record.train.values():
            assert values["weighted_loss"] == pytest.approx(values["loss"] * values["weight"], rel=1e-5)


# 5: the best epoch's weights come back


@pytest.mark.parametrize("monitor", ["click.auc", "stars.rmse", "mean"])
@pytest.mark.parametrize("patience", [None, 1])
def test_the_best_epochs_weights_come_back(feed, make_ranker, monitor, patience):
    train, valid = feed.slice(0, 300), feed.slice(1500)
    ranker = make_ranker(epochs=8, lr=0.1, batch_size=32, monitor=monitor, patience=patience).fit(train, valid)
    kept = ranker.evaluate(valid)
    if monitor == "mean":
        scores = [(r.valid["click"]["auc"] + r.valid["stars"]["r2"]) / 2 for r in ranker.history]
        best, score = max(scores), (kept["click"]["auc"] + kept["stars"]["r2"]) / 2
    else:
        task, metric = monitor.split(".")
        values = [record.valid[task][metric] for record in ranker.history]
        best, score = (min if metric == "rmse" else max)(values), kept[task][metric]
    assert score == pytest.approx(best, abs=1e-9)
    # the case is one that overfits: the last epoch is not the best
    assert not ranker.history[-1].best
    assert len(ranker.history) < 8 if patience else len(ranker.history) == 8


# 6: gates


def test_gates_sum_to_one_and_their_mean_is_the_mean_of_rows(fitted, feed):
    rows = fitted.gates(feed, per_row=True)
    assert rows.shape == (feed.num_rows, 2, 3)
    np.testing.assert_allclose(rows.sum(axis=2), 1, atol=1e-6)
    np.testing.assert_allclose(fitted.gates(feed), rows.mean(axis=0), atol=1e-6)


def test_experts_differ_before_training(make_ranker, feed):
    weight = make_ranker(epochs=1, lr=1e-12).fit(feed).scorer.model.trunk.levels[0].experts.mlp.layers[0].weight
    assert not torch.equal(weight[0], weight[1])


def test_a_collapsed_gate_and_its_dead_experts_warn(feed, make_ranker):
    ranker = make_ranker(epochs=1, lr=1e-12)
    build = preparing.build_model

    def collapsed(*args, **options):
        model = build(*args, **options)
        with torch.no_grad():
            # the experts' preferences follow a float column that is large on every row
            model.trunk.levels[0].gates.linear.weight.zero_()
            model.trunk.levels[0].gates.linear.weight[0, 1, -1] = 1e6
            model.input_layer.register_forward_hook(
                lambda _, __, found: Vectors(torch.cat([found.x[:, :-1], torch.ones(len(found.x), 1)], 1))
            )
        return model

    preparing.build_model = collapsed
    try:
        with pytest.warns(gw.GatewiseWarning, match="gate of task 'click' has collapsed.*expert 1"):
            ranker.fit(feed)
    finally:
        preparing.build_model = build


# 7: same seed, same numbers; resuming is in tests/training


def test_same_seed_same_numbers(feed, make_ranker):
    model = gw.MMoE(experts=3, expert_dims=[8], dropout=0.2)
    runs = [make_ranker(model=model, seed=seed).fit(feed).predict(feed) for seed in (3, 3, 4)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_fitting_leaves_the_callers_random_state_alone(feed, make_ranker):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    make_ranker(epochs=1).fit(feed)
    assert torch.equal(torch.rand(3), expected)


# 8: unseen and null values, exact ids


def test_unseen_and_null_values_have_their_own_rows_and_large_ids_differ(fitted, feed):
    one = feed.slice(0, 1)
    ids = [10_000_000_000 + 500, 10_000_000_000 + 501, None]
    unseen_a, unseen_b, null = (fitted.predict(changed(one, "user", pa.array([i], pa.int64()))) for i in ids)
    assert unseen_a == unseen_b
    assert unseen_a != fitted.predict(one)
    assert null["click"][0].as_py() is not None


def test_neighbouring_ids_beyond_float32_differ():
    schema = gw.Schema(features=[gw.Categorical("id", dim=2)], tasks=[gw.Binary("y")])
    table = {"id": [16_777_216, 16_777_217] * 100, "y": [0, 1] * 100}
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=30, batch_size=20, lr=0.05).fit(table)
    low, high = ranker.predict({"id": [16_777_216, 16_777_217]})["y"].to_pylist()
    assert low < 0.2 < 0.8 < high


def test_new_values_can_be_added_without_changing_a_prediction(feed, make_ranker):
    ranker = make_ranker().fit(feed)
    new = changed(feed, "user", pa.array(np.arange(feed.num_rows) % 60 + 10_000_000_000))
    before = ranker.predict(feed), ranker.predict(new)
    rows = ranker.scorer.model.input_layer.tables.fields[0].rows
    assert ranker.extend_vocabulary(new) == {"user": 20, "item": 0, "tags": 0}
    assert ranker.scorer.model.input_layer.tables.fields[0].rows == rows + 20
    assert (ranker.predict(feed), ranker.predict(new)) == before


# 9: the artefact in a fresh process


def test_a_fresh_process_predicts_the_same(fitted, feed, tmp_path: Path):
    fitted.save(tmp_path / "model")
    pq.write_table(feed, tmp_path / "feed.parquet")
    script = (
        "import sys, gatewise, pyarrow.parquet as pq\n"
        "pq.write_table(gatewise.load(sys.argv[1]).predict(sys.argv[2]), sys.argv[3])\n"
    )
    paths = [str(tmp_path / name) for name in ("model", "feed.parquet", "out.parquet")]
    subprocess.run([sys.executable, "-c", script, *paths], check=True, cwd=tmp_path)
    found, expected = pq.read_table(paths[2]), fitted.predict(feed)
    for task in ("click", "stars"):
        np.testing.assert_allclose(found[task], expected[task], atol=1e-6)


# 10: odd batches


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_a_last_batch_of_one_row_trains(feed, make_ranker, norm):
    model = gw.MMoE(experts=2, expert_dims=[4], norm=norm)
    ranker = make_ranker(model=model, batch_size=100).fit(feed.slice(0, 1201))
    assert all(value.isfinite().all() for value in parameters(ranker).values())


def test_rows_do_not_see_each_other(fitted, feed):
    # a row beside longer lists is padded, and must not notice
    alone = pa.concat_tables([fitted.predict(feed.slice(i, 1)) for i in range(20)])
    together = fitted.predict(feed.slice(0, 20))
    for task in ("click", "stars"):
        np.testing.assert_allclose(alone[task], together[task], atol=1e-6)
