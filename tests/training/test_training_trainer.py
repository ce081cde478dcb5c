from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gatewise.errors import ShapeError, TrainingError
from gatewise.history import EpochRecord
from gatewise.nn import Batch, TensorTable
from gatewise.tasks import BinaryTask, RegressionTask
from gatewise.training import (
    CHECKPOINT,
    Monitor,
    Reporter,
    Stopping,
    Trainer,
    TrainingStep,
    cosine,
    load_checkpoint,
)
from gatewise.training.step import StepResult

MakeTable = Callable[..., TensorTable]
MakeTrainer = Callable[..., Trainer]
NORMS = ["none", "batch", "layer"]


def state_of(trainer: Trainer) -> dict[str, Tensor]:
    return copy.deepcopy({**trainer.model.state_dict(), **trainer.step.balance.state_dict()})


def gradients(trainer: Trainer, table: TensorTable, *groups: Tensor) -> dict[str, Tensor]:
    """Make one step of the given groups of rows and return its gradients."""
    table = trainer.prepare(table)
    trainer.step([table.batch(group) for group in groups or (torch.arange(len(table)),)])
    named = [*trainer.model.named_parameters(), *trainer.step.balance.named_parameters()]
    return {name: torch.zeros_like(p) if p.grad is None else p.grad.to_dense() for name, p in named}


# What weights do


@pytest.mark.parametrize("balance", ["static", "uncertainty"])
def test_doubling_a_tasks_weight_doubles_its_gradient(
    balance: str, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    def of(liked: float, rating: float) -> dict[str, Tensor]:
        return gradients(make_trainer(balance=balance, task_weights=(liked, rating)), make_table())

    only_liked, doubled, only_rating, both = of(1, 0), of(2, 0), of(0, 1), of(2, 1)
    for name in both:
        torch.testing.assert_close(doubled[name], 2 * only_liked[name], atol=1e-7, rtol=1e-6)
        torch.testing.assert_close(both[name], 2 * only_liked[name] + only_rating[name], atol=1e-6, rtol=1e-5)
    assert any(gradient.any() for gradient in only_liked.values())


@pytest.mark.parametrize("balance", ["static", "uncertainty"])
@pytest.mark.parametrize("kept", [0, 1])
def test_weight_zero_is_the_other_task_alone(
    balance: str, kept: int, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    table = make_table()
    weights = (1.0, 0.0) if kept == 0 else (0.0, 1.0)
    switched_off = gradients(make_trainer(balance=balance, task_weights=weights), table)
    table.labels[:, 1 - kept] = math.nan
    alone = gradients(make_trainer(balance=balance), table)
    for name, gradient in alone.items():
        torch.testing.assert_close(switched_off[name], gradient, atol=1e-7, rtol=0)
    assert not alone["towers.weight"][1 - kept].any()


def test_the_unit_of_a_label_moves_no_other_task(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    table, found = make_table(), []
    for scale in (1.0, 1000.0):
        labels = table.labels * torch.tensor([1.0, scale])
        known = labels[:, 1][~labels[:, 1].isnan()]
        rating = RegressionTask("rating", mean=float(known.mean()), std=float(known.std()))
        trainer = make_trainer(tasks=[BinaryTask("liked"), rating])
        trainer.fit(replace(table, labels=labels))
        found.append(state_of(trainer))
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value, atol=1e-5, rtol=0)


# Missing labels


@pytest.mark.parametrize("garbage", [math.nan, math.inf, 1e30])
def test_a_label_of_weight_zero_changes_nothing(
    garbage: float, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    found = []
    for value in (0.0, garbage):
        table = make_table(weighted=True)
        table.weights[::3, 1] = 0
        table.labels[::3, 1] = value
        trainer = make_trainer(balance="uncertainty")
        trainer.fit(table)
        found.append((trainer.history[-1].train, state_of(trainer)))
    assert found[0][0] == found[1][0]
    assert all(torch.equal(value, found[1][1][name]) for name, value in found[0][1].items())


@pytest.mark.parametrize("balance", ["static", "uncertainty"])
def test_a_batch_without_labels_moves_nothing(balance: str, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    trainer, table = make_trainer(balance=balance), make_table(8)
    table.labels[:] = math.nan
    before = state_of(trainer)
    assert not any(gradient.any() for gradient in gradients(trainer, table).values())
    assert all(torch.equal(value, before[name]) for name, value in state_of(trainer).items())
    record = trainer.run_epoch(trainer.prepare(table))
    assert record.train["liked"]["loss"] == record.train["rating"]["loss"] == 0


# Accumulation, clipping


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("balance", ["static", "uncertainty"])
@pytest.mark.parametrize("rows", [32, 29])
def test_accumulating_is_one_large_batch(
    weighted: bool, balance: str, rows: int, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    table = make_table(rows, missing=0.4, weighted=weighted)
    table.labels[8:16, 0] = math.nan  # one of the small batches has no label of the first task
    found = []
    for size in (8, rows):
        trainer = make_trainer(balance=balance, l2_embedding=0.05, l2_dense=0.01, weight_decay=0.1, lr=0.5)
        steps = gradients(trainer, table, *torch.arange(rows).split(size))
        found.append((steps, state_of(trainer)))
    for left, right in zip(*found, strict=True):
        for name, value in left.items():
            torch.testing.assert_close(value, right[name], atol=1e-6, rtol=0)


def test_a_whole_training_accumulates(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    steps = []

    class Counting(Reporter):
        def on_step_end(self, losses: Tensor) -> None:
            steps.append(losses)

        def on_training_start(self, epochs: int, steps: int, first_epoch: int) -> None:
            assert (epochs, steps, first_epoch) == (3, 2, 1)

    found = []
    for options in ({"batch_size": 8, "accumulate": 4}, {"batch_size": 32}):
        trainer = make_trainer(**options, l2_dense=0.01, reporter=Counting())
        trainer.fit(make_table(45))
        found.append((state_of(trainer), [record.train for record in trainer.history]))
    assert len(steps) == 2 * 3 * 2
    for name, value in found[0][0].items():
        torch.testing.assert_close(value, found[1][0][name], atol=1e-6, rtol=0)
    for left, right in zip(found[0][1], found[1][1], strict=True):
        assert left["rating"] == pytest.approx(right["rating"], abs=1e-5)


def test_clipping_keeps_the_direction(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    def flat(**options: float) -> Tensor:
        of = gradients(make_trainer(balance="uncertainty", **options), make_table())
        return torch.cat([gradient.flatten() for gradient in of.values()])

    free, clipped, loose = flat(), flat(clip_norm=0.01), flat(clip_norm=1e6)
    assert clipped.norm().item() == pytest.approx(0.01, rel=1e-3)
    torch.testing.assert_close(clipped / clipped.norm(), free / free.norm(), atol=1e-5, rtol=0)
    assert torch.equal(loose, free)


# The best epoch


class Scripted(Trainer):
    """Evaluates to a scripted value an epoch."""

    script: tuple[float, ...] = ()
    metric = ("liked", "auc")

    def evaluate(self, table: TensorTable) -> dict[str, dict[str, float | None]]:
        task, metric = self.metric
        return {task: {metric: self.script[len(self.history)]}}


class Snapshots(Reporter):
    """Keeps every epoch's weights."""

    def __init__(self) -> None:
        self.trainer: Trainer | None = None
        self.weights: list[dict[str, Tensor]] = []
        self.reason = ""

    def on_epoch_end(self, record: EpochRecord) -> None:
        self.weights.append(copy.deepcopy(self.trainer.model.state_dict()))

    def on_training_end(self, reason: str) -> None:
        self.reason = reason


@pytest.mark.parametrize(
    ("metric", "script", "patience", "epochs", "best"),
    [
        ("liked.auc", (0.6, 0.9, 0.7, 0.8), None, 4, 2),
        ("liked.auc", (0.6, 0.9, 0.7, 0.8), 2, 4, 2),
        ("liked.auc", (0.6, 0.7, 0.8, 0.9), 1, 4, 4),
        ("liked.auc", (0.6, 0.9, 0.7, 0.95), 1, 3, 2),
        ("rating.rmse", (1.2, 0.9, 1.1, 1.0), None, 4, 2),
        ("rating.rmse", (1.2, 0.9, 1.1, 1.0), 2, 4, 2),
        ("rating.rmse", (1.2, 1.1, 1.0, 0.9), 2, 4, 4),
        ("rating.rmse", (0.9, 1.1, 1.2, 0.8), 2, 3, 1),
        ("rating.r2", (-3.0, -1.0, -2.0, -1.5), None, 4, 2),
        ("liked.log_loss", (0.9, 0.9, 0.5, 0.5), None, 4, 3),
    ],
)
def test_the_best_epochs_weights_come_back(
    metric: str,
    script: tuple[float, ...],
    patience: int | None,
    epochs: int,
    best: int,
    make_table: MakeTable,
    make_trainer: MakeTrainer,
) -> None:
    tasks = [BinaryTask("liked"), RegressionTask("rating", mean=3.0)]
    snapshots = Snapshots()
    trainer = make_trainer(
        kind=Scripted,
        tasks=tasks,
        monitor=Monitor(metric, tasks),
        stopping=Stopping(patience),
        epochs=4,
        norm="batch",
        reporter=snapshots,
    )
    trainer.script, trainer.metric, snapshots.trainer = script, tuple(metric.split(".")), trainer
    history = trainer.fit(make_table(), make_table(20, seed=1))
    assert len(history) == len(snapshots.weights) == epochs
    assert [record.epoch for record in history] == list(range(1, epochs + 1))
    assert max(record.epoch for record in history if record.best) == best == trainer.stopping.best_epoch
    assert all(torch.equal(v, snapshots.weights[best - 1][k]) for k, v in trainer.model.state_dict().items())
    exhausted = patience is not None and epochs - best >= patience
    assert snapshots.reason == ("patience is used up" if exhausted else "all epochs done")


def test_the_best_epoch_of_a_real_training(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    valid = make_table(30, seed=5)
    trainer = make_trainer(lr=1.2, epochs=12, stopping=Stopping(None))
    trainer.monitor = Monitor("rating.rmse", trainer.tasks)
    history = trainer.fit(make_table(), valid)
    errors = [record.valid["rating"]["rmse"] for record in history]
    assert errors.index(min(errors)) < len(errors) - 1  # or the last epoch's weights would do
    assert trainer.evaluate(valid)["rating"]["rmse"] == min(errors)


def test_without_a_validation_table_the_last_epoch_stays(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    snapshots = Snapshots()
    trainer = make_trainer(reporter=snapshots)
    snapshots.trainer = trainer
    history = trainer.fit(make_table())
    assert all(torch.equal(v, snapshots.weights[-1][k]) for k, v in trainer.model.state_dict().items())
    assert [(record.valid, record.score, record.best) for record in history] == [({}, None, False)] * 3


def test_what_cannot_be_monitored_is_known_before_the_first_epoch(
    make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    trainer, valid = make_trainer(), make_table(10, seed=1)
    before = state_of(trainer)
    valid.labels[:] = math.nan
    with pytest.raises(TrainingError, match="monitor 'mean' is undefined on the validation table"):
        trainer.fit(make_table(), valid)
    assert all(torch.equal(value, before[name]) for name, value in state_of(trainer).items())


# Same seed, same numbers


def test_same_seed_same_numbers(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    found = []
    for seed, callers in ((3, 1), (3, 2), (4, 1)):
        torch.manual_seed(callers)
        trainer = make_trainer(seed=seed, dropout=0.3, norm="batch", optimizer="adamw", balance="uncertainty")
        trainer.fit(make_table(), make_table(20, seed=1))
        found.append((state_of(trainer), [(r.train, r.valid) for r in trainer.history]))
    assert found[0][1] == found[1][1]
    assert all(torch.equal(value, found[1][0][name]) for name, value in found[0][0].items())
    assert found[0][1] != found[2][1]


def test_the_callers_random_state_is_left_alone(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(dropout=0.3)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    trainer.fit(make_table(), make_table(20, seed=1))
    assert torch.equal(torch.get_rng_state(), before)


def test_epochs_see_rows_in_another_order(
    make_table: MakeTable, make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders, step = [], TrainingStep.__call__

    def listening(self: TrainingStep, batches: list[Batch]) -> StepResult:
        orders.append([float(x) for batch in batches for x in batch.inputs.floats[:, 0]])
        return step(self, batches)

    monkeypatch.setattr(TrainingStep, "__call__", listening)
    trainer = make_trainer(batch_size=40)
    trainer.fit(make_table())
    assert orders[0] != orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(make_table().floats[:, 0].tolist())


# One row, odd precision, things that go wrong


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("rows", [17, 1])
def test_a_last_batch_of_one_row_trains(norm: str, rows: int, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    trainer, table = make_trainer(norm=norm, dropout=0.1), make_table(rows, missing=0.0)
    before = state_of(trainer)
    history = trainer.fit(table)
    assert all(math.isfinite(history[-1].train[task]["loss"]) for task in ("liked", "rating"))
    assert any(not torch.equal(value, before[name]) for name, value in state_of(trainer).items())


def test_bf16_trains_to_near_fp32(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        trainer = make_trainer(precision=precision, epochs=15, lr=0.02, momentum=0.5)
        train = make_table(200)
        history = trainer.fit(train)
        losses[precision] = [history[-1].train[task]["loss"] for task in ("liked", "rating")]
        assert losses[precision][1] < history[0].train["rating"]["loss"] * 0.6
        assert {p.dtype for p in trainer.model.parameters()} == {torch.float32}
        with trainer.step.autocast():
            _, gates = trainer.model.score(train, gates=True)
        torch.testing.assert_close(gates.sum(dim=2), torch.ones(200, 2), atol=1e-6, rtol=0)
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.25, abs=0.02)
    assert losses["bf16"] != losses["fp32"]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "rmsprop"])
def test_fp16_leaves_out_a_step_that_overflows(
    optimizer: str, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    def schedule(optimizer: torch.optim.Optimizer) -> object:
        return cosine(optimizer, total=2, warmup=0, floor=0.5, unit="step")

    trainer = make_trainer(optimizer=optimizer, precision="fp16", schedule=schedule, lr=0.01)
    table = make_table(missing=0.0)
    table.floats[:] *= 3000
    before = state_of(trainer)
    trainer.step([trainer.prepare(table).batch(torch.arange(40))])
    assert all(torch.equal(value, before[name]) for name, value in state_of(trainer).items())
    assert trainer.step.optimizer.param_groups[0]["lr"] == 0.01


class Breaking(RegressionTask):
    broken = False

    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        return super().losses(scores, targets) * (math.inf if self.broken else 1)


def test_a_loss_that_is_not_finite_names_its_task(
    tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    tasks = [BinaryTask("liked"), Breaking("rating", mean=3.0)]

    class AfterTwo(Reporter):
        def on_epoch_end(self, record: EpochRecord) -> None:
            tasks[1].broken = record.epoch == 2

    trainer = make_trainer(tasks=tasks, run_dir=tmp_path, reporter=AfterTwo(), epochs=5)
    with pytest.raises(TrainingError, match=r"the loss of task 'rating' became (inf|nan) in epoch 3: try a lower lr"):
        trainer.fit(make_table(), make_table(20, seed=1))
    assert [record["epoch"] for record in load_checkpoint(tmp_path / CHECKPOINT)["history"]] == [1, 2]
    assert all(value.isfinite().all() for value in trainer.model.state_dict().values())
    tasks[1].broken = False
    again = make_trainer(tasks=tasks, run_dir=tmp_path, epochs=4)
    assert [record.epoch for record in again.fit(make_table(), make_table(20, seed=1), resume=True)] == [1, 2, 3, 4]


@pytest.mark.parametrize("validated", [False, True])
def test_weights_that_the_last_step_broke(
    validated: bool, tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(lr=3e38, momentum=0.0, batch_size=40, epochs=1, run_dir=tmp_path)
    valid = make_table(20, seed=1) if validated else None
    table = make_table()
    table.floats[:] *= 1e4
    with pytest.raises(TrainingError, match=r"the weights '.*' became infinite or NaN in epoch 1"):
        trainer.fit(table, valid)
    assert load_checkpoint(tmp_path / CHECKPOINT)["history"] == []


def test_an_id_out_of_range_is_found_before_training(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    table = make_table()
    table.ids[3, 0] = 8
    with pytest.raises(ShapeError, match="feature 'user': id 8 is out of range, its table has rows 0 to 7"):
        make_trainer().fit(table)
    with pytest.raises(ShapeError, match="feature 'user': id 8"):
        make_trainer().fit(make_table(), table)
