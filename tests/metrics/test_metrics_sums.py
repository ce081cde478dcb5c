from __future__ import annotations

import pytest
import torch

from gatewise.errors import ShapeError
from gatewise.metrics import (
    Moments,
    ScoreHistogram,
    auc,
    ece,
    log_loss,
    mae,
    normalised_entropy,
    pcoc,
    r2,
    rmse,
)


def clicks(rows: int = 100_000, logit: float = -1.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    predictions = (torch.randn(rows, generator=generator, dtype=torch.float64) + logit).sigmoid()
    targets = (torch.rand(rows, generator=generator, dtype=torch.float64) < predictions).double()
    return targets, predictions, torch.rand(rows, generator=generator, dtype=torch.float64)


def numbers(rows: int = 5000) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    targets = torch.randn(rows, generator=generator, dtype=torch.float64) * 3 + 100
    predictions = targets + torch.randn(rows, generator=generator, dtype=torch.float64)
    return targets, predictions, torch.rand(rows, generator=generator, dtype=torch.float64)


def filled(empty, columns: tuple[torch.Tensor, ...]):
    empty.update(*columns)
    return empty


@pytest.mark.parametrize("logit", [0.0, -4.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_histogram_gives_the_metrics_of_its_rows(logit: float, weighted: bool) -> None:
    columns = clicks(logit=logit)[: 3 if weighted else 2]
    histogram = filled(ScoreHistogram(), columns)
    assert histogram.auc() == pytest.approx(auc(*columns), abs=1e-6)
    assert histogram.ece() == pytest.approx(ece(*columns), abs=1e-4)
    assert histogram.log_loss() == pytest.approx(log_loss(*columns), abs=1e-12)
    assert histogram.pcoc() == pytest.approx(pcoc(*columns), abs=1e-12)
    assert histogram.normalised_entropy() == pytest.approx(normalised_entropy(*columns), abs=1e-12)


def test_few_distinct_scores_are_exact() -> None:
    targets, predictions, weights = clicks()
    predictions = predictions.mul(50).round() / 50
    columns = targets, predictions, weights
    histogram = filled(ScoreHistogram(), columns)
    assert histogram.auc() == pytest.approx(auc(*columns), abs=1e-12)
    assert histogram.ece(bins=7) == pytest.approx(ece(*columns, bins=7), abs=1e-12)


def test_scores_at_the_ends_and_beyond_count() -> None:
    predictions = torch.tensor([0.0, 1e-30, 0.5, 1.0], dtype=torch.float64)
    histogram = filled(ScoreHistogram(bins=10), (torch.tensor([0, 0, 1, 1]), predictions))
    assert histogram.auc() == 1.0
    assert histogram.sums[:2].sum() == 4


@pytest.mark.parametrize("kind", [ScoreHistogram, Moments])
def test_merged_parts_are_one_pass(kind: type) -> None:
    columns = clicks(3000)
    whole = filled(kind(), columns)
    parts = [filled(kind(), tuple(column[part::3] for column in columns)) for part in range(3)]
    for part in parts[1:]:
        parts[0].merge(part)
    torch.testing.assert_close(parts[0].sums, whole.sums, rtol=1e-12, atol=1e-12)
    in_turn = kind()
    for start in range(0, 3000, 700):
        in_turn.update(*(column[start : start + 700] for column in columns))
    torch.testing.assert_close(in_turn.sums, whole.sums, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", [ScoreHistogram, Moments])
def test_the_other_histogram_stays_as_it_was(kind: type) -> None:
    first, second = filled(kind(), clicks(10)), filled(kind(), clicks(20))
    kept = second.sums.clone()
    first.merge(second)
    first.update(*clicks(5))
    assert torch.equal(second.sums, kept)


@pytest.mark.parametrize("kind", [ScoreHistogram, Moments])
def test_rows_of_weight_zero_and_refused_rows_change_nothing(kind: type) -> None:
    found = filled(kind(), clicks(10))
    kept = found.sums.clone()
    found.update(torch.tensor([float("nan")]), torch.tensor([-7.0]), torch.zeros(1))
    with pytest.raises(ShapeError, match=f"^{kind.__name__}: expected targets without NaN"):
        found.update(torch.tensor([1.0, float("nan")]), torch.tensor([0.5, 0.5]))
    assert torch.equal(found.sums, kept)


def test_undefined_without_rows_or_with_one_class() -> None:
    histogram = ScoreHistogram()
    names = ["auc", "log_loss", "normalised_entropy", "pcoc", "ece"]
    assert [getattr(histogram, name)() for name in names] == [None] * 5
    histogram.update(torch.zeros(2), torch.full((2,), 0.25))
    assert [getattr(histogram, name)() is None for name in names] == [True, False, True, True, False]
    assert histogram.ece() == pytest.approx(0.25, abs=1e-12)


def test_histograms_of_other_bins_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"^merge: expected a histogram of 10 bins, found one of 20$"):
        ScoreHistogram(bins=10).merge(ScoreHistogram(bins=20))
    with pytest.raises(ShapeError, match=r"^ScoreHistogram: expected bins to be a positive whole number, found 0$"):
        ScoreHistogram(bins=0)
    with pytest.raises(ShapeError, match=r"^ece: expected bins to be a positive whole number, found 0$"):
        ScoreHistogram().ece(bins=0)


@pytest.mark.parametrize("centre", [0.0, 100.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_give_the_metrics_of_their_rows(centre: float, weighted: bool) -> None:
    columns = numbers()[: 3 if weighted else 2]
    moments = filled(Moments(centre), columns)
    assert moments.rmse() == pytest.approx(rmse(*columns), rel=1e-12)
    assert moments.mae() == pytest.approx(mae(*columns), rel=1e-12)
    assert moments.r2() == pytest.approx(r2(*columns), rel=1e-9)


def test_a_centre_keeps_the_digits_of_far_targets() -> None:
    targets, predictions, _ = numbers()
    columns = targets + 1e9, predictions + 1e9
    assert filled(Moments(1e9 + 100), columns).r2() == pytest.approx(r2(*columns), rel=1e-9)
    assert filled(Moments(), columns).r2() is None  # float64 cannot tell these from constant targets


def test_moments_are_undefined_where_the_metrics_are() -> None:
    moments = Moments()
    assert (moments.rmse(), moments.mae(), moments.r2()) == (None, None, None)
    moments.update(torch.tensor([0.1]), torch.tensor([0.3]))
    assert moments.mae() == pytest.approx(0.2)
    assert moments.r2() is None


@pytest.mark.parametrize("rows", [2, 3, 7, 1001])
@pytest.mark.parametrize("value", [0.1, 0.3, 0.7, 1.1, -5.3])
def test_constant_targets_have_no_r2_whatever_their_sums_round_to(rows: int, value: float) -> None:
    columns = torch.full((rows,), value, dtype=torch.float64), torch.rand(rows), torch.full((rows,), 0.7)
    assert filled(Moments(), columns).r2() is None


def test_moments_about_another_centre_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"^merge: expected moments about 1, found some about 2$"):
        Moments(1.0).merge(Moments(2.0))
