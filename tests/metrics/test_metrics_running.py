"""Metrics of rows that come in parts: every metric that says so follows from sums."""

from __future__ import annotations

import pytest
import torch

import gatewise.metrics
from gatewise.errors import ShapeError
from gatewise.metrics import AUC, BRIER, ECE, GAUC, MAE, R2, RMSE, SPEARMAN, Metric, RunningMetrics, ScoreHistogram

EVERY = [value for value in vars(gatewise.metrics).values() if isinstance(value, Metric)]
FROM_SUMS = [metric for metric in EVERY if metric.from_sums is not None]


def clicks(rows: int = 20_000) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    predictions = torch.rand(rows, generator=generator, dtype=torch.float64)
    targets = (torch.rand(rows, generator=generator, dtype=torch.float64) < predictions).double()
    return targets, predictions, torch.rand(rows, generator=generator, dtype=torch.float64)


def test_which_metrics_follow_from_sums() -> None:
    assert {metric.name for metric in FROM_SUMS} == {
        "auc", "log_loss", "pcoc", "normalised_entropy", "ece", "brier", "rmse", "mse", "mae", "mape", "r2",
    }  # fmt: skip


@pytest.mark.parametrize("metric", FROM_SUMS, ids=lambda metric: metric.name)
@pytest.mark.parametrize("weighted", [False, True])
def test_parts_give_what_all_rows_at_once_give(metric: Metric, weighted: bool) -> None:
    columns = clicks()[: 3 if weighted else 2]
    running = RunningMetrics([metric])
    for start in range(0, 20_000, 7000):
        running.update(*(column[start : start + 7000] for column in columns))
    expected = metric.compute(*columns)
    assert running.values() == {metric.name: pytest.approx(expected, abs=1e-3 if metric is ECE else 1e-6)}


def test_metrics_share_their_sums_and_keep_their_order() -> None:
    running = RunningMetrics([R2, AUC, SPEARMAN, GAUC, ECE, RMSE])
    running.update(*clicks(100))
    assert list(running.values()) == ["r2", "auc", "ece", "rmse"]
    assert len(running.sums) == 2


def test_what_is_merged_is_one_pass() -> None:
    columns = clicks(1000)
    whole, first, second = (RunningMetrics([AUC, BRIER], centre=0.5) for _ in range(3))
    whole.update(*columns)
    first.update(*(column[:300] for column in columns))
    second.update(*(column[300:] for column in columns))
    first.merge(second)
    assert first.values() == {name: pytest.approx(value, abs=1e-12) for name, value in whole.values().items()}


def test_sums_of_other_metrics_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"^merge: expected sums of rmse, mae, found those of auc$"):
        RunningMetrics([RMSE, MAE]).merge(RunningMetrics([AUC]))
    with pytest.raises(ShapeError, match=r"^merge: expected moments about 0, found some about 3$"):
        RunningMetrics([RMSE]).merge(RunningMetrics([RMSE], centre=3.0))


def test_no_rows_are_undefined() -> None:
    assert RunningMetrics([AUC, RMSE]).values() == {"auc": None, "rmse": None}
    assert RunningMetrics([SPEARMAN]).values() == {}


def test_sums_are_where_they_are_wanted() -> None:
    (sums,) = RunningMetrics([AUC], device="meta").sums.values()
    assert isinstance(sums, ScoreHistogram)
    assert sums.sums.device.type == "meta"
