"""What a comparison makes of trainings whose outcome is known: contestants here say what they are told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.errors import DeclarationError
from gatewise.jobs import Comparison, Tables
from gatewise.jobs.comparison import compare_contestants
from gatewise.jobs.contestants import Cost, Learnt

ROWS = 200
SCHEMA = gw.Schema(
    features=[gw.Numeric("x")], tasks=[gw.Binary("click"), gw.Regression("stars", weight_column="trust")], group="user"
)


def rows_of(seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    table = {"x": rng.normal(size=ROWS), "click": rng.integers(0, 2, ROWS), "stars": rng.normal(size=ROWS)}
    return pa.table(table | {"user": np.arange(ROWS) % 20, "trust": np.ones(ROWS), "unused": np.zeros(ROWS)})


TABLES = Tables(rows_of(1), rows_of(2), rows_of(3))
LABELS = {name: TABLES.test[name].to_numpy().astype(float) for name in ("click", "stars")}


@dataclass(frozen=True)
class Told:
    """Predicts labels with noise; its costs and affinities follow from its seed."""

    name: str
    noise: float

    def declared(self) -> float:
        return self.noise

    def learn(self, seed: int, tables: Tables) -> Learnt:
        assert tables.train.exists()
        rng = np.random.default_rng(seed)
        columns = {name: label + self.noise * rng.normal(size=ROWS) for name, label in LABELS.items()}
        columns["click"] = 1 / (1 + np.exp(-columns["click"]))
        cost = Cost([7, 9], 10.0 * (seed + 1), None if self.name == "trees" else 100.0 * (seed + 1), 0.1 * (seed + 1))
        affinity = [[1.0 + seed, 2.0 + seed], [3.0 + seed, None if seed == 4 else 4.0]]
        return Learnt(columns, cost, None if self.name == "alone" else affinity)


def compared(folder: Path, *, first: int = 0, **how: object) -> Comparison:
    options = gw.Ranker(SCHEMA, seed=first).options
    contestants = [Told("alone", 1.0), Told("sharing", 0.3), Told("trees", 3.0)]
    how = {"seeds": 2, "samples": 50, "workers": 1} | how
    return compare_contestants(SCHEMA, options, TABLES, folder, lambda _encoder, _options: contestants, "alone", **how)


def test_verdicts_are_of_all_but_the_one_that_they_are_against(tmp_path: Path):
    found = compared(tmp_path)
    assert found.against == found.to_dict()["against"] == "alone"
    words = {(verdict.contestant, verdict.output): verdict.verdict for verdict in found.verdicts}
    assert words == {(who, task): word for who, word in (("sharing", "helps"), ("trees", "hurts")) for task in LABELS}
    auc = found.metrics["sharing"]["click"]["auc"]
    assert auc.mean == pytest.approx(np.mean(auc.values))
    assert found.seesaw["sharing"]["click"].change == pytest.approx(
        auc.mean - found.metrics["alone"]["click"]["auc"].mean
    )


def test_seeds_begin_with_the_declared_one(tmp_path: Path):
    assert compared(tmp_path, first=5, seeds=3).seeds == (5, 6, 7)


def test_costs_and_affinities_are_means_over_seeds(tmp_path: Path):
    found = compared(tmp_path, seeds=3)
    assert found.cost["sharing"] == Cost([7, 9], pytest.approx(20.0), pytest.approx(200.0), pytest.approx(0.2))
    assert found.cost["trees"].rows_per_second is None
    # [task][task], as every training gave it
    assert found.affinity == {who: [[2.0, 3.0], [4.0, 4.0]] for who in ("sharing", "trees")}


def test_what_one_seed_does_not_know_the_mean_does_not_know(tmp_path: Path):
    assert compared(tmp_path, first=4).affinity["sharing"] == [[5.5, 6.5], [7.5, None]]


def test_the_metrics_that_are_asked_for_get_verdicts_beside_those_that_sum_up(tmp_path: Path):
    found = compared(tmp_path, metrics=["gauc", "rmse", "auc"])
    of_sharing = [verdict for verdict in found.verdicts if verdict.contestant == "sharing"]
    assert [(each.output, each.metric) for each in of_sharing] == [
        ("click", "auc"),
        ("click", "gauc"),
        ("stars", "r2"),
        ("stars", "rmse"),
    ]
    for each in of_sharing:
        assert each.verdict == "helps"
        metric = {who: found.metrics[who][each.output][each.metric].mean for who in ("sharing", "alone")}
        assert each.change == pytest.approx(metric["sharing"] - metric["alone"])
        assert each.low < each.change < each.high
    assert {each.metric for each in found.seesaw["sharing"].values()} == {"auc", "r2"}


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("guac", "no task has a metric 'guac'; did you mean 'gauc'"),
        ("pcoc", "verdicts by 'pcoc': of two values neither is better; take another metric"),
    ],
)
def test_a_metric_that_gives_no_verdict_is_refused_before_anything_is_trained(tmp_path: Path, metric, message):
    with pytest.raises(DeclarationError, match=message):
        compared(tmp_path, metrics=[metric])
    assert not list(tmp_path.iterdir())


def test_tables_are_kept_with_the_columns_that_are_read(tmp_path: Path):
    compared(tmp_path)
    kept = {path.stem: set(pa.parquet.read_table(path).column_names) for path in tmp_path.rglob("tables/*.parquet")}
    read = {"x", "click", "stars", "user"}
    assert kept == {"train": read | {"trust"}, "valid": read, "test": read}
