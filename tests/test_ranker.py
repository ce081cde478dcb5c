"""The ranker's own manners; what it promises about numbers is in test_promises.py."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.errors import ArtefactError, DeclarationError, TableError, TrainingError

BAD_TRAINING_TABLES = [
    ("missing column", lambda t: t.rename_columns({"price": "prices"}), "no column 'price'; did you mean 'prices'?"),
    ("text for a number", lambda t: put(t, "price", ["cheap"] * len(t)), "feature 'price': expected numbers, found"),
    ("a list for a scalar", lambda t: put(t, "item", [["a"]] * len(t)), "feature 'item': expected integers"),
    ("a number for a list", lambda t: put(t, "tags", [1.5] * len(t)), "feature 'tags': expected lists"),
    ("NaN", lambda t: put(t, "price", [np.nan] + [1.0] * (len(t) - 1)), "feature 'price': found nan in row 0"),
    (
        "infinity",
        lambda t: put(t, "price", [1.0] * (len(t) - 1) + [np.inf]),
        f"feature 'price': found inf in row {1999}",
    ),
    ("no labels", lambda t: put(t, "click", pa.nulls(len(t), pa.int64())), "label of task 'click': all 2000 rows"),
    ("one label", lambda t: put(t, "stars", [4.0] * len(t)), "label of task 'stars': is 4 in every row"),
    ("a third class", lambda t: put(t, "click", [0, 2] * (len(t) // 2)), "label of task 'click': found 2 in row 1"),
    (
        "text for a class",
        lambda t: put(t, "click", ["yes", "no"] * (len(t) // 2)),
        "label of task 'click': found strings",
    ),
    ("no rows", lambda t: t.slice(0, 0), "the training table has no rows"),
]


def put(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


@pytest.mark.parametrize(
    ("change", "message"), [row[1:] for row in BAD_TRAINING_TABLES], ids=[r[0] for r in BAD_TRAINING_TABLES]
)
def test_a_bad_training_table_is_one_line_and_leaves_nothing(feed, make_ranker, tmp_path, change, message):
    ranker = make_ranker()
    with pytest.raises(TableError, match=re.escape(message)) as caught:
        ranker.fit(change(feed), run_dir=tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()
    with pytest.raises(gw.GatewiseError, match="not fitted"):
        ranker.predict(feed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epohcs": 3}, r"Training\.epohcs: unknown option; did you mean 'epochs'\?"),
        ({"lr": 0}, r"Training\.lr: .* found 0"),
        ({"balance": "uncertanty"}, r"did you mean 'uncertainty'\?"),
        ({"model": "mmeo"}, r"did you mean 'mmoe'\?"),
        ({"monitor": "clik.auc"}, "no task 'clik'.*did you mean 'click'"),
        ({"monitor": "click.pcoc"}, "neither is better"),
        ({"schema": "recipe.yaml"}, "expected a Schema, found str"),
        ({"schedule": {"kind": "step", "evry": 2}}, r"schedule\.evry: unknown option; did you mean 'every'\?"),
    ],
)
def test_wrong_options_are_refused_at_construction(feed_schema, options, message):
    with pytest.raises(DeclarationError, match=message):
        gw.Ranker(**{"schema": feed_schema, **options})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"device": "cuda:99"}, DeclarationError, "this machine has"),
        ({"lr": 1e30, "clip_norm": None}, TrainingError, "try a lower lr"),
    ],
)
def test_training_that_cannot_work_is_one_clear_error(feed, make_ranker, options, error, message):
    with pytest.raises(error, match=message):
        make_ranker(**options).fit(feed, feed)


def test_a_schedule_that_follows_a_metric_needs_a_validation_table(feed, make_ranker):
    with pytest.raises(DeclarationError, match="'plateau' follows the monitored metric: fit needs a validation table"):
        make_ranker(schedule="plateau").fit(feed)
    make_ranker(schedule="plateau").fit(feed, feed)


def test_what_is_monitored_must_be_defined_on_the_validation_table(feed, make_ranker):
    unlabelled = put(feed, "click", pa.nulls(len(feed), pa.int64()))
    with pytest.raises(TrainingError, match=r"monitor 'click\.auc' is undefined on the validation table"):
        make_ranker(monitor="click.auc").fit(feed, unlabelled)
    # a mean leaves the undefined task out, and says so
    with pytest.warns(gw.GatewiseWarning, match=r"^monitor 'mean': click\.auc undefined on the validation table"):
        make_ranker(monitor="mean").fit(feed, unlabelled)


@pytest.mark.parametrize("kind", ["single_task", "shared_bottom", "omoe", "mmoe"])
@pytest.mark.parametrize("balance", ["static", "uncertainty"])
def test_every_architecture_and_balance_learns(feed, feed_schema, kind, balance):
    ranker = gw.Ranker(feed_schema, kind, balance=balance, epochs=8, batch_size=64, lr=0.01)
    metrics = ranker.fit(feed.slice(0, 1500), feed.slice(1500)).evaluate(feed.slice(1500))
    assert metrics["click"]["auc"] > 0.7
    assert metrics["stars"]["r2"] > 0.5


def test_gates_of_a_trunk_without_gates_is_an_error_that_says_so(feed, make_ranker):
    ranker = make_ranker(model=gw.SharedBottom(bottom_dims=[4]), epochs=1).fit(feed)
    with pytest.raises(gw.GatewiseError, match="SharedBottom has no gates"):
        ranker.gates(feed)


def test_gates_of_no_rows(fitted, feed):
    assert fitted.gates(feed.slice(0, 0), per_row=True).shape == (0, 2, 3)
    with pytest.raises(gw.GatewiseError, match="no rows to average over"):
        fitted.gates(feed.slice(0, 0))


def test_every_kind_of_feature_in_one_model(feed):
    rng = np.random.default_rng(0)
    table = feed.append_column(
        "seen", pa.array([rng.integers(0, 50, rng.integers(0, 5)) + 10_000_000_000 for _ in range(len(feed))])
    )
    table = table.append_column("emb", pa.array(list(rng.normal(size=(len(feed), 3)))))
    schema = gw.Schema(
        features=[
            gw.Categorical("user", dim=4, min_count=3),
            gw.Categorical("item", dim=3, hash_buckets=50),
            gw.Sequence("seen", shares="user", pooling="max", max_length=3),
            gw.Sequence("tags", dim=2, pooling="sum"),
            gw.Numeric("price", transform="bucket", buckets=5, dim=2),
            gw.Numeric("when", transform="quantile"),
            gw.Vector("emb", size=3),
        ],
        tasks=[gw.Binary("click"), gw.Regression("stars", weight=0.5)],
    )
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[8], gate_dims=[4], norm="layer"), epochs=2, lr=0.01)
    ranker.fit(table)
    assert ranker.predict(table).num_rows == len(feed)
    assert ranker.scorer.model.input_layer.output_dim == 4 + 3 + 2 + 4 + 2 + 1 + 3


def test_a_checkpoint_of_another_training_is_refused(feed, make_ranker, tmp_path):
    make_ranker(epochs=1).fit(feed, run_dir=tmp_path)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    for other, table in ((make_ranker(lr=0.5), feed), (make_ranker(), feed.slice(1))):
        with pytest.raises(ArtefactError, match="belongs to another training"):
            other.fit(table, run_dir=tmp_path, resume=True)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_more_epochs_can_be_added_to_a_finished_training(feed, make_ranker, tmp_path):
    make_ranker(epochs=2).fit(feed, run_dir=tmp_path)
    longer = make_ranker(epochs=4).fit(feed, run_dir=tmp_path, resume=True)
    assert longer.predict(feed) == make_ranker(epochs=4).fit(feed).predict(feed)
    assert [json.loads(line)["epoch"] for line in (tmp_path / "history.jsonl").read_text().splitlines()] == [1, 2, 3, 4]


def test_single_task_schemas(feed, feed_schema, make_ranker):
    ranker = make_ranker(feed_schema.only("stars"), epochs=1).fit(feed)
    assert ranker.predict(feed).column_names == ["stars"]


def test_row_weights_steer_learning_and_are_not_needed_after_it(feed, feed_schema, make_ranker):
    weighted = gw.Schema(features=feed_schema.features, tasks=[gw.Binary("click", weight_column="w")])
    table = feed.append_column("w", pa.array(np.arange(len(feed)) % 3))
    ranker = make_ranker(weighted).fit(table, feed)
    assert ranker.evaluate(table) == ranker.evaluate(feed)
    assert ranker.predict(feed) != make_ranker(feed_schema.only("click")).fit(feed).predict(feed)


def test_a_balancing_rule_needs_its_extra_to_train_alone(feed, feed_schema, tmp_path, monkeypatch):
    model = gw.MMoE(experts=2, expert_dims=[4])
    ranker = gw.Ranker(feed_schema, model, balance="upgrad", epochs=1, batch_size=500, lr=0.01).fit(feed)
    ranker.save(tmp_path / "model")
    monkeypatch.setitem(sys.modules, "torchjd", None)
    loaded = gw.load(tmp_path / "model")
    assert loaded.predict(feed) == ranker.predict(feed)
    with pytest.raises(gw.GatewiseError, match=r"balancing by UPGrad needs .*'gatewise\[balance\]'"):
        loaded.fit(feed)
