"""Trees: what they read, when they stop, and that each task has its own rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise.analysis import summary_of
from gatewise.assembly import build_tasks, to_tensors
from gatewise.data import TableEncoder
from gatewise.errors import DeclarationError
from gatewise.jobs import Tables
from gatewise.jobs.trees import LONGEST, WITHOUT_VALIDATION, Labelled, LabelledRows, Trees, _grown, columns
from gatewise.tasks import Predicted

pytest.importorskip("lightgbm")


def test_they_read_codes_numbers_and_a_column_for_each_value_of_a_short_list():
    schema = gw.Schema(
        features=[gw.Categorical("tab"), gw.Numeric("age"), gw.Sequence("tags"), gw.Sequence("long")],
        tasks=[gw.Binary("click")],
    )
    long = [list(range(LONGEST)), [0], [0]]
    train = {"tab": ["a", "b", "a"], "age": [1.0, 2.0, 3.0], "tags": [[7], [8, 7], []], "long": long}
    encoder, encoded = TableEncoder.fit(schema, pa.table(train | {"click": [0, 1, 0]}))
    test = pa.table({"tab": ["b", None, "c"], "age": [2.0, 1.0, 3.0], "tags": [[9, 8], [7], None], "long": long})
    found = columns(encoder, encoder.encode(test, labels=False))
    b = encoded.ids[1, 0]
    seven, eight = encoded.lists[0].values[[0, 1]]
    tags = np.zeros((3, 4))
    # unknown values share a column, null has none
    tags[0, 0] = tags[0, eight] = tags[1, seven] = tags[2, 1] = 1
    ages = encoder.encode(test, labels=False).floats
    np.testing.assert_array_equal(found, np.column_stack([[b, np.nan, 0], ages, tags]))
    assert len(np.unique(ages)) == 3


def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 40, rows)
    worth = np.random.default_rng(9).normal(size=40)
    return np.column_stack([code, rng.normal(size=rows)]).astype(float), worth[code] + 0.1 * rng.normal(size=rows)


def grown(held_out: tuple[np.ndarray, np.ndarray] | None, seed: int = 0, binary: bool = False):
    x, y = drawn(2000, 0)
    task = gw.Binary("y") if binary else gw.Regression("y")
    labels = (y > 0).astype(float) if binary else y
    schema = gw.Schema(features=[gw.Categorical("code"), gw.Numeric("noise")], tasks=[task])
    encoder, _ = TableEncoder.fit(schema, {"code": x[:, 0].astype(int), "noise": x[:, 1], "y": labels})
    others = None if held_out is None else Labelled(held_out[0], {"y": held_out[1]})
    (built,) = build_tasks(schema, encoder.statistics)
    return _grown(built, "y", LabelledRows(encoder, [built], Labelled(x, {"y": labels}), others), {}, seed)


def test_they_stop_where_the_validation_rows_say():
    x, y = drawn(500, 1)
    assert grown((x, y)).best_iteration > 50
    # where what is learnt is wrong, one tree is too many
    assert grown((x, -y)).best_iteration < 5
    assert grown(None).num_trees() == WITHOUT_VALIDATION


def test_codes_are_categories_and_the_seed_counts():
    first, again, other = (grown(None, seed) for seed in (0, 0, 1))
    kinds = {(node["split_feature"], node["decision_type"]) for node in splits(first.dump_model())}
    assert (0, "==") in kinds
    assert (0, "<=") not in kinds
    x, _ = drawn(100, 2)
    assert np.array_equal(first.predict(x), again.predict(x))
    assert not np.array_equal(first.predict(x), other.predict(x))


def splits(model: dict) -> list[dict]:
    """Return all inner nodes."""
    found, left = [], [tree["tree_structure"] for tree in model["tree_info"]]
    while left:
        node = left.pop()
        if "split_feature" in node:
            found.append(node)
            left += [node["left_child"], node["right_child"]]
    return found


def test_binary_tasks_get_probabilities():
    x, _ = drawn(500, 1)
    found = grown(None, binary=True).predict(x)
    assert 0 < found.min() < 0.05 < 0.95 < found.max() < 1


def test_rows_without_a_label_teach_nothing():
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Regression("y"), gw.Regression("z")])
    x = np.random.default_rng(0).normal(size=400)
    # what the other task's rows would say of y is wrong
    own = np.arange(400) < 200
    y, z = pa.array(x, mask=~own), pa.array(-x, mask=own)
    train = pa.table({"x": x, "y": y, "z": z})
    test = pa.table({"x": [-1.0, 1.0], "y": [0.0, 0.0], "z": [0.0, 0.0]})
    found = Trees(schema).learn(0, Tables(train, None, test)).columns
    assert found["y"] == pytest.approx([-1, 1], abs=0.2)
    assert found["z"] == pytest.approx([1, -1], abs=0.2)


EVERY_KIND = [
    gw.Binary("click"),
    gw.Binary("buy", after="click"),
    gw.Binary("like", ranking="listwise"),
    gw.Regression("price"),
    gw.Regression("middle", loss="mae"),
    gw.Regression("high", loss="quantile", quantile=0.9),
    gw.Multiclass("device"),
    gw.Ordinal("stars"),
    gw.Count("visits"),
    gw.Count("spent", loss="tweedie"),
    gw.LifetimeValue("revenue"),
    gw.Duration("watched", limit="length"),
]


def every_kind(rows: int = 1500) -> dict[str, np.ndarray]:
    """Return rows in which one number says something about each label."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, rows)
    click = (x + 0.3 * rng.normal(size=rows) > 0).astype(int)
    level = np.clip(np.round(3 + 2 * x + 0.3 * rng.normal(size=rows)), 1, 5)
    return {
        "x": x,
        "request": rng.integers(0, 200, rows),
        "click": click,
        "buy": click * (x > 0.5),
        "like": (x > 0.2).astype(int),
        "price": 100 * x,
        "middle": x + rng.exponential(1, rows),
        "high": x + rng.exponential(1, rows),
        "device": np.where(x > 0.4, "tv", np.where(x > -0.3, "web", "app")),
        "stars": level,
        "visits": rng.poisson(np.exp(1 + x)),
        "spent": np.where(x > 0, rng.gamma(2, np.exp(x)), 0.0),
        "revenue": np.where(rng.random(rows) < 0.5 + x / 3, rng.lognormal(x, 0.3), 0.0),
        "length": np.full(rows, 30.0),
        "watched": np.exp(2 + x + 0.2 * rng.normal(size=rows)),
    }


def test_every_kind_of_task_is_learnt_and_judged_as_its_own():
    table = pa.table(every_kind())
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=EVERY_KIND, group="request")
    trees = Trees(schema)
    trees.check()
    tables = Tables(table.slice(0, 900), table.slice(900, 300), table.slice(1200))
    learnt = trees.learn(0, tables)
    encoder, _ = TableEncoder.fit(schema, tables.train)
    tasks = build_tasks(schema, encoder.statistics)
    labels = to_tensors(encoder.encode(tables.test), sum(task.num_labels for task in tasks)).labels
    columns = {name: torch.from_numpy(np.ascontiguousarray(column)) for name, column in learnt.columns.items()}
    found = Predicted(tasks, columns, labels).evaluate()
    least = {"auc": 0.9, "r2": 0.8, "spearman": 0.5, "gini": 0.3, "macro_auc": 0.95}
    # much of these labels is chance
    least_of = {"middle": 0.2, "high": 0.2, "revenue[>0]": 0.55}
    for task in tasks:
        for output in task.outputs:
            metric = summary_of(task, output).name
            assert found[output][metric] > least_of.get(output, least[metric]), output
    # the quantile is above nine tenths of the labels
    high = table.slice(1200)["high"].to_numpy()
    assert 0.85 < (high <= learnt.columns["high"]).mean() < 0.95
    assert set(learnt.columns) == {column for task in tasks for column in task.columns}


def test_watch_times_are_learnt_as_logarithms_and_their_total_is_met():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 3000)
    # some times are a thousand times as long as others: squared errors would see nothing else
    table = pa.table({"x": x, "play": 1000 * np.exp(2 * x + rng.normal(size=3000))})
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Duration("play", unit=1000.0)])
    tables = Tables(table.slice(0, 1500), table.slice(1500, 500), table.slice(2000))
    found, labels = Trees(schema).learn(0, tables).columns["play"], tables.test["play"].to_numpy()
    assert found.sum() == pytest.approx(labels.sum(), rel=0.1)
    assert np.corrcoef(np.log(found), x[2000:])[0, 1] > 0.97
    assert (found >= 0).all()
    # in the unit of the label
    hours = table.set_column(1, "play", pa.array(table["play"].to_numpy() / 3600))
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Duration("play", unit=1000.0 / 3600)])
    parts = Tables(hours.slice(0, 1500), hours.slice(1500, 500), hours.slice(2000))
    assert Trees(schema).learn(0, parts).columns["play"] * 3600 == pytest.approx(found, rel=1e-3)


def test_a_kind_of_ones_own_has_no_loss_that_trees_know():
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Binary("click"), gw.Custom("own", by="nobodys")])
    with pytest.raises(DeclarationError):
        Trees(schema).check()


@pytest.mark.parametrize("kept", [0.1, "share"])
def test_negatives_that_were_dropped_count(kept):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 20_000)
    click = rng.random(20_000) < np.where(x > 0, 0.1, 0.03)
    buy = click & (rng.random(20_000) < 0.4)
    there = click | (rng.random(20_000) < 0.1)
    table = {"x": x, "click": click.astype(int), "buy": buy.astype(int), "share": np.full(20_000, 0.1)}
    everything = pa.table(table)
    table = everything.filter(pa.array(there))
    steps = [] if isinstance(kept, str) else [gw.Binary("buy", after="click")]
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Binary("click", negatives_kept=kept), *steps])
    found = Trees(schema).learn(0, Tables(table.slice(0, 1800), table.slice(1800), everything)).columns
    high = x > 0
    for output, rate in {"click": 1.0, "click_and_buy": 0.4}.items():
        if output in found:
            # without the correction it is five times as much
            assert found[output].mean() == pytest.approx(0.065 * rate, rel=0.15)
            assert found[output][high].mean() > 1.5 * found[output][~high].mean()
    if steps:
        # the step itself lost no row
        assert found["buy_given_click"].mean() == pytest.approx(0.4, abs=0.05)
