from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from gatewise.tasks import DurationTask
from gatewise.tasks.normal import SHARPEST, log_between, spread_of

NAN, INF = math.nan, math.inf
TASK = DurationTask("play", limited=True, unit=2.0, log_mean=1.2, log_std=0.8)


def doubles(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def times(mean: float, spread: float, rows: int) -> torch.Tensor:
    """Return simulated times without a limit; u is 2."""
    draw = torch.Generator().manual_seed(3)
    x = mean + spread * torch.randn(rows, generator=draw, dtype=torch.float64)
    return (2 * x.expm1()).clamp(min=0)


def test_losses_by_hand() -> None:
    # started and stopped; never started; saw all of it; beyond the limit; no limit
    labels = torch.tensor([[3.0, 10.0], [0.0, 10.0], [10.0, 10.0], [25.0, 10.0], [25.0, NAN]], dtype=torch.float64)
    score, width = 0.3, -0.4
    spread = SHARPEST + math.log1p(math.exp(width))

    def z(time: float) -> float:
        return (math.log1p(time / 2) - 1.2) / 0.8

    def seen(time: float) -> float:
        return (z(time) - score) ** 2 / (2 * spread**2) + math.log(spread / SHARPEST)

    beyond = -stats.norm.logsf(z(10), score, spread)
    expected = [seen(3), -stats.norm.logcdf(z(0), score, spread), beyond, beyond, seen(25)]
    losses = TASK.losses(doubles(score, width).expand(5, -1), TASK.targets(labels))
    assert losses.tolist() == pytest.approx(expected)


def test_unknown_times_stay_unknown() -> None:
    targets = TASK.targets(torch.tensor([[NAN, 10.0], [NAN, NAN], [1.0, NAN]], dtype=torch.float64))
    assert targets[:, 0].isnan().tolist() == [True, True, False]


@pytest.mark.parametrize("limited", [True, False])
def test_mean_and_spread_are_recovered_under_censoring(limited: bool, fitted) -> None:
    time = times(1.0, 0.9, 50_000)
    limit = torch.rand(50_000, generator=torch.Generator().manual_seed(4), dtype=torch.float64) * 9 + 1
    labels = torch.stack([torch.minimum(time, limit), limit], dim=1) if limited else time
    censored = (time >= limit).double().mean() if limited else 0.0
    assert (time == 0).double().mean() > 0.1
    assert not limited or censored > 0.3
    task = DurationTask("play", limited=limited, unit=2.0, log_mean=0.7, log_std=0.6)
    score, width = fitted(task, torch.ones(50_000, 1, dtype=torch.float64), labels)[0]
    assert 0.7 + 0.6 * float(score) == pytest.approx(1.0, abs=0.03)
    assert 0.6 * float(spread_of(width)) == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("limit", [0.5, 4.0, 50.0, NAN])
@pytest.mark.parametrize(("score", "width"), [(0.0, 0.3), (-2.0, 1.0), (1.5, -1.0)])
def test_predictions_are_the_means_of_the_distribution(limit: float, score: float, width: float) -> None:
    mean, spread = 1.2 + 0.8 * score, 0.8 * float(spread_of(torch.tensor(width)))
    time = times(mean, spread, 2_000_000)
    expected = float(time.mean() if math.isnan(limit) else time.clamp(max=limit).mean())
    labels = {"play": doubles(NAN, limit).unsqueeze(0)}
    found = TASK.predictions({"play": doubles(score, width).unsqueeze(0)}, labels)["play"]
    assert found.item() == pytest.approx(expected, rel=0.01)


def test_predictions_without_a_limit() -> None:
    scores = doubles(0.3, 0.2).unsqueeze(0)
    far = TASK.predictions({"play": scores}, {"play": doubles(NAN, 1e12).unsqueeze(0)})["play"]
    assert TASK.predict(scores).item() == pytest.approx(far.item(), rel=1e-9)


def test_nobody_watches_longer_than_there_is() -> None:
    scores = torch.tensor([[50.0, -50.0], [-50.0, -50.0], [0.0, 50.0]])
    labels = doubles(NAN, 7.0).expand(3, -1)
    found = TASK.predictions({"play": scores}, {"play": labels})["play"].tolist()
    assert found[:2] == pytest.approx([7.0, 0.0])
    assert 0 < found[2] < 7


def test_times_beyond_the_limit_are_judged_as_the_limit() -> None:
    labels = torch.tensor([[3.0, 10.0], [25.0, 10.0], [25.0, NAN], [NAN, 10.0]], dtype=torch.float64)
    judged = TASK.judged({"play": labels})["play"]
    assert judged.tolist()[:3] == [3, 10, 25]
    assert judged[3].isnan()


@pytest.mark.parametrize(("low", "high"), [(-1.0, 2.0), (-40.0, -38.0), (30.0, 31.0), (-INF, 0.5), (3.0, INF)])
def test_log_between_is_exact_in_both_tails(low: float, high: float) -> None:
    a, b = (low, high) if low < 0 else (-high, -low)
    upper, lower = stats.norm.logcdf(b), stats.norm.logcdf(a)
    expected = upper + math.log1p(-math.exp(lower - upper))
    assert log_between(doubles(low), doubles(high)).item() == pytest.approx(expected, rel=1e-12)
