"""What all calibrators promise."""

from __future__ import annotations

import json

import pytest
import torch

from gatewise.calibration import METHODS, Isotonic, Platt, calibrator_from_state, make_calibrator
from gatewise.errors import ShapeError

F64 = torch.float64
OPTIONS = {"down_sampling": {"rate": 0.25}}


def fitted(method: str):
    generator = torch.Generator().manual_seed(0)
    predictions = torch.rand(500, generator=generator, dtype=F64)
    labels = (torch.rand(500, generator=generator, dtype=F64) < predictions.square()).double()
    return make_calibrator(method, **OPTIONS.get(method, {})).fit(predictions, labels)


@pytest.mark.parametrize("method", METHODS)
def test_it_comes_back_from_json_exactly(method):
    calibrate = fitted(method)
    again = calibrator_from_state(json.loads(json.dumps({"method": method, **calibrate.state()})))
    probabilities = torch.linspace(0, 1, 1001, dtype=F64)
    assert torch.equal(again(probabilities), calibrate(probabilities))


@pytest.mark.parametrize("method", METHODS)
def test_it_keeps_order_shape_and_range(method):
    calibrate = fitted(method)
    found = calibrate(torch.linspace(0, 1, 1001))
    assert found.dtype == F64
    assert (found.diff() >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()
    assert calibrate(torch.empty(0)).shape == (0,)
    assert calibrate(torch.rand(3, 4)).shape == (3, 4)


@pytest.mark.parametrize("kind", [Isotonic, Platt])
def test_rows_without_a_label_do_not_count_whatever_stands_there(kind):
    predictions = torch.tensor([0.2, 0.9, 0.3, 0.8, 0.5], dtype=F64)
    labels = torch.tensor([0.0, 1.0, 1.0, 0.0, torch.nan], dtype=F64)
    expected = kind().fit(predictions[:4], labels[:4]).state()
    assert kind().fit(predictions, labels).state() == expected
    predictions[4] = torch.nan
    assert kind().fit(predictions, labels).state() == expected


@pytest.mark.parametrize("kind", [Isotonic, Platt])
@pytest.mark.parametrize(
    ("predictions", "labels", "message"),
    [
        ([0.1, 0.2], [1.0, 1.0], "expected labels of both classes, found 1 in all 2"),
        ([0.1, 0.2], [0.0, 0.0], "expected labels of both classes, found 0 in all 2"),
        ([0.1, 0.2], [torch.nan, torch.nan], "expected labels of both classes, found none"),
        ([], [], "expected labels of both classes, found none"),
        ([0.1, 1.2], [0.0, 1.0], "1.2"),
        ([0.1, 0.2], [0.0, 2.0], "found 2"),
        ([0.1, torch.nan], [0.0, 1.0], "NaN"),
        ([0.1, 0.2, 0.3], [0.0, 1.0], "equal length"),
    ],
)
def test_rows_that_do_not_do_are_refused_in_one_line(kind, predictions, labels, message):
    with pytest.raises(ShapeError, match=message) as caught:
        kind().fit(torch.tensor(predictions, dtype=F64), torch.tensor(labels, dtype=F64))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [Isotonic, Platt])
def test_two_rows_are_enough(kind):
    found = kind().fit(torch.tensor([0.2, 0.6]), torch.tensor([0, 1]))(torch.tensor([0.2, 0.6]))
    assert found[0] < 0.5 < found[1]
