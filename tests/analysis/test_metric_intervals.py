"""Every metric of every output with its bootstrap interval."""

from __future__ import annotations

import pytest
import torch

from gatewise.analysis import intervals
from gatewise.errors import DeclarationError
from gatewise.metrics import auc, bootstrap_interval, gauc, rmse
from gatewise.tasks import BinaryTask, Predicted, RegressionTask

F64 = torch.float64


def predicted(rows: int = 400, *, grouped: bool = True) -> Predicted:
    generator = torch.Generator().manual_seed(0)
    user = torch.randint(0, 40, (rows,), generator=generator)
    taste = torch.randn(40, generator=generator, dtype=F64)[user]
    odds = torch.randn(rows, generator=generator, dtype=F64)
    click = (torch.rand(rows, generator=generator, dtype=F64) < (odds + 2 * taste).sigmoid()).double()
    stars = odds + 2 * taste
    click[::9], stars[::5] = torch.nan, torch.nan
    user[::11] = -1
    tasks = [BinaryTask("click", grouped=grouped), RegressionTask("stars")]
    columns = {"click": odds.sigmoid(), "stars": odds}
    return Predicted(tasks, columns, torch.stack([click, stars], dim=1), user if grouped else None)


def test_estimates_are_evaluations_and_intervals_those_of_the_known_rows():
    rows = predicted()
    found = intervals(rows, samples=50, level=0.8, seed=3)
    values = rows.evaluate()
    for output, estimates in found.items():
        assert {name: each.value for name, each in estimates.items()} == {
            name: value for name, value in values[output].items() if not name.endswith("_skipped")
        }
    (click, stars), (p, s) = rows.labels.T, rows.columns.values()
    known = ~click.isnan()
    options = {"samples": 50, "level": 0.8, "seed": 3}
    assert found["click"]["auc"][1:] == bootstrap_interval(auc, click[known], p[known], **options)
    assert found["stars"]["rmse"][1:] == bootstrap_interval(rmse, stars[~stars.isnan()], s[~stars.isnan()], **options)
    inside = known & (rows.groups >= 0)
    user = rows.groups[inside]
    assert found["click"]["gauc"][1:] == bootstrap_interval(
        gauc, click[inside], p[inside], user, groups=user, **options
    )


def test_whole_groups_make_wider_intervals_where_their_rows_are_alike():
    rows = predicted(4000)
    wide, narrow = (intervals(rows, ["rmse"], samples=100, by_group=by)["stars"]["rmse"] for by in (True, False))
    assert wide.value == narrow.value
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    assert wide.low < wide.value < wide.high


def test_rows_of_no_group_are_drawn_one_by_one():
    rows = predicted()
    rows.groups.fill_(-1)
    by_group, by_row = (intervals(rows, ["rmse"], samples=300, by_group=by)["stars"]["rmse"] for by in (True, False))
    assert by_group.low == pytest.approx(by_row.low, rel=0.05)
    assert by_group.high == pytest.approx(by_row.high, rel=0.05)


def test_an_output_without_labels_is_undefined():
    rows = predicted()
    rows.labels[:, 0] = torch.nan
    assert intervals(rows, ["auc"], samples=5)["click"]["auc"] == (None, None, None, 0.95, 5, 5)
    assert intervals(rows, ["gauc"], samples=5)["click"]["gauc"][:3] == (None, None, None)


def test_wrong_wishes_are_one_line():
    with pytest.raises(DeclarationError, match="no task has a metric 'rsme'; did you mean 'rmse'"):
        intervals(predicted(), ["rsme"])
    with pytest.raises(DeclarationError, match="intervals by group: the schema has no 'group'"):
        intervals(predicted(grouped=False), by_group=True)
