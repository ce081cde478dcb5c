from __future__ import annotations

import math

import pytest
import torch

from gatewise.tasks import MulticlassTask
from gatewise.tasks.multiclass import macro_auc
from sklearn import metrics as sk

NAN = math.nan


def test_loss_and_predictions_by_hand() -> None:
    task = MulticlassTask("device", classes=["phone", "tv", "web"])
    scores = torch.tensor([[0.0, math.log(2), math.log(3)]])
    assert task.predict(scores).tolist()[0] == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    assert task.losses(scores, torch.tensor([2.0])).item() == pytest.approx(math.log(2))
    assert task.columns == ("device[phone]", "device[tv]", "device[web]")
    assert task.outputs == ("device",)


def test_an_untrained_task_predicts_the_rates() -> None:
    task = MulticlassTask("device", classes=[7, 9], rates=[0.9, 0.1])
    assert task.predict(torch.tensor([task.initial_bias])).tolist()[0] == pytest.approx([0.9, 0.1])
    assert task.columns == ("device[7]", "device[9]")


def test_rates_are_learnt(inputs, fitted) -> None:
    labels = torch.multinomial(torch.tensor([0.2, 0.5, 0.3]), 50_000, True, generator=torch.Generator().manual_seed(0))
    task = MulticlassTask("y", classes=[0, 1, 2])
    learnt = task.predict(fitted(task, inputs[:, :1], labels.double()))[0]
    torch.testing.assert_close(learnt, labels.bincount().double() / 50_000, atol=1e-4, rtol=0)


def test_metrics_are_scikit_learns() -> None:
    draw = torch.Generator().manual_seed(0)
    task = MulticlassTask("y", classes=["a", "b", "c"])
    labels = torch.randint(0, 3, (200,), generator=draw).double()
    labels[:20] = NAN
    shares = torch.randn(200, 3, generator=draw, dtype=torch.float64).softmax(dim=1)
    found = task.evaluate_among({"y": labels}, dict(zip(task.columns, shares.unbind(dim=1), strict=True)))
    y, p = labels[20:].numpy(), shares[20:].numpy()
    expected = {
        "accuracy": sk.accuracy_score(y, p.argmax(axis=1)),
        "cross_entropy": sk.log_loss(y, p),
        "macro_auc": sk.roc_auc_score(y, p, multi_class="ovr", average="macro"),
    }
    assert found == {"y": pytest.approx(expected, abs=1e-9)}


def test_classes_that_no_row_has_are_left_out_of_the_mean() -> None:
    shares = torch.tensor([[0.2, 0.7, 0.1], [0.3, 0.6, 0.1], [0.8, 0.1, 0.1]])
    assert macro_auc(torch.tensor([0, 1, 0]), shares) == pytest.approx((0.5 + 0.5) / 2)
    assert macro_auc(torch.tensor([1, 1, 1]), shares) is None
    assert macro_auc(torch.tensor([]), shares[:0]) is None
