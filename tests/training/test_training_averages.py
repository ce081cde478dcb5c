"""Averages of weights: equal to their definition, judged as they are saved, and the same bits after a resume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from test_training_processes import Ranks
from test_training_resume import EVERYTHING, assert_same
from test_training_within_epoch import assert_goes_on
from torch import Tensor

from gatewise.errors import ArtefactError
from gatewise.nn import MultiTaskModel, TensorTable
from gatewise.training import Averages, LastEpochs, MovingAverages, Reporter, Trainer

MakeTable = Callable[..., TensorTable]
MakeTrainer = Callable[..., Trainer]
DECAY = 0.8
DENSE = "towers.weight"


def moving(model: MultiTaskModel, optimizer: torch.optim.Optimizer) -> Averages:
    return MovingAverages(model, optimizer, DECAY)


def last_two(model: MultiTaskModel, optimizer: torch.optim.Optimizer) -> Averages:
    return LastEpochs(model, optimizer, 2)


class Watch(Reporter):
    """Copies the weights after every step, and at the end of every epoch."""

    trainer: Trainer

    def __init__(self) -> None:
        self.steps: list[dict[str, Tensor]] = []
        self.epochs: list[dict[str, Tensor]] = []

    def weights(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.trainer.model.state_dict().items()}

    def on_step_end(self, losses: Tensor) -> None:
        self.steps.append(self.weights())

    def on_epoch_end(self, record: Any) -> None:
        self.epochs.append(self.weights())


def watched(make_trainer: MakeTrainer, **options: Any) -> tuple[Trainer, Watch]:
    watch = Watch()
    watch.trainer = make_trainer(reporter=watch, **options)
    return watch.trainer, watch


def by_definition(steps: list[dict[str, Tensor]], name: str) -> Tensor:
    shares = [(1 - DECAY) * DECAY ** (len(steps) - step) for step in range(1, len(steps) + 1)]
    return sum(share * each[name].double() for share, each in zip(shares, steps, strict=True)) / sum(shares)


@pytest.mark.parametrize("update", ["lazy", "dense", "rowwise_adagrad"])
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_moving_average_is_that_of_all_steps(
    update: str, norm: str, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    options = {"optimizer": "adam", "lr": 0.02, "embedding_update": update, "norm": norm, "batch_size": 3}
    trainer, watch = watched(make_trainer, averages=moving, **options)
    trainer.fit(make_table(10))
    # no row of an embedding table has been read by every step
    assert len(watch.steps) == 12
    for name, value in trainer.model.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value.double(), by_definition(watch.steps, name), atol=1e-6, rtol=1e-5)
    assert not torch.equal(trainer.model.state_dict()[DENSE], watch.steps[-1][DENSE])


def test_a_step_touches_only_the_averages_of_its_rows(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    table = make_table(4, missing=0.0)
    trainer = make_trainer(averages=moving, epochs=1, batch_size=4)
    averages = trainer.averages
    assert isinstance(averages, MovingAverages)
    before = {name: value.clone() for name, value in averages.state_dict()["moving"].items()}
    table = trainer.prepare(table)
    for _ in range(3):
        trainer.step([next(iter(trainer._batches(table, 1, 0)))])
    name = next(name for name in before if "tables" in name and before[name].shape[1] == 3)
    moved = (averages.state_dict()["moving"][name] != before[name]).any(dim=1).nonzero()[:, 0].tolist()
    assert moved == sorted(set(table.ids[:, 0].tolist()))
    assert averages.state_dict()["computed"][name].tolist() == [3 if row in moved else 0 for row in range(8)]


@pytest.mark.parametrize("averages", [moving, last_two])
def test_what_is_judged_is_what_is_kept_and_training_goes_on_with_the_weights(
    averages: Any, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    train, valid = make_table(), make_table(20, seed=1)
    trainer, watch = watched(make_trainer, averages=averages, epochs=4)
    history = trainer.fit(train, valid)
    _, plain = watched(make_trainer, epochs=4)
    plain.trainer.fit(train, valid)
    for left, right in zip(watch.steps, plain.steps, strict=True):
        assert all(torch.equal(left[name], right[name]) for name in left)
    best = max((record for record in history if record.best), key=lambda record: record.epoch)
    assert trainer.evaluate(valid.prepared(trainer.model.input_layer.read_texts)) == best.valid


def test_the_only_epoch_is_averaged_too(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    trainer, watch = watched(make_trainer, averages=moving, epochs=1)
    trainer.fit(make_table())
    torch.testing.assert_close(trainer.model.state_dict()[DENSE].double(), by_definition(watch.steps, DENSE))


def test_mean_of_the_last_epochs(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    trainer, watch = watched(make_trainer, averages=last_two, epochs=4)
    trainer.fit(make_table())
    for name, value in trainer.model.state_dict().items():
        mean = (watch.epochs[-1][name] + watch.epochs[-2][name]) / 2
        torch.testing.assert_close(value, mean)


@pytest.mark.parametrize("averages", [moving, last_two])
@pytest.mark.parametrize("step", [3, 7])
def test_resumed_is_never_stopped(
    averages: Any, step: int, tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    options = {**EVERYTHING, "averages": averages, "optimizer": "adam", "accumulate": 1}
    assert_goes_on(step, options, tmp_path / "within", make_table, make_trainer)
    whole = make_trainer(**options, epochs=4, run_dir=tmp_path / "between")
    whole.fit(make_table())
    part = make_trainer(**options, epochs=2, run_dir=tmp_path / "part")
    part.fit(make_table())
    resumed = make_trainer(**options, epochs=4, run_dir=tmp_path / "part")
    resumed.fit(make_table(), resume=True)
    assert_same(resumed, whole)


@pytest.mark.parametrize(("first", "then"), [(moving, last_two), (last_two, moving), (moving, None), (None, moving)])
def test_a_checkpoint_with_another_average_is_refused(
    first: Any, then: Any, tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    make_trainer(averages=first, epochs=1, run_dir=tmp_path).fit(make_table())
    with pytest.raises(ArtefactError, match=r"does not fit this training: expected .*found"):
        make_trainer(averages=then, epochs=2, run_dir=tmp_path).fit(make_table(), resume=True)


@pytest.mark.parametrize("averages", [moving, last_two])
def test_replicas_are_equal(averages: Any, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    train, valid = make_table(), make_table(20, seed=1)
    options = {"averages": averages, "optimizer": "adam", "lr": 0.02}
    alone = make_trainer(**options)
    alone.fit(train, valid)
    trainers = Ranks(2).run(
        lambda rank: make_trainer(processes=rank, **options), lambda trainer: trainer.fit(train, valid)
    )
    for name, value in alone.model.state_dict().items():
        found = [trainer.model.state_dict()[name] for trainer in trainers]
        assert torch.equal(*found)
        torch.testing.assert_close(found[0], value, atol=2e-5, rtol=2e-4)
