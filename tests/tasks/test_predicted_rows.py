"""Rows with predictions and labels: judged alone as they are judged among others."""

from __future__ import annotations

import torch

from gatewise.metrics import CROSS_ENTROPY
from gatewise.tasks import BinaryTask, Predicted, RegressionTask, Task

F64 = torch.float64


class Colour(Task):
    """A made-up kind that is judged by all its columns together."""

    metrics = (CROSS_ENTROPY,)
    summary = CROSS_ENTROPY
    columns = ("colour_red", "colour_blue")

    def losses(self, scores, targets):
        raise NotImplementedError

    def predict(self, scores):
        raise NotImplementedError

    def evaluate_among(self, labels, predictions, groups=None):
        # a kind may take what it is given for its own
        stacked = torch.stack(list(predictions.values()), dim=1)
        return {self.name: self.evaluate(labels[self.name], stacked, groups)}


TASKS = [BinaryTask("click", grouped=True), RegressionTask("stars", within="click"), Colour("colour")]


def rows() -> Predicted:
    red = torch.tensor([0.2, 0.5, 0.9, 0.4], dtype=F64)
    columns = {
        "click": torch.tensor([0.1, 0.8, 0.4, 0.6], dtype=F64),
        "stars": torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=F64),
        "colour_red": red,
        "colour_blue": 1 - red,
    }
    labels = torch.tensor([[0, 9, 1], [1, 2, 0], [0, 9, torch.nan], [1, 5, 1]], dtype=F64)
    return Predicted(TASKS, columns, labels, torch.tensor([0, 0, 1, -1]))


def test_every_output_is_judged_by_its_own_columns_over_its_own_sample():
    judged = rows().judged()
    assert list(judged) == ["click", "stars", "colour"]
    assert torch.equal(judged["stars"].labels.isnan(), torch.tensor([True, False, True, False]))
    assert judged["colour"].predictions.shape == (4, 2)
    found = rows().evaluate()
    assert found["stars"]["mae"] == 0.5
    assert found["click"]["gauc"] == 1.0
    assert found["colour"]["cross_entropy"] == -torch.tensor([0.8, 0.5, 0.6], dtype=F64).log().mean().item()


def test_chosen_rows_are_judged_alone():
    chosen = torch.tensor([3, 1])
    part = rows().rows(chosen)
    assert len(part) == 2
    again = Predicted(
        TASKS, {n: c[chosen] for n, c in rows().columns.items()}, rows().labels[chosen], torch.tensor([-1, 0])
    )
    assert part.evaluate() == again.evaluate()
    assert part.evaluate()["stars"]["mae"] == 0.5
    assert part.evaluate()["click"]["auc"] is None
    assert len(rows().rows(slice(None))) == 4
