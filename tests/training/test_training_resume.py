from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from gatewise import declare
from gatewise.errors import ArtefactError
from gatewise.history import EpochRecord
from gatewise.nn import TensorTable
from gatewise.training import (
    CHECKPOINT,
    HISTORY,
    Reporter,
    Stopping,
    Trainer,
    cosine,
    load_checkpoint,
    plateau,
    step_decay,
)
from gatewise.training.run_folder import DEFAULTS, differences

MakeTable = Callable[..., TensorTable]
MakeTrainer = Callable[..., Trainer]
BALANCES = [kind for cls in get_args(get_args(declare.AnyBalance)[0]) if (kind := cls().kind) != "tuned_static"]
STEPS = 3  # an epoch of 40 rows in batches of 8, two of which make a step

SCHEDULES: dict[str, Callable[[torch.optim.Optimizer], Any] | None] = {
    "none": None,
    "step by epoch": lambda o: step_decay(o, every=2, factor=0.5, unit="epoch"),
    "step by step": lambda o: step_decay(o, every=4, factor=0.7, unit="step"),
    "cosine by epoch": lambda o: cosine(o, total=4, warmup=0.4, floor=0.1, unit="epoch"),
    "cosine by step": lambda o: cosine(o, total=4 * STEPS, warmup=0.2, floor=0.0, unit="step"),
    "plateau": lambda o: plateau(o, patience=0, factor=0.3),
}
EVERYTHING = {
    "dropout": 0.3,
    "norm": "batch",
    "balance": "uncertainty",
    "accumulate": 2,
    "clip_norm": 1.0,
    "weight_decay": 0.01,
    "l2_dense": 0.001,
    "lr": 0.02,
    "seed": 5,
}


def same(left: Any, right: Any) -> bool:
    if isinstance(left, Tensor):
        return left.shape == right.shape and bool(((left == right) | (left.isnan() & right.isnan())).all())
    if isinstance(left, dict):
        # no clock runs twice alike
        keys = left.keys() - {"seconds", "rows_per_second"}
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in keys)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def assert_same(left: Trainer, right: Trainer) -> None:
    """Compare weights, and everything that the checkpoints of the last epoch hold, bit for bit."""
    assert same(dict(left.model.state_dict()), dict(right.model.state_dict()))
    states = [load_checkpoint(trainer.run_dir / CHECKPOINT) for trainer in (left, right)]
    for part in states[0]:
        assert same(states[0][part], states[1][part]), part


@pytest.mark.parametrize(
    ("optimizer", "schedule", "stopped_after"),
    [(name, "none", 2) for name in ("adamw", "adam", "adagrad", "rmsprop", "sgd")]
    + [("adamw", name, 1 + position % 3) for position, name in enumerate(SCHEDULES) if name != "none"],
)
def test_resumed_is_never_stopped(
    optimizer: str,
    schedule: str,
    stopped_after: int,
    tmp_path: Path,
    make_table: MakeTable,
    make_trainer: MakeTrainer,
) -> None:
    train, valid = make_table(), make_table(20, seed=1)
    options = {**EVERYTHING, "optimizer": optimizer, "schedule": SCHEDULES[schedule]}
    whole = make_trainer(**options, epochs=4, run_dir=tmp_path / "whole")
    whole.fit(train, valid)
    make_trainer(**options, epochs=stopped_after, run_dir=tmp_path / "part").fit(train, valid)
    torch.manual_seed(stopped_after)  # whatever happened in between
    resumed = make_trainer(**options, epochs=4, run_dir=tmp_path / "part")
    assert [record.epoch for record in resumed.fit(train, valid, resume=True)] == [1, 2, 3, 4]
    assert_same(resumed, whole)
    assert len({record.lr for record in whole.history}) > 1 or schedule in ("none", "plateau")


@pytest.mark.parametrize(("accumulate", "stopped_after"), [(2, 1), (1, 2)])
@pytest.mark.parametrize("balance", BALANCES)
def test_every_balancing_rule_goes_on(
    balance: str, accumulate: int, stopped_after: int, tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    options = {**EVERYTHING, "balance": balance, "accumulate": accumulate, "conflict_every": 2}
    train, valid = make_table(), make_table(20, seed=1)
    whole = make_trainer(**options, epochs=4, run_dir=tmp_path / "whole")
    whole.fit(train, valid)
    make_trainer(**options, epochs=stopped_after, run_dir=tmp_path / "part").fit(train, valid)
    torch.manual_seed(stopped_after)
    resumed = make_trainer(**options, epochs=4, run_dir=tmp_path / "part")
    resumed.fit(train, valid, resume=True)
    assert_same(resumed, whole)
    assert resumed.step.balance.state_dict().keys() == whole.step.balance.state_dict().keys()


def test_resumed_without_a_validation_table(tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    whole = make_trainer(**EVERYTHING, epochs=4, run_dir=tmp_path / "whole")
    whole.fit(make_table())
    make_trainer(**EVERYTHING, epochs=2, run_dir=tmp_path / "part").fit(make_table())
    resumed = make_trainer(**EVERYTHING, epochs=4, run_dir=tmp_path / "part")
    resumed.fit(make_table(), resume=True)
    assert_same(resumed, whole)


class Scripted(Trainer):
    def evaluate(self, table: TensorTable) -> dict[str, dict[str, float | None]]:
        value = (0.5, 0.6, 0.55, 0.58, 0.59, 0.9)[len(self.history)]
        return {"liked": {"auc": value}, "rating": {"r2": value}}


@pytest.mark.parametrize(("stopped_after", "schedule"), [(1, "none"), (3, "none"), (4, "none"), (3, "plateau")])
def test_early_stopping_counts_on(
    stopped_after: int, schedule: str, tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    train, valid = make_table(), make_table(20, seed=1)

    def made(folder: str, epochs: int) -> Trainer:
        return make_trainer(
            kind=Scripted,
            stopping=Stopping(patience=3),
            epochs=epochs,
            run_dir=tmp_path / folder,
            schedule=SCHEDULES[schedule],
        )

    whole = made("whole", 6)
    whole.fit(train, valid)
    made("part", stopped_after).fit(train, valid)
    resumed = made("part", 6)
    resumed.fit(train, valid, resume=True)
    assert len(resumed.history) == len(whole.history) == 5
    assert (
        resumed.stopping
        == whole.stopping
        == Stopping(3, 0.0, best_score=0.6, best_epoch=2, waiting_since=0.6, waited=3)
    )
    assert_same(resumed, whole)


class Interrupting(Reporter):
    """Presses Ctrl-C in the middle of the third epoch."""

    def __init__(self) -> None:
        self.steps, self.reason = 0, ""

    def on_step_end(self, losses: Tensor) -> None:
        self.steps += 1
        if self.steps == 2 * STEPS + 2:
            raise KeyboardInterrupt

    def on_training_end(self, reason: str) -> None:
        self.reason = reason


@pytest.mark.parametrize(
    ("schedule", "same_object"), [*((name, False) for name in SCHEDULES), ("none", True), ("cosine by step", True)]
)
def test_interrupted_and_resumed_is_never_stopped(
    schedule: str, same_object: bool, tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    train, valid = make_table(), make_table(20, seed=1)
    options = {**EVERYTHING, "optimizer": "adamw", "schedule": SCHEDULES[schedule], "epochs": 4}
    whole = make_trainer(**options, run_dir=tmp_path / "whole")
    whole.fit(train, valid)

    reporter = Interrupting()
    stopped = make_trainer(**options, run_dir=tmp_path / "part", reporter=reporter)
    callers = torch.get_rng_state()
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(train, valid)
    assert reporter.reason == "interrupted"
    assert torch.equal(torch.get_rng_state(), callers)
    assert len(stopped.history) == 2
    scores = [record.score for record in stopped.history]
    assert stopped.monitor.score(stopped.evaluate(valid)) == max(scores)
    checkpoint = load_checkpoint(tmp_path / "part" / CHECKPOINT)
    assert [record["epoch"] for record in checkpoint["history"]] == [1, 2]
    assert same(dict(stopped.model.state_dict()), checkpoint["best"])

    resumed = stopped if same_object else make_trainer(**options, run_dir=tmp_path / "part")
    resumed.fit(train, valid, resume=True)
    assert_same(resumed, whole)


def test_interrupted_before_the_first_epoch_is_over(
    tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    whole = make_trainer(**EVERYTHING, run_dir=tmp_path / "whole")
    whole.fit(make_table())

    class AtOnce(Reporter):
        def on_step_end(self, losses: Tensor) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_trainer(**EVERYTHING, run_dir=tmp_path / "part", reporter=AtOnce()).fit(make_table())
    resumed = make_trainer(**EVERYTHING, run_dir=tmp_path / "part")
    resumed.fit(make_table(), resume=True)
    assert_same(resumed, whole)


def test_resuming_what_is_finished_gives_it_back(
    tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    train, valid = make_table(), make_table(20, seed=1)
    whole = make_trainer(**EVERYTHING, run_dir=tmp_path)
    whole.fit(train, valid)
    again = make_trainer(**EVERYTHING, run_dir=tmp_path)
    again.fit(train, valid, resume=True)
    assert_same(again, whole)


def test_what_cannot_be_resumed(tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    with pytest.raises(ArtefactError, match="resume needs the folder of the run"):
        make_trainer().fit(make_table(), resume=True)
    with pytest.raises(ArtefactError, match=r"there is no run '.*none' to resume"):
        make_trainer(run_dir=tmp_path / "none").fit(make_table(), resume=True)
    one = {"training.lr": "0.1", "training rows": "a" * 64, "model.kind": "ple"}
    make_trainer(run_dir=tmp_path, fingerprint=one).fit(make_table())
    other = {"training.lr": "0.2", "training rows": "b" * 64, "model.experts": "3"}
    differs = (
        "belongs to another training: training.lr was 0.1 and is 0.2; training rows differs; "
        "model.experts was absent and is 3 and 1 more: model.kind"
    )
    with pytest.raises(ArtefactError, match=re.escape(differs)):
        make_trainer(run_dir=tmp_path, fingerprint=other).fit(make_table(), resume=True)
    with pytest.raises(ArtefactError, match="does not fit this training: ") as raised:
        make_trainer(run_dir=tmp_path, fingerprint=one, norm="batch").fit(make_table(), resume=True)
    assert "\n" not in str(raised.value)
    torch.save({"fingerprint": one}, tmp_path / CHECKPOINT)
    with pytest.raises(ArtefactError, match="does not fit this training: 'model'"):
        make_trainer(run_dir=tmp_path, fingerprint=one).fit(make_table(), resume=True)


def test_a_run_that_ended_before_its_first_checkpoint_begins(
    tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    make_trainer(run_dir=tmp_path / "whole").fit(make_table())
    (tmp_path / "part").mkdir()
    resumed = make_trainer(run_dir=tmp_path / "part")
    resumed.fit(make_table(), resume=True)
    assert same(load_checkpoint(tmp_path / "part" / CHECKPOINT), load_checkpoint(tmp_path / "whole" / CHECKPOINT))


def test_a_finished_training_is_lost_by_request_alone(
    tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    make_trainer(epochs=3, run_dir=tmp_path).fit(make_table())
    before = (tmp_path / CHECKPOINT).read_bytes()
    refused = (
        "holds a finished training of 3 epochs: resume it with more epochs, overwrite it, or choose another folder"
    )
    for epochs in (2, 3, 4):
        with pytest.raises(ArtefactError, match=refused):
            make_trainer(epochs=epochs, run_dir=tmp_path).fit(make_table())
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    (tmp_path / HISTORY).unlink()  # a process may have ended between the two files
    make_trainer(epochs=3, run_dir=tmp_path).fit(make_table(), resume=True)
    assert len((tmp_path / HISTORY).read_text().splitlines()) == 3
    make_trainer(epochs=1, run_dir=tmp_path).fit(make_table(), overwrite=True)
    assert len(load_checkpoint(tmp_path / CHECKPOINT)["history"]) == 1


def test_a_training_that_was_stopped_is_not_begun_anew_by_accident(
    tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    with pytest.raises(KeyboardInterrupt):
        make_trainer(epochs=9, accumulate=2, run_dir=tmp_path, reporter=Interrupting()).fit(make_table())
    reached = len(load_checkpoint(tmp_path / CHECKPOINT)["history"])
    with pytest.raises(ArtefactError, match=f"holds an earlier training that is not at its end, of {reached} epochs"):
        make_trainer(epochs=9, accumulate=2, run_dir=tmp_path).fit(make_table())
    assert reached == 2


def test_checkpoint_and_history_are_there_after_every_epoch(
    tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    class Looking(Reporter):
        def on_epoch_end(self, record: EpochRecord) -> None:
            assert len(load_checkpoint(tmp_path / "run" / CHECKPOINT)["history"]) == record.epoch
            assert len((tmp_path / "run" / HISTORY).read_text().splitlines()) == record.epoch

    make_trainer(run_dir=tmp_path / "run", reporter=Looking()).fit(make_table())
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [CHECKPOINT, HISTORY]


def test_an_option_that_an_earlier_version_did_not_have_had_its_default(tmp_path: Path) -> None:
    now = {"training.lr": "0.001", "tasks[0].loss": '"cross_entropy"', DEFAULTS: '["tasks[0].loss"]'}
    earlier = {"training.lr": "0.001"}
    assert differences(earlier, now) == ""
    assert differences(now, now) == ""
    # one that is set now is another training, and so is one whose value is another
    changed = {**now, "tasks[0].loss": '"jrc"', DEFAULTS: "[]"}
    assert differences(earlier, changed) == 'tasks[0].loss was absent and is "jrc"'
    assert differences({**earlier, "training.lr": "0.01"}, now) == "training.lr was 0.01 and is 0.001"
    assert "tasks[0].loss" in differences(changed, now)
