"""Metrics of rows that went by piece by piece."""

from __future__ import annotations

import pytest
import torch

from gatewise.analysis import StreamedMetrics
from gatewise.metrics import AUC, R2, RMSE, SPEARMAN
from gatewise.tasks import BinaryTask, FunnelTask, Predicted, RegressionTask, predict_tasks


class RankedRegressionTask(RegressionTask):
    metrics = (RMSE, R2, SPEARMAN)


CLICK = BinaryTask("click", grouped=True)
TASKS = [CLICK, FunnelTask("buy", after=[CLICK]), RankedRegressionTask("price", mean=5e6)]


def predicted(rows: int) -> Predicted:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(rows, 3, generator=generator)
    labels = (torch.rand(rows, 3, generator=generator) < scores.sigmoid()).double()
    labels[:, 1] *= labels[:, 0]
    labels[:, 2] += 5e6
    labels[::13] = torch.nan
    groups = torch.randint(0, 50, (rows,), generator=generator)
    return Predicted(TASKS, predict_tasks(TASKS, scores, labels), labels, groups)


def test_pieces_give_what_all_rows_at_once_give():
    rows = predicted(30_000)
    metrics = StreamedMetrics(TASKS, {"price": 5e6})
    for piece in torch.arange(len(rows)).split(7_001):
        metrics.update(rows.rows(piece))
    found, expected = metrics.result(), rows.evaluate()
    assert found.rows == 30_000
    for output, values in found.metrics.items():
        for name, value in values.items():
            assert value == pytest.approx(expected[output][name], abs=5e-4 if name == "ece" else 1e-6), name
    left_out = {output: set(names) for output, names in found.left_out.items()}
    for output in expected:
        assert set(found.metrics[output]) | left_out[output] == {n for n in expected[output] if "skipped" not in n}
    assert left_out["price"] == {"spearman"}
    assert {"gauc", "ndcg@10", "pr_auc"} <= left_out["click"]
    assert {"auc", "log_loss", "pcoc", "ece", "normalised_entropy", "brier"} == set(found.metrics["click_and_buy"])


def test_no_rows_are_undefined():
    metrics = StreamedMetrics(TASKS, {})
    metrics.update(predicted(10).rows(slice(0, 0)))
    found = metrics.result()
    assert found.rows == 0
    assert all(value is None for values in found.metrics.values() for value in values.values())


class PaidTask(RegressionTask):
    """A made-up kind whose outputs are judged by different metrics."""

    outputs = columns = ("pays", "paid")

    def metrics_of(self, output):
        return (AUC, SPEARMAN) if output == "pays" else (R2,)

    def judged(self, labels):
        return {"pays": (labels["paid"] > 0).double(), "paid": labels["paid"]}


def test_each_output_has_its_own_metrics():
    paid = torch.tensor([[0.0], [5.0], [0.0], [9.0]], dtype=torch.float64)
    columns = {"pays": torch.tensor([0.1, 0.6, 0.3, 0.8]).double(), "paid": paid[:, 0] + 1}
    tasks = [PaidTask("paid")]
    metrics = StreamedMetrics(tasks, {})
    metrics.update(Predicted(tasks, columns, paid))
    found = metrics.result()
    assert found.metrics == {"pays": {"auc": 1.0}, "paid": {"r2": pytest.approx(1 - 4 / 57)}}
    assert found.left_out == {"pays": ("spearman",), "paid": ()}
