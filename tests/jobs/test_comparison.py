"""Comparisons of small models on made-up tasks of which is known what sharing does to them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.data import TableEncoder
from gatewise.errors import DeclarationError
from gatewise.jobs import Comparison, Tables, Trees, tuned_trees
from gatewise.jobs.comparison import compare_models
from gatewise.jobs.contestants import Models
from gatewise.jobs.line_up import line_up
from gatewise.jobs.trees import SIZES

DIM, BENDS = 8, 3
SCHEMA = gw.Schema(
    features=[gw.Numeric(f"x{i}") for i in range(DIM)],
    tasks=[gw.Regression("one"), gw.Regression("other"), gw.Regression("scarce")],
)


def rows_of(rows: int, seed: int, known: int) -> pa.Table:
    """Return rows of three tasks: two bend along three directions each and share none, the last is the first again.

    A layer of six units has two for each bend: as much as one task needs. The last task has few labels.
    """
    rng = np.random.default_rng(seed)
    directions, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(DIM, DIM)))
    x = rng.normal(size=(rows, DIM))
    bends = np.abs(x @ directions.T)
    one, other = bends[:, :BENDS].sum(axis=1), bends[:, BENDS : 2 * BENDS].sum(axis=1)
    labels = [task + 0.1 * rng.normal(size=rows) for task in (one, other, one)]
    labels[2] = pa.array(labels[2], mask=np.arange(rows) >= known)
    return pa.table({f"x{i}": x[:, i] for i in range(DIM)} | dict(zip(("one", "other", "scarce"), labels, strict=True)))


TABLES = Tables(rows_of(3000, 1, known=40), rows_of(500, 2, known=500), rows_of(1000, 3, known=1000))


@pytest.fixture
def trained(monkeypatch) -> list[tuple[str, int]]:
    """Return a list of what is trained in this process from now on."""
    made, learn = [], Models.learn

    def noted(self, seed, tables):
        made.append((self.name, seed))
        return learn(self, seed, tables)

    monkeypatch.setattr(Models, "learn", noted)
    return made


def quick(**changes: object) -> gw.declare.Options:
    return gw.Ranker(SCHEMA, gw.MMoE(experts=2, expert_dims=[4], tower_dims=[]), epochs=1, **changes).options


def test_two_tasks_that_oppose_each_other_are_hurt_and_one_that_is_scarce_is_helped(tmp_path: Path):
    training = {"epochs": 30, "batch_size": 128, "lr": 0.02, "patience": None}
    options = gw.Ranker(SCHEMA, gw.SharedBottom(bottom_dims=[6], tower_dims=[]), **training).options
    found = compare_models(SCHEMA, options, TABLES, tmp_path, seeds=2, samples=300, workers=1)
    words = {verdict.output: verdict.verdict for verdict in found.verdicts if verdict.contestant == "SharedBottom"}
    assert words == {"one": "hurts", "other": "hurts", "scarce": "helps"}
    assert json.loads((tmp_path / "comparison.json").read_text()) == json.loads(json.dumps(found.to_dict()))
    changes = found.to_dict()["seesaw"]["SharedBottom"]
    assert changes["one"] < 0 < changes["scarce"]
    # [task][task] in the order of the tasks: a step on the one raises the other, and the other way round
    affinity = found.affinity["SharedBottom"]
    assert affinity[0][1] < 0 > affinity[1][0]
    assert "single task" not in found.affinity


def test_what_was_trained_is_not_trained_again(tmp_path: Path, trained, monkeypatch):
    learn = Models.learn

    def stops(self, seed, tables):
        if len(trained) == 2:
            raise KeyboardInterrupt
        return learn(self, seed, tables)

    with monkeypatch.context() as patch:
        patch.setattr(Models, "learn", stops)
        with pytest.raises(KeyboardInterrupt):
            compare_models(SCHEMA, quick(), TABLES, tmp_path, seeds=2, samples=20, workers=1)
    assert trained == [("MMoE", 0), ("shared bottom", 0)]
    resumed = compare_models(SCHEMA, quick(), TABLES, tmp_path, seeds=2, samples=20, workers=1)
    assert len(trained) == len(set(trained)) == 6
    # more seeds train the new ones alone, and nothing changes of the old
    more = compare_models(SCHEMA, quick(), TABLES, tmp_path, seeds=3, samples=20, workers=1)
    assert {seed for _, seed in trained[6:]} == {2}
    assert more.metrics["MMoE"]["one"]["r2"].values[:2] == resumed.metrics["MMoE"]["one"]["r2"].values
    again = compare_models(SCHEMA, quick(), TABLES, tmp_path / "anew", seeds=2, samples=20, workers=1)
    assert again.verdicts == resumed.verdicts


@pytest.mark.parametrize("change", ["options", "rows"])
def test_another_training_is_no_substitute(tmp_path: Path, trained, change):
    compare_models(SCHEMA, quick(), TABLES, tmp_path, seeds=1, samples=20, workers=1)
    options = quick(lr=0.5) if change == "options" else quick()
    tables = TABLES if change == "options" else Tables(TABLES.train.slice(1), TABLES.valid, TABLES.test)
    compare_models(SCHEMA, options, tables, tmp_path, seeds=1, samples=20, workers=1)
    assert trained == 2 * [("MMoE", 0), ("shared bottom", 0), ("single task", 0)]


def test_a_result_that_is_half_written_does_not_count(tmp_path: Path, trained):
    first = compare_models(SCHEMA, quick(), TABLES, tmp_path, seeds=1, samples=20, workers=1)
    (tmp_path / "compare" / "MMoE" / "0" / "result.json").write_text("{")
    second = compare_models(SCHEMA, quick(), TABLES, tmp_path, seeds=1, samples=20, workers=1)
    assert trained[3:] == [("MMoE", 0)]
    assert second.metrics == first.metrics


def test_processes_side_by_side_find_what_one_finds(tmp_path: Path):
    one, two = (
        compare_models(SCHEMA, quick(), TABLES, tmp_path / str(workers), seeds=1, samples=20, workers=workers)
        for workers in (1, 2)
    )
    assert two.verdicts == one.verdicts
    assert two.metrics == one.metrics


def test_all_have_as_many_parameters():
    schema = gw.Schema(
        features=[gw.Categorical("user", dim=8), gw.Numeric("price")], tasks=[gw.Binary("click"), gw.Binary("like")]
    )
    table = {"user": [1, 2, 3, 4], "price": [1.0, 2.0, 3.0, 4.0], "click": [0, 1, 0, 1], "like": [1, 1, 0, 0]}
    encoder, _ = TableEncoder.fit(schema, table)
    options = gw.Ranker(schema, gw.MMoE(experts=4, expert_dims=[32, 16], dropout=0.1)).options
    found = line_up(schema, options, encoder, ["ple", gw.STEM(expert_dims=[10]), "cross_stitch"])
    sizes = {}
    for contestant in found:
        for part in contestant.parts:
            ranker = gw.Ranker.from_options(part.schema, part.options).fit(table)
            sizes[contestant.name, part.judged] = ranker.scorer.model.num_parameters(embeddings=False)
            assert (part.options.model.tower_dims, part.options.model.dropout) in (((32,), 0.1), ((32,), 0.0))
    assert len(sizes) == 7
    assert max(sizes.values()) / min(sizes.values()) < 1.08


def test_a_step_of_a_funnel_is_judged_with_those_before_it(feed, tmp_path: Path):
    rng = np.random.default_rng(0)
    bought = pa.array((rng.random(feed.num_rows) < 0.5).astype(int))
    table = feed.append_column("buy", bought)
    table = table.filter(pc.is_valid(table["click"]))
    table = table.set_column(table.column_names.index("buy"), "buy", pc.multiply(table["buy"], table["click"]))
    schema = gw.Schema(
        features=[gw.Categorical("user", dim=4)], tasks=[gw.Binary("click"), gw.Binary("buy", after="click")]
    )
    model = gw.MMoE(experts=2, expert_dims=[4], ordered=["click", "buy"])
    options = gw.Ranker(schema, model, epochs=1, monitor="click.auc").options
    tables = Tables(table.slice(0, 1000), table.slice(1000, 400), table.slice(1400))
    found = compare_models(schema, options, tables, tmp_path, seeds=1, samples=20, workers=1)
    outputs = ["click", "buy_given_click", "click_and_buy"]
    assert [verdict.output for verdict in found.verdicts if verdict.contestant == "MMoE"] == outputs
    assert list(found.metrics["single task"]) == outputs


def test_the_face_takes_recipes_and_rankers(tmp_path: Path):
    for name, part in TABLES.parts.items():
        pq.write_table(part, tmp_path / f"{name}.parquet")
    data = gw.declare.Data(train="train.parquet", valid="valid.parquet", test="test.parquet")
    recipe = gw.Recipe(
        data=data,
        features=SCHEMA.features,
        tasks=SCHEMA.tasks,
        model=quick().model,
        training=quick().training,
        output=str(tmp_path / "run"),
    )
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(gw.declare.to_dict(recipe)))
    found = gw.compare(path, seeds=1, samples=20, workers=1)
    assert isinstance(found, Comparison)
    assert (tmp_path / "run" / "comparison.json").exists()
    ranker = gw.Ranker.from_options(SCHEMA, quick())
    assert gw.compare(ranker, *TABLES.parts.values(), seeds=1, samples=20, workers=1).verdicts == found.verdicts


def test_trees_learn_every_task_on_its_own_rows(feed, feed_schema, tmp_path: Path):
    pytest.importorskip("lightgbm")
    options = gw.Ranker(feed_schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1).options
    tables = Tables(feed.slice(0, 1200), feed.slice(1200, 400), feed.slice(1600))
    arguments = {"seeds": 1, "baseline": "lightgbm", "samples": 20, "workers": 1}
    found = compare_models(feed_schema, options, tables, tmp_path, **arguments)
    # what users and items are worth is in their codes; clicks were drawn from it with much noise
    assert found.metrics["LightGBM"]["click"]["auc"].mean > 0.65
    assert found.metrics["LightGBM"]["stars"]["r2"].mean > 0.5
    assert found.cost["LightGBM"].parameters is None
    # what single-task models gain over trees is what trees lose to them, on the same resamples
    assert {verdict.contestant for verdict in found.over_trees} == {"MMoE", "shared bottom", "single task"}
    gained = {verdict.output: verdict for verdict in found.over_trees if verdict.contestant == "single task"}
    for lost in (verdict for verdict in found.verdicts if verdict.contestant == "LightGBM"):
        mirrored = -lost.change, -lost.high, -lost.low
        assert gained[lost.output][3:6] == pytest.approx(mirrored)
    without = compare_models(
        feed_schema, options, Tables(tables.train, None, tables.test), tmp_path / "no valid", **arguments
    )
    assert without.metrics["LightGBM"]["stars"]["r2"].mean > 0.5
    # nothing helps trees, which share nothing
    lost, gained = ([v.verdict for v in of if v.output == "stars"] for of in (without.verdicts, without.over_trees))
    assert lost[-1] == "better"
    assert set(gained) == {"worse"}


def test_tuned_trees_have_the_size_of_the_least_validation_loss(feed, feed_schema):
    pytest.importorskip("lightgbm")
    valid = feed.slice(1200)
    tables = Tables(feed.slice(0, 1200), valid, valid)
    losses = {"click": [], "stars": []}
    for size in SIZES:
        found = Trees(feed_schema, options=dict.fromkeys(losses, size)).learn(0, tables).columns
        clicks, stars = (valid[task].to_numpy() for task in losses)
        losses["click"].append(np.nanmean(_log_loss(clicks, found["click"])))
        losses["stars"].append(np.nanmean(np.square(stars - found["stars"])))
    best = {task: SIZES[int(np.argmin(of_sizes))] for task, of_sizes in losses.items()}
    assert tuned_trees(feed_schema, tables).options == best
    assert all(len(set(of_sizes)) > 1 for of_sizes in losses.values())
    with pytest.raises(DeclarationError, match="tuned_trees: the validation rows decide"):
        tuned_trees(feed_schema, Tables(tables.train, None, None))


def _log_loss(labels: np.ndarray, found: np.ndarray) -> np.ndarray:
    return -np.log(np.where(labels == 1, found, 1 - found)) + 0 * labels


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 0}, "compare: seeds: expected 1 or more, found 0"),
        ({"level": 1.0}, "compare: level: expected a number between 0 and 1, found 1"),
        ({"also": ["plee"]}, "also: .*found 'plee'; did you mean 'ple'"),
        ({"also": ["home"]}, "also: .*groups: is required"),
        ({"baseline": "lightgmb"}, "baseline: expected 'lightgbm', found 'lightgmb'; did you mean 'lightgbm'"),
        ({"metrics": ["rmsee"]}, "no task has a metric 'rmsee'; did you mean 'rmse'"),
    ],
)
def test_mistakes_name_the_option_before_anything_is_trained(tmp_path: Path, trained, options, message):
    with pytest.raises(DeclarationError, match=message):
        compare_models(SCHEMA, quick(), TABLES, tmp_path, **options)
    assert not trained


def test_without_test_rows_there_is_nothing_to_judge_on(tmp_path: Path):
    with pytest.raises(DeclarationError, match="compare: needs test rows"):
        compare_models(SCHEMA, quick(), Tables(TABLES.train, TABLES.valid, None), tmp_path)


@pytest.mark.parametrize("damage", ["cut off predictions", "another number", "no predictions"])
def test_what_is_damaged_is_trained_again(tmp_path: Path, trained, damage):
    first = compare_models(SCHEMA, quick(), TABLES, tmp_path, seeds=1, samples=20, workers=1)
    folder = tmp_path / "compare" / "MMoE" / "0"
    predictions, result = folder / "predictions.parquet", folder / "result.json"
    if damage == "cut off predictions":
        predictions.write_bytes(predictions.read_bytes()[:-100])
    elif damage == "no predictions":
        predictions.unlink()
    else:
        kept = json.loads(result.read_text())
        kept["cost"]["parameters"] = [1]
        result.write_text(json.dumps(kept))
    again = compare_models(SCHEMA, quick(), TABLES, tmp_path, seeds=1, samples=20, workers=1)
    assert trained[3:] == [("MMoE", 0)]
    assert again.metrics == first.metrics
    assert again.cost["MMoE"].parameters == first.cost["MMoE"].parameters
