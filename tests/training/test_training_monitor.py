from __future__ import annotations

import pytest

from gatewise.errors import DeclarationError, TrainingError
from gatewise.tasks import BinaryTask, RegressionTask, Task
from gatewise.training import Monitor, Stopping

TASKS: list[Task] = [BinaryTask("liked"), RegressionTask("rating"), RegressionTask("shop.dwell")]
METRICS = {
    "liked": {"auc": 0.7, "log_loss": 0.6, "pcoc": 1.2},
    "rating": {"rmse": 0.9, "mae": 0.5, "r2": 0.2},
    "shop.dwell": {"rmse": 30.0, "mae": 20.0, "r2": -0.3},
}


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("liked.auc", 0.7),
        ("liked.log_loss", -0.6),
        ("rating.rmse", -0.9),
        ("rating.r2", 0.2),
        ("shop.dwell.mae", -20.0),
        ("mean", (0.7 + 0.2 - 0.3) / 3),
        ("mean.rmse", -(0.9 + 30.0) / 2),
        ("mean.log_loss", -0.6),
    ],
)
def test_greater_is_better(name: str, score: float) -> None:
    assert Monitor(name, TASKS).score(METRICS) == pytest.approx(score)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ratting.rmse", "no task 'ratting' .tasks: liked, rating, shop.dwell.; did you mean 'rating'"),
        ("rating.rsme", "no metric 'rsme' .metrics: rmse, mae, r2, spearman.; did you mean 'rmse'"),
        ("liked.rmse", "no metric 'rmse' .metrics: auc, log_loss, pr_auc, pcoc, normalised_entropy, ece, brier.$"),
        ("auc", "no task ''"),
        ("mean.aucc", "no metric 'aucc' .*; did you mean 'auc'"),
        ("liked.pcoc", "of two pcoc values neither is better; take another"),
    ],
)
def test_what_cannot_be_monitored(name: str, message: str) -> None:
    with pytest.raises(DeclarationError, match=f"monitor '{name}': {message}"):
        Monitor(name, TASKS)


def test_undefined_metrics() -> None:
    metrics = {**METRICS, "liked": {"auc": None}}
    assert Monitor("mean", TASKS).score(metrics) == pytest.approx((0.2 - 0.3) / 2)
    with pytest.raises(TrainingError, match=r"monitor 'liked.auc' is undefined on the validation table"):
        Monitor("liked.auc", TASKS).score(metrics)
    nothing = {task.name: {task.summary.name: None} for task in TASKS}
    with pytest.raises(TrainingError, match="monitor 'mean' is undefined"):
        Monitor("mean", TASKS).score(nothing)


@pytest.mark.parametrize(
    ("patience", "min_delta", "scores", "best", "stops_after"),
    [
        (None, 0.0, [1, 0, 0, 0, 0], 1, None),
        (2, 0.0, [1, 2, 1, 1.5, 9], 2, 4),
        (2, 0.0, [1, 0, 2, 1, 3], 5, None),
        (1, 0.0, [-5, -5], 1, 2),
        (2, 0.5, [1, 1.4, 1.6, 1.7, 2.0], 5, 5),
    ],
)
def test_stopping(
    patience: int | None, min_delta: float, scores: list[float], best: int, stops_after: int | None
) -> None:
    stopping, stopped = Stopping(patience, min_delta), None
    for epoch, score in enumerate(scores, start=1):
        assert stopping.improved(epoch, score) == (stopping.best_epoch == epoch)
        if stopping.exhausted:
            stopped = epoch
            break
    assert (stopping.best_epoch, stopped) == (best, stops_after)


def test_state_of_stopping() -> None:
    stopping, other = Stopping(3, 0.1), Stopping(3, 0.1)
    stopping.improved(1, 0.5)
    stopping.improved(2, 0.55)
    other.load_state_dict(stopping.state_dict())
    assert other == stopping == Stopping(3, 0.1, best_score=0.55, best_epoch=2, waiting_since=0.5, waited=1)
