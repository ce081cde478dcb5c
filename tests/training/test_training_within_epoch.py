"""A training that was killed within an epoch goes on at the step of its last checkpoint, bit for bit."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_training_resume import BALANCES, EVERYTHING, SCHEDULES, assert_same
from torch import Tensor

from gatewise.errors import ArtefactError
from gatewise.nn import TensorTable
from gatewise.training import CHECKPOINT, Reporter, Trainer, load_checkpoint

MakeTable = Callable[..., TensorTable]
MakeTrainer = Callable[..., Trainer]


class Killed(BaseException):
    """Stands for a kill: no code catches it."""


class KillsAt(Reporter):
    """Ends the training in a step, before the checkpoint of that step."""

    def __init__(self, step: int) -> None:
        self.left = step

    def on_step_end(self, losses: Tensor) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


def assert_goes_on(
    step: int, options: dict[str, Any], tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    train, valid = make_table(weighted=True), make_table(20, seed=1)
    whole = make_trainer(**options, epochs=3, run_dir=tmp_path / "whole")
    whole.fit(train, valid)
    part = make_trainer(**options, epochs=3, run_dir=tmp_path / "part", save_seconds=0.0, reporter=KillsAt(step))
    with pytest.raises(Killed):
        part.fit(train, valid)
    under_way = load_checkpoint(tmp_path / "part" / CHECKPOINT)["under_way"]
    resumed = make_trainer(**options, epochs=3, run_dir=tmp_path / "part", save_seconds=0.0)
    resumed.fit(train, valid, resume=True)
    assert_same(resumed, whole)
    steps = 5 // options.get("accumulate", 1) + 5 % options.get("accumulate", 1)
    reached = (step - 1) % steps
    assert (0 if under_way is None else len(under_way["progress"]["results"])) == reached


@pytest.mark.parametrize("balance", BALANCES)
def test_every_balancing_rule(balance: str, tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    options = {**EVERYTHING, "balance": balance, "accumulate": 1, "conflict_every": 2}
    assert_goes_on(2 + BALANCES.index(balance) % 12, options, tmp_path, make_table, make_trainer)


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "adagrad", "rmsprop", "sgd"])
@pytest.mark.parametrize("schedule", [*SCHEDULES])
def test_every_optimizer_and_schedule_with_accumulated_batches(
    optimizer: str, schedule: str, tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    options = {**EVERYTHING, "optimizer": optimizer, "schedule": SCHEDULES[schedule]}
    step = 2 + (len(optimizer) + len(schedule)) % 7
    assert_goes_on(step, options, tmp_path, make_table, make_trainer)


@pytest.mark.parametrize("step", range(1, 16))
def test_every_step(step: int, tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    assert_goes_on(step, {**EVERYTHING, "accumulate": 1}, tmp_path, make_table, make_trainer)


def test_the_only_epoch_keeps_no_second_copy_of_the_weights(
    tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    train, valid = make_table(), make_table(20, seed=1)
    once = make_trainer(**EVERYTHING, epochs=1, run_dir=tmp_path)
    once.fit(train, valid)
    assert once.best_weights is None
    # the first epoch is kept when the training goes on, as if it had never ended
    more = make_trainer(**EVERYTHING, epochs=3, run_dir=tmp_path)
    more.fit(train, valid, resume=True)
    whole = make_trainer(**EVERYTHING, epochs=3, run_dir=tmp_path / "whole")
    whole.fit(train, valid)
    assert_same(more, whole)


def test_a_run_that_is_under_way_is_not_begun_anew(
    tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    part = make_trainer(**EVERYTHING, epochs=3, run_dir=tmp_path, save_seconds=0.0, reporter=KillsAt(3))
    with pytest.raises(Killed):
        part.fit(make_table())
    with pytest.raises(ArtefactError, match="holds an earlier training that is not at its end, of 0 epochs"):
        make_trainer(**EVERYTHING, epochs=3, run_dir=tmp_path).fit(make_table())


class Terminates(Reporter):
    """Sends SIGTERM to this process in a step."""

    def __init__(self, step: int) -> None:
        self.left = step

    def on_step_end(self, losses: Tensor) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_writes_a_checkpoint_and_ends(tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    train = make_table()
    whole = make_trainer(**EVERYTHING, epochs=3, run_dir=tmp_path / "whole")
    whole.fit(train)
    part = make_trainer(**EVERYTHING, epochs=3, run_dir=tmp_path / "part", reporter=Terminates(4))
    with pytest.raises(SystemExit) as ended:
        part.fit(train)
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    resumed = make_trainer(**EVERYTHING, epochs=3, run_dir=tmp_path / "part")
    resumed.fit(train, resume=True)
    assert_same(resumed, whole)
