from __future__ import annotations

import statistics

import pytest
import torch

from gatewise import Binary, Categorical, Regression, Schema
from gatewise.analysis import Cut, Verdict, seesaw, spreads, verdicts, verdicts_by_slice
from gatewise.assembly import build_tasks
from gatewise.errors import DeclarationError
from gatewise.metrics import auc, bootstrap_difference, bootstrap_mean_difference, gauc, log_loss, r2
from gatewise.tasks import Predicted

ROWS = 400
SCHEMA = Schema(features=[Categorical("user")], tasks=[Binary("click"), Regression("stars")])
LABELS = torch.stack([torch.arange(ROWS) % 3 == 0, torch.arange(ROWS) % 7 - 3], dim=1).double()


def predicted(noise: float, seed: int, groups: torch.Tensor | None = None) -> Predicted:
    """Return labels with noise as predictions of both tasks; those of stars with the inverse of the noise."""
    drawn = torch.randn(ROWS, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    columns = {"click": LABELS[:, 0] + noise * drawn[:, 0], "stars": LABELS[:, 1] + drawn[:, 1] / noise}
    return Predicted(build_tasks(SCHEMA), columns, LABELS, groups)


def by_output(found: list[Verdict], contestant: str) -> dict[str, Verdict]:
    return {verdict.output: verdict for verdict in found if verdict.contestant == contestant}


def test_better_helps_worse_hurts_and_the_same_is_no_evidence():
    # less noise in clicks is more in stars
    trained = {
        "alone": [predicted(1.0, 1), predicted(1.0, 2)],
        "sharing": [predicted(0.3, 3), predicted(0.3, 4)],
        "another": [predicted(1.0, 5), predicted(1.0, 6)],
    }
    found = verdicts(trained, "alone", samples=200)
    words = {who: {o: v.verdict for o, v in by_output(found, who).items()} for who in ("sharing", "another")}
    assert words["sharing"] == {"click": "helps", "stars": "hurts"}
    assert words["another"] == {"click": "no evidence", "stars": "no evidence"}
    assert [verdict.metric for verdict in seesaw(found)["sharing"].values()] == ["auc", "r2"]


def test_a_lower_error_helps():
    trained = {"alone": [predicted(1.0, 1)], "sharing": [predicted(3.0, 2)]}
    stars = [verdict for verdict in verdicts(trained, "alone", ["rmse"], samples=100) if verdict.output == "stars"]
    assert [(verdict.metric, verdict.verdict) for verdict in stars] == [("r2", "helps"), ("rmse", "helps")]
    assert stars[0].change > 0 > stars[1].change
    # changes of other metrics are not in the plot, which has one per task
    assert seesaw(stars)["sharing"]["stars"].metric == "r2"


def test_change_is_the_mean_of_the_differences_with_each_seed():
    alone, sharing = [predicted(1.0, 1), predicted(1.0, 2)], [predicted(0.5, 3), predicted(0.7, 4)]
    click = by_output(verdicts({"alone": alone, "sharing": sharing}, "alone", samples=50), "sharing")["click"]
    expected = [
        auc(LABELS[:, 0], ours.columns["click"]) - auc(LABELS[:, 0], theirs.columns["click"])
        for ours, theirs in zip(sharing, alone, strict=True)
    ]
    assert click.by_seed == pytest.approx(expected)
    assert click.change == pytest.approx(statistics.mean(expected))
    assert click.low < click.change < click.high


def test_rows_of_a_group_are_drawn_together():
    def width(groups):
        trained = {"alone": [predicted(1.0, 1, groups)], "sharing": [predicted(0.9, 2, groups)]}
        click = by_output(verdicts(trained, "alone", samples=300), "sharing")["click"]
        return click.high - click.low

    # pairs of equal rows: half as many independent ones
    half = ROWS // 2
    pairs = torch.arange(ROWS) % half
    assert width(torch.arange(ROWS)) == pytest.approx(width(None), rel=0.3)
    assert width(pairs) != width(None)
    # rows of no group are drawn one by one
    assert width(torch.full((ROWS,), -1)) == pytest.approx(width(None), rel=0.3)


def test_a_metric_without_a_better_side_gives_no_verdict():
    trained = {"alone": [predicted(1.0, 1)], "sharing": [predicted(0.9, 2)]}
    with pytest.raises(DeclarationError, match="'pcoc': of two values neither is better"):
        verdicts(trained, "alone", ["pcoc"], samples=10)
    with pytest.raises(DeclarationError, match="no task has a metric 'acu'; did you mean 'auc'"):
        verdicts(trained, "alone", ["acu"], samples=10)


def test_spreads_are_mean_and_standard_deviation_over_seeds():
    found = spreads([{"click": {"auc": 0.7, "ece": None}}, {"click": {"auc": 0.8, "ece": 0.1}}])["click"]
    assert found["auc"] == (pytest.approx(0.75), pytest.approx(statistics.stdev([0.7, 0.8])), [0.7, 0.8])
    assert found["ece"] == (None, None, [None, 0.1])
    assert spreads([{"click": {"auc": 0.7}}])["click"]["auc"] == (0.7, None, [0.7])


def test_one_seed_gives_the_interval_of_two_models():
    ours, theirs = predicted(0.5, 1).columns["stars"], predicted(0.6, 2).columns["stars"]
    one = bootstrap_difference(r2, LABELS[:, 1], ours, theirs, samples=50)
    assert bootstrap_mean_difference(r2, LABELS[:, 1], [ours], [theirs], samples=50) == one


def test_a_mean_of_seeds_is_taken_on_each_resample():
    sides = [[predicted(noise, seed).columns["stars"] for seed in range(3)] for noise in (0.5, 0.6)]
    found = bootstrap_mean_difference(r2, LABELS[:, 1], *sides, samples=1, seed=7)
    drawn = torch.randint(ROWS, (ROWS,), generator=torch.Generator().manual_seed(7))
    means = [statistics.mean(r2(LABELS[drawn, 1], each[drawn]) for each in side) for side in sides]
    assert found.low == found.high == pytest.approx(means[0] - means[1])


def test_metrics_within_groups_leave_out_rows_of_no_group_and_tables_without_groups():
    tasks = build_tasks(Schema(features=list(SCHEMA.features), tasks=list(SCHEMA.tasks), group="user"))

    def compared(groups):
        sides = [
            Predicted(tasks, predicted(noise, seed).columns, LABELS, groups) for noise, seed in ((1.0, 1), (0.5, 2))
        ]
        return sides, verdicts({"alone": sides[:1], "sharing": sides[1:]}, "alone", ["gauc"], samples=20)

    # every sixth row has no group, and the others have ten rows each
    groups = torch.where(torch.arange(ROWS) % 6 == 5, -1, torch.arange(ROWS) // 10)
    known = groups >= 0
    sides, found = compared(groups)
    alone, sharing = (gauc(LABELS[known, 0], side.columns["click"][known], groups[known]).value for side in sides)
    assert [each.change for each in found if each.metric == "gauc"] == [pytest.approx(sharing - alone)]
    assert {each.metric for each in compared(None)[1]} == {"auc", "r2"}


def test_sharing_that_helps_some_rows_alone_is_found_there():
    first, second = slice(0, ROWS // 2), slice(ROWS // 2, ROWS)
    alone, sharing = predicted(1.0, 1), predicted(1.0, 2)
    sharing.columns["click"][first] = predicted(0.2, 3).columns["click"][first]
    found = verdicts_by_slice(
        {"alone": [alone], "sharing": [sharing]},
        "alone",
        [Cut("age", "young", first), Cut("age", "old", second)],
        samples=200,
    )
    assert [(each.verdict.output, each.value, each.rows) for each in found] == [
        (output, value, ROWS // 2) for output in ("click", "stars") for value in ("young", "old")
    ]
    assert [each.verdict.verdict for each in found] == ["helps"] + ["no evidence"] * 3
    # what is said of a slice is what is said of its rows alone
    young = verdicts({"alone": [alone.rows(first)], "sharing": [sharing.rows(first)]}, "alone", samples=200)
    assert [each.verdict for each in found if each.value == "young"] == young


def test_dropped_negatives_count_in_verdicts():
    schema = Schema(features=[Categorical("user")], tasks=[Binary("click", negatives_kept=0.1)])
    thinned = Schema(features=[Categorical("user")], tasks=[Binary("click")])
    labels = (torch.arange(ROWS) % 2 == 0).double()
    # of the rows there are half are ones, of all rows one of eleven
    right, fooled = torch.full((ROWS,), 1 / 11).double(), torch.full((ROWS,), 0.5).double()

    def found(schema: Schema) -> dict[str, Verdict]:
        sides = {
            name: [Predicted(build_tasks(schema), {"click": values}, labels[:, None])]
            for name, values in {"fooled": fooled, "right": right}.items()
        }
        return {each.metric: each for each in verdicts(sides, "fooled", ["log_loss"], samples=50)}

    assert found(thinned)["log_loss"].verdict == "hurts"
    corrected = found(schema)["log_loss"]
    assert corrected.verdict == "helps"
    ones = torch.where(labels == 1, 1.0, 10.0)
    expected = [log_loss(labels, values, weights=ones) for values in (right, fooled)]
    assert corrected.change == pytest.approx(expected[0] - expected[1])
    assert corrected.low < corrected.change < corrected.high
