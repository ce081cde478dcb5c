"""Curves of probabilities are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import precision_recall_curve, roc_curve

from gatewise.analysis import curves
from gatewise.tasks import BinaryTask, Predicted, RegressionTask


def predicted(rows: int, digits: int = 6) -> Predicted:
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(rows, generator=generator, dtype=torch.float64).round(decimals=digits)
    labels = (torch.rand(rows, generator=generator, dtype=torch.float64) < scores).double()
    columns = {"click": scores, "stars": scores}
    return Predicted([BinaryTask("click"), RegressionTask("stars")], columns, torch.stack([labels, scores], dim=1))


@pytest.mark.parametrize("digits", [6, 1])
def test_few_points_are_all_of_scikit_learns(digits):
    rows = predicted(60, digits)
    (found,) = curves(rows).values()
    labels, scores = rows.labels[:, 0].numpy(), rows.columns["click"].numpy()
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    np.testing.assert_allclose([found.false_positives, found.true_positives], [false, true])
    precision, recall, _ = precision_recall_curve(labels, scores)
    np.testing.assert_allclose([found.precision, found.recall], [precision[-2::-1], recall[-2::-1]])
    assert found.rate == labels.mean()


def test_many_points_are_thinned_but_stay_on_the_curve():
    rows = predicted(5000)
    found = curves(rows)["click"]
    assert 90 < len(found.recall) < 110
    assert (found.recall[-1], found.contacted[0], found.contacted[-1], found.gained[-1]) == (1, 0, 1, 1)
    order = rows.columns["click"].argsort(descending=True)
    for share, gained in list(zip(found.contacted, found.gained, strict=True))[1:]:
        first = rows.labels[order[: round(share * 5000)], 0]
        assert gained == pytest.approx(float(first.sum() / rows.labels[:, 0].sum()))
    assert [sum(found.ones), sum(found.zeros)] == pytest.approx([1, 1])


def test_one_class_has_no_curve():
    rows = predicted(50)
    rows.labels[:, 0] = 1
    assert curves(rows) == {}
