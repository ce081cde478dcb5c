"""The calibration that is chosen on held-out folds, and what is said of one that does worse than none."""

from __future__ import annotations

import warnings

import pytest
import torch

from gatewise.calibration import Best, Calibration, Isotonic, Platt, make_fitter
from gatewise.calibration.best import doubt_of, held_out_loss, loss_of
from gatewise.errors import GatewiseWarning
from gatewise.tasks import BinaryTask, Predicted

F64 = torch.float64


def rows_of(distort, rows: int = 20_000, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return predictions that distort the true log odds, and labels."""
    generator = torch.Generator().manual_seed(seed)
    odds = torch.randn(rows, generator=generator, dtype=F64) * 1.2 - 1
    labels = (torch.rand(rows, generator=generator, dtype=F64) < odds.sigmoid()).double()
    return distort(odds).sigmoid(), labels


def straight(odds):
    return 2 * odds + 1


def bent(odds):
    # a step that no line makes straight
    return torch.where(odds > -1, odds + 4, odds - 1)


def honest(odds):
    return odds


def test_a_line_is_learnt_where_a_line_is_enough():
    assert isinstance(Best().fit(*rows_of(straight, 2_000)), Platt)


def test_any_shape_is_learnt_where_a_line_is_not_enough():
    assert isinstance(Best().fit(*rows_of(bent)), Isotonic)


def test_what_is_calibrated_stays_as_it_is_and_it_is_said():
    predictions, labels = rows_of(honest, 500, seed=7)
    found = Best().fit(predictions, labels)
    assert isinstance(found, Platt)
    assert found.changes_nothing
    assert "stays as it is" in doubt_of(Best, found, predictions, labels)


@pytest.mark.parametrize("kind", [Platt, Isotonic])
def test_the_loss_on_folds_is_of_rows_that_were_not_learnt_from(kind):
    predictions, labels = rows_of(straight, 3_000)
    inside = loss_of(kind().fit(predictions, labels)(predictions), labels)
    fresh = loss_of(kind().fit(predictions, labels)(rows_of(straight, 50_000, 1)[0]), rows_of(straight, 50_000, 1)[1])
    found = held_out_loss(kind, predictions, labels)
    assert inside < found
    assert found == pytest.approx(fresh, abs=0.03)


def test_a_method_that_does_worse_than_none_is_doubted():
    predictions, labels = rows_of(honest, 200, seed=1)
    assert "does worse than none on rows that it did not see: log loss" in doubt_of(
        Isotonic, Isotonic(), predictions, labels
    )
    assert doubt_of(Platt, Platt(), *rows_of(straight)) is None


def test_few_rows_of_a_class_are_learnt_by_a_line_and_not_doubted():
    predictions, labels = rows_of(straight, 60)
    labels[:] = 0
    labels[:5] = 1
    assert isinstance(Best().fit(predictions, labels), Platt)
    assert doubt_of(Isotonic, Isotonic(), predictions, labels) is None


def test_the_warning_names_the_output():
    predictions, labels = rows_of(honest, 500, seed=7)
    rows = Predicted([BinaryTask("click")], {"click": predictions}, labels.unsqueeze(1))
    with pytest.warns(GatewiseWarning, match="calibration of 'click': no method does better than none"):
        found = Calibration().fitted(rows, Best, ["click"])
    torch.testing.assert_close(found.apply(rows.tasks, rows.columns)["click"], predictions)
    predictions, labels = rows_of(straight)
    rows = Predicted([BinaryTask("click")], {"click": predictions}, labels.unsqueeze(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Calibration().fitted(rows, lambda: make_fitter("auto"), ["click"])
