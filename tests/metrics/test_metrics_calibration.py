from __future__ import annotations

import numpy as np
import pytest
import torch

from gatewise.errors import ShapeError
from gatewise.metrics import ece, pcoc


def test_pcoc_by_hand() -> None:
    targets, predictions = torch.tensor([1.0, 0.0, 0.0, 1.0]), torch.tensor([0.5, 0.25, 0.25, 0.5])
    assert pcoc(targets, predictions) == 0.75
    assert pcoc(targets, predictions, torch.tensor([1.0, 4.0, 2.0, 0.0])) == 2.0


def test_pcoc_a_calibrated_model_is_at_one() -> None:
    assert pcoc(torch.tensor([1, 0, 0, 0]), torch.full((4,), 0.25)) == 1.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pcoc_equals_the_ratio_of_averages(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(1)
    targets = (torch.rand(5000, generator=generator) < 0.1).to(dtype)
    predictions = torch.rand(5000, generator=generator, dtype=dtype)
    weights = torch.rand(5000, generator=generator, dtype=dtype)
    t, p, w = (values.double().numpy() for values in (targets, predictions, weights))
    assert pcoc(targets, predictions) == pytest.approx(p.mean() / t.mean(), abs=1e-9)
    expected = np.average(p, weights=w) / np.average(t, weights=w)
    assert pcoc(targets, predictions, weights) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("targets", [[], [0.0], [0.0, 0.0]])
def test_pcoc_nothing_observed_is_undefined(targets: list[float]) -> None:
    assert pcoc(torch.tensor(targets), torch.rand(len(targets))) is None


def test_pcoc_logits_are_refused() -> None:
    with pytest.raises(ShapeError, match="pcoc: expected predictions from 0 to 1, found -2"):
        pcoc(torch.tensor([1.0]), torch.tensor([-2.0]))


def test_pcoc_a_million_rows() -> None:
    targets = torch.arange(1_000_000) % 4 == 0
    assert pcoc(targets, torch.full((1_000_000,), 0.5)) == pytest.approx(2.0, abs=1e-12)


def ece_sample(rows: int = 6000) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(rows, generator=generator, dtype=torch.float64)
    return (torch.rand(rows, generator=generator) < predictions**2).double(), predictions


def error(targets: np.ndarray, predictions: np.ndarray, bins: list[np.ndarray]) -> float:
    """ECE by its definition, from the rows of each bin."""
    return sum(abs(predictions[rows].mean() - targets[rows].mean()) * len(rows) for rows in bins) / len(targets)


@pytest.mark.parametrize("bins", [1, 7, 20, 6000])
def test_ece_equal_mass_is_the_definition(bins: int) -> None:
    targets, predictions = ece_sample()
    parts = np.array_split(np.argsort(-predictions.numpy()), bins)
    if 6000 % bins:  # a row belongs where its middle is, which array_split rounds otherwise
        place = np.floor((np.argsort(np.argsort(-predictions.numpy())) + 0.5) / 6000 * bins)
        parts = [np.flatnonzero(place == part) for part in range(bins)]
    expected = error(targets.numpy(), predictions.numpy(), parts)
    assert ece(targets, predictions, bins=bins) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("bins", [1, 4, 8])
def test_ece_equal_width_is_the_definition(bins: int) -> None:
    targets, predictions = ece_sample()
    predictions[:3] = torch.tensor([0.0, 0.5, 1.0])
    place = np.minimum(np.floor(predictions.numpy() * bins), bins - 1)
    expected = error(targets.numpy(), predictions.numpy(), [np.flatnonzero(place == part) for part in np.unique(place)])
    assert ece(targets, predictions, bins=bins, equal_width=True) == pytest.approx(expected, abs=1e-12)


def test_ece_twenty_bins_of_equal_mass_are_the_default() -> None:
    targets, predictions = ece_sample()
    assert ece(targets, predictions) == ece(targets, predictions, bins=20)
    assert ece(targets, predictions) != ece(targets, predictions, bins=19)


def test_ece_tied_rows_stay_in_one_bin() -> None:
    # Cut between the ties, halves of 1s and of 0s would each be 1/2 off; together they are calibrated.
    targets, predictions = torch.tensor([1, 1, 0, 0]), torch.full((4,), 0.5)
    assert ece(targets, predictions, bins=2) == 0.0
    # The middle of the ties is in the upper half, where 0.9 is: |0.9 + 3 * 0.5 - 4| of 8 rows.
    targets = torch.tensor([1, 1, 1, 1, 0, 0, 0, 0])
    predictions = torch.tensor([0.9, 0.5, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1], dtype=torch.float64)
    assert ece(targets, predictions, bins=2) == pytest.approx((abs(0.9 + 1.5 - 4) + 0.4) / 8, abs=1e-12)


def test_ece_weights_by_hand() -> None:
    targets, predictions = torch.tensor([1, 0, 0]), torch.tensor([0.75, 0.5, 0.25])
    # The upper half is the first row alone, of weight 2 of 4.
    assert ece(targets, predictions, torch.tensor([2, 1, 1]), bins=2) == pytest.approx((2 * 0.25 + 0.75) / 4, abs=1e-12)


def test_ece_equal_weights_move_no_row_over_a_boundary() -> None:
    for rows in range(1, 40):
        # The middle of the two tied rows is that of all: on the boundary of two bins.
        predictions = torch.cat([torch.full((rows,), 0.9), torch.tensor([0.5, 0.5]), torch.full((rows,), 0.1)])
        targets = (torch.arange(2 * rows + 2) < rows + 2).long()
        expected = ece(targets, predictions, bins=2)
        weights = torch.full((2 * rows + 2,), 0.1, dtype=torch.float64)
        assert ece(targets, predictions, weights, bins=2) == pytest.approx(expected, abs=1e-12)


def test_ece_one_class_is_defined() -> None:
    assert ece(torch.ones(3), torch.full((3,), 0.75)) == 0.25


@pytest.mark.parametrize("bins", [0, -1, 2.5])
def test_ece_refuses_other_numbers_of_bins(bins: int) -> None:
    with pytest.raises(ShapeError, match=f"^ece: expected bins to be a positive whole number, found {bins}$"):
        ece(torch.ones(3), torch.ones(3), bins=bins)
