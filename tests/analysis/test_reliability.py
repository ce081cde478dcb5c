"""Parts of similar predictions, with Wilson's interval."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import binomtest

from gatewise.analysis import Cut, reliability
from gatewise.analysis.reliability import wilson
from gatewise.tasks import BinaryTask, Predicted, RegressionTask

F64 = torch.float64


def predicted(rows: int, scale: float = 1.0) -> Predicted:
    generator = torch.Generator().manual_seed(0)
    odds = torch.randn(rows, generator=generator, dtype=F64)
    labels = (torch.rand(rows, generator=generator, dtype=F64) < odds.sigmoid()).double()
    labels[::7] = torch.nan
    columns = {"click": (scale * odds).sigmoid(), "stars": odds}
    return Predicted([BinaryTask("click"), RegressionTask("stars")], columns, torch.stack([labels, odds], dim=1))


@pytest.mark.parametrize(("ones", "rows"), [(0, 10), (10, 10), (3, 10), (1, 5000), (1, 1)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_intervals_are_wilsons(ones, rows, level):
    expected = binomtest(ones, rows).proportion_ci(level, method="wilson")
    z = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor((1 + level) / 2, dtype=F64)).item()
    assert wilson(ones / rows, rows, z) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_parts_hold_equally_many_labelled_rows_and_are_those_of_the_rows():
    rows = predicted(7000)
    found = reliability(rows, bins=5)
    assert list(found) == ["click"]
    assert [part.rows for part in found["click"]] == [1200] * 5
    known = ~rows.labels[:, 0].isnan()
    p, order = rows.columns["click"][known].sort()
    y = rows.labels[known, 0][order]
    for k, part in enumerate(found["click"]):
        of = slice(1200 * k, 1200 * (k + 1))
        assert (part.prediction, part.share) == pytest.approx((p[of].mean().item(), y[of].mean().item()))
        assert part.low < part.share < part.high
        assert (part.column, part.value) == (None, None)


def test_a_calibrated_model_lies_within_its_intervals_and_an_overconfident_one_does_not():
    def inside(scale):
        return sum(part.low <= part.prediction <= part.high for part in reliability(predicted(70_000, scale))["click"])

    assert inside(1.0) >= 8
    assert inside(3.0) <= 2


def test_slices_have_parts_of_their_own():
    rows = predicted(700)
    cuts = [Cut("x", "a", torch.arange(70)), Cut("x", "b", torch.arange(70, 700)), Cut("x", "none", torch.arange(0, 1))]
    found = reliability(rows, cuts, bins=3)["click"]
    assert [(part.value, part.rows) for part in found] == [("a", 20)] * 3 + [("b", 180)] * 3
    alone = reliability(rows.rows(torch.arange(70)), bins=3)["click"]
    assert [part[2:] for part in found[:3]] == [part[2:] for part in alone]


def test_equal_predictions_are_one_part():
    rows = predicted(700)
    rows.columns["click"].fill_(0.5)
    (part,) = reliability(rows)["click"]
    assert (part.rows, part.prediction) == (600, 0.5)


def test_a_part_that_ties_leave_with_few_rows_joins_its_neighbour():
    rows = predicted(700)
    rows.columns["click"].fill_(0.1)
    rows.columns["click"][1:6] = 0.9
    (part,) = reliability(rows)["click"]
    assert part.rows == 600
    rows.columns["click"][1:41] = 0.9
    assert [part.prediction for part in reliability(rows)["click"]] == pytest.approx([0.1, 0.9])
