"""Any module, trained on plain tensors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gatewise.balance import MGDA, GradNorm, Uncertainty
from gatewise.errors import DeclarationError, ShapeError
from gatewise.nn import MMoEModel
from gatewise.tasks import BinaryTask, MulticlassTask, RegressionTask
from gatewise.training import fit_module

TASKS = [BinaryTask("click"), RegressionTask("stars")]
ROWS = 240


def made(seed: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
    """Return rows with labels, of which a third is missing in each task."""
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(ROWS, 4, generator=draws)
    labels = {"click": (x[:, 0] + x[:, 1] > 0).float(), "stars": 3 + 2 * x[:, 2]}
    for values in labels.values():
        values[torch.rand(ROWS, generator=draws) < 0.33] = torch.nan
    return x, labels


class Pair(nn.Module):
    """A bottom and a head per task, with every way of giving outputs."""

    def __init__(self, form: str = "list") -> None:
        super().__init__()
        torch.manual_seed(0)
        self.bottom = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.1))
        self.heads = nn.ModuleList([nn.Linear(16, 1), nn.Linear(16, 1)])
        self.form = form

    def forward(self, x: Tensor) -> object:
        hidden = self.bottom(x)
        click, stars = (head(hidden) for head in self.heads)
        return {
            "list": [click, stars.squeeze(1)],
            "tuple": (click, stars),
            "tensor": torch.cat([click, stars], dim=1),
            "mapping": {"stars": stars, "click": click},
        }[self.form]


def trained(module: nn.Module, **options: object) -> list:
    x, labels = made()
    how = {"valid": made(1), "lr": 0.02, "epochs": 15, "batch_size": 32} | options
    return fit_module(module, x, labels, TASKS, **how)


@pytest.mark.parametrize("form", ["list", "tuple", "tensor", "mapping"])
def test_every_form_of_outputs_gives_the_same_training(form: str) -> None:
    model, reference = Pair(form), Pair("list")
    history, expected = trained(model, epochs=3), trained(reference, epochs=3)
    assert [record.train for record in history] == [record.train for record in expected]
    for one, two in zip(model.parameters(), reference.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("balance", [None, Uncertainty([1.0, 0.5]), MGDA(at="experts"), GradNorm(2, at="experts")])
def test_both_tasks_are_learnt_with_any_rule(balance) -> None:
    model = Pair()
    history = trained(model, balance=balance, clip_norm=5.0)
    best = max(history, key=lambda record: record.score)
    assert best.valid["click"]["auc"] > 0.95
    assert best.valid["stars"]["r2"] > 0.5
    if isinstance(balance, Uncertainty):
        assert (balance.log_variances != 0).all()


def test_the_best_epochs_weights_come_back() -> None:
    model = Pair()
    history = trained(model, lr=0.5, patience=2, epochs=30)
    assert len(history) < 30
    best = next(record for record in reversed(history) if record.best)
    x, labels = made(1)
    with torch.no_grad():
        click = model.eval()(x)[0].squeeze(1)
    kept = ~labels["click"].isnan()
    higher, lower = (click[kept & (labels["click"] == label)] for label in (1, 0))
    ahead = (higher.unsqueeze(1) - lower).sign().mean() / 2 + 0.5
    assert float(ahead) == pytest.approx(best.valid["click"]["auc"], abs=1e-6)


def test_missing_labels_change_no_other_loss_and_train_nothing() -> None:
    x, labels = made()
    few = labels | {"stars": torch.full((ROWS,), torch.nan)}
    with_stars, without = Pair(), Pair()
    one, two = (
        fit_module(model, x, own, TASKS, epochs=1, batch_size=ROWS)
        for model, own in ((with_stars, labels), (without, few))
    )
    assert one[0].train["click"]["loss"] == two[0].train["click"]["loss"]
    still = Pair()
    before = still.heads[1].weight.clone()
    fit_module(still, x, few, TASKS, epochs=2, optimizer="sgd", weight_decay=0.0)
    assert torch.equal(still.heads[1].weight, before)


class Mixed(nn.Module):
    """Reads large ids, pixels and flags by name."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []
        self.pixels = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 3 * 3, 3))

    def forward(self, ids: Tensor, image: Tensor, flag: Tensor) -> list[Tensor]:
        assert ids.dtype == torch.int64
        assert flag.dtype == torch.bool
        assert image.shape[1:] == (1, 5, 5)
        self.seen.append(ids.flatten())
        scores = self.pixels(image)
        return [scores[:, :1] + flag.unsqueeze(1), scores]


def test_inputs_of_any_shape_and_type_arrive_unchanged() -> None:
    torch.manual_seed(0)
    ids = 2**40 + torch.arange(50).unsqueeze(1)
    inputs = {"ids": ids, "image": torch.randn(50, 1, 5, 5), "flag": torch.rand(50) < 0.5}
    labels = {"click": (inputs["image"].mean(dim=(1, 2, 3)) > 0).float(), "kind": torch.arange(50.0) % 3}
    tasks = [BinaryTask("click"), MulticlassTask("kind", classes=[0, 1, 2], rates=[1 / 3] * 3)]
    model = Mixed()
    history = fit_module(model, inputs, labels, tasks, epochs=2, batch_size=20)
    assert sorted(torch.cat(model.seen[:3]).tolist()) == ids.flatten().tolist()
    assert len(history) == 2


def test_a_whole_mmoe_in_five_lines() -> None:
    torch.manual_seed(0)
    model = MMoEModel(input_dim=4, expert_hidden_dims=[16], tower_hidden_dims=[8], dropout_rate=0.0)
    history = trained(model)
    assert max(record.score for record in history) > 0.8


def test_resumed_training_gives_the_numbers_of_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, parts = Pair(), Pair()
    expected = trained(whole, epochs=6, patience=None)
    trained(parts, epochs=3, patience=None, run_dir=tmp_path)
    found = trained(Pair(), epochs=6, patience=None, run_dir=tmp_path, resume=True)
    assert [record.train for record in found] == [record.train for record in expected]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"labels": {"click": torch.zeros(ROWS), "star": torch.zeros(ROWS)}},
            DeclarationError,
            "labels: task 'stars' has none .*; did you mean 'star'",
        ),
        (
            {"labels": {"click": torch.zeros(ROWS), "stars": torch.zeros(3)}},
            ShapeError,
            r"labels of 'stars': expected \[240\], found \[3\]",
        ),
        (
            {"inputs": [torch.zeros(ROWS, 4), torch.zeros(3)]},
            ShapeError,
            r"inputs\[1\]: expected 240 rows as in the first, found 3",
        ),
        ({"inputs": []}, ShapeError, "inputs: expected one tensor or more, found none"),
        (
            {"module": nn.Linear(4, 3)},
            ShapeError,
            r"outputs: expected scores \[batch, 2, those of click, stars\], found \[32, 3\]",
        ),
        (
            {"balance": MGDA()},
            DeclarationError,
            "balance: MGDA takes gradients at the input layer's output, .* give it at='experts'",
        ),
        ({"monitor": "clik.auc"}, DeclarationError, "monitor 'clik.auc': no task 'clik'"),
    ],
)
def test_what_cannot_work_is_refused(change: dict, error: type[Exception], message: str) -> None:
    x, labels = made()
    how = {"module": Pair(), "inputs": x, "labels": labels, "tasks": TASKS, "batch_size": 32, "epochs": 1} | change
    with pytest.raises(error, match=message):
        fit_module(**how)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (
            lambda y: {"click": y[:, :1], "star": y[:, 1:]},
            "outputs: expected the tasks click, stars, found click, star",
        ),
        (lambda y: [y], "outputs: expected 2 tensors, one per task, found 1"),
        (lambda y: "yes", "outputs: expected a tensor, or one per task, found str"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(outputs, message: str) -> None:
    class Odd(nn.Linear):
        def forward(self, x: Tensor) -> object:
            return outputs(super().forward(x))

    x, labels = made()
    with pytest.raises(ShapeError, match=message):
        fit_module(Odd(4, 2), x, labels, TASKS, epochs=1)
