"""Metrics of slices are those of their rows alone."""

from __future__ import annotations

import pytest
import torch

from gatewise.analysis import Cut, Slice, slices, worst
from gatewise.errors import DeclarationError
from gatewise.metrics import AUC, PCOC, RMSE
from gatewise.tasks import BinaryTask, FunnelTask, Predicted, predict_tasks

CLICK = BinaryTask("click", grouped=True)
TASKS = [CLICK, FunnelTask("buy", after=[CLICK], grouped=True)]


def predicted(rows: int = 600) -> Predicted:
    generator = torch.Generator().manual_seed(0)
    labels = torch.rand(rows, 2, generator=generator).round().double()
    labels[:, 1] *= labels[:, 0]
    labels[:100, 1] = torch.nan
    scores = torch.randn(rows, 2, generator=generator)
    groups = torch.randint(-1, 20, (rows,), generator=generator)
    return Predicted(TASKS, predict_tasks(TASKS, scores, labels), labels, groups)


def test_they_are_those_of_the_rows_alone_with_the_rows_that_count():
    rows = predicted()
    cuts = [Cut("x", "a", torch.arange(0, 600, 3)), Cut("x", "b", torch.arange(5)), Cut("y", "c", torch.arange(100))]
    found = slices(rows, cuts)
    assert list(found) == ["click", "buy_given_click", "click_and_buy"]
    for k, cut in enumerate(cuts):
        alone = rows.rows(cut.rows).evaluate()
        for output, parts in found.items():
            assert parts[k][:2] == cut[:2]
            assert parts[k].metrics == alone[output]
    clicked = rows.labels[::3, 0] == 1
    assert found["click"][0].rows == 200
    assert found["buy_given_click"][0].rows == (clicked & ~rows.labels[::3, 1].isnan()).sum()


def test_a_slice_without_labels_is_undefined():
    rows = predicted()
    rows.labels[:10] = torch.nan
    (part,) = slices(rows, [Cut("x", "a", torch.arange(10))])["click"]
    assert part.rows == 0
    assert all(value is None for name, value in part.metrics.items() if not name.endswith("_skipped"))
    assert slices(rows, []) == {"click": [], "buy_given_click": [], "click_and_buy": []}


def test_chosen_metrics():
    found = slices(predicted(), [Cut("x", "a", torch.arange(50))], ["auc", "ece"])
    assert list(found["click"][0].metrics) == ["auc", "ece"]
    with pytest.raises(DeclarationError, match="no task has a metric 'acu'; did you mean 'auc'"):
        slices(predicted(), [], ["acu"])


def test_the_worst_slice_is_so_in_the_metrics_direction():
    def parts(name, *values):
        return [Slice("x", str(k), 10, {name: value}) for k, value in enumerate(values)]

    assert worst(AUC, parts("auc", 0.7, 0.6, None, 0.8)).value == "1"
    assert worst(RMSE, parts("rmse", 0.7, 0.6, None, 0.8)).value == "3"
    assert worst(AUC, parts("auc", 0.7, None)) is None
    assert worst(AUC, parts("auc", 0.7, 0.7)) is None
    assert worst(PCOC, parts("pcoc", 0.7, 1.4)) is None
