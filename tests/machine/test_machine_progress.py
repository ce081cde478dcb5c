"""The first line of a training's progress says which kernels run."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console

import gatewise as gw
from gatewise import progress as module
from gatewise.kernels import in_use
from gatewise.progress import ProgressReporter, kernels_on

TABLE = {"user": [1, 2] * 50, "click": [0, 1] * 50}
SCHEMA = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click")])


def test_the_first_line_is_about_kernels_and_stands_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()

    def reporter(tasks: list[str], **options: str) -> ProgressReporter:
        return ProgressReporter(tasks, Console(file=shown, width=200), **options)

    monkeypatch.setattr(module, "ProgressReporter", reporter)
    options = {"epochs": 2, "batch_size": 10, "patience": 1, "lr": 0.01}
    gw.Ranker(SCHEMA, "mmoe", **options).fit(TABLE, progress=True)
    lines = [line for line in shown.getvalue().splitlines() if line]
    assert lines[0] == f"kernels: {in_use()}"
    assert sum("kernels" in line for line in lines) == 1


def test_on_an_accelerator_it_is_pytorch() -> None:
    assert kernels_on("cuda") == "PyTorch (the compiled ones are for the CPU, this is cuda)"
    assert kernels_on("cpu") == str(in_use())


def test_a_log_has_a_line_per_epoch_with_the_score_and_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="gatewise"):
        gw.Ranker(SCHEMA, "mmoe", epochs=3, patience=None).fit(TABLE, TABLE, progress=False, label="first")
    lines = [record.message for record in caplog.records if record.name == "gatewise"]
    assert lines[0] == "chosen for 100 rows: batch_size 32, lr 0.0005"
    assert lines[1] == f"first: kernels: {in_use()}"
    assert lines[2] == "first: training: at most 3 epochs of 4 steps each; * marks the best one so far, by its score"
    epochs = [line for line in lines if line.startswith("first: epoch")]
    assert [line.split()[2] for line in epochs] == ["1/3", "2/3", "3/3"]
    assert all("click loss" in line and "score " in line for line in epochs)
    assert epochs[0].endswith("  *")
    assert lines[-1].startswith("first: training ended: all epochs done, after ")


def test_a_long_epoch_says_where_it_is(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    with caplog.at_level(logging.INFO, logger="gatewise"):
        gw.Ranker(SCHEMA, "mmoe", epochs=1, batch_size=50).fit(TABLE, progress=False)
    steps = [record.message for record in caplog.records if "step" in record.message and "epoch 1/1" in record.message]
    assert [line.split("  ")[1] for line in steps] == ["step 1 of 2", "step 2 of 2"]


def test_nobody_listens_and_nothing_is_made() -> None:
    assert module.reporter_of(["click"], show=False, label="", device="cpu") == []


def test_an_epoch_of_many_tasks_is_one_short_line() -> None:
    tasks = {f"task {i}": {"loss": float(i)} for i in range(14)}
    record = module.EpochRecord(2, 1e-3, 1.0, 1234.0, tasks, score=0.5)
    assert module.summary(record, 9) == "epoch 2/9  mean loss of 14 tasks 6.5000  score 0.5000  1,234 rows/s"


def test_quiet_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "terminal", lambda **_: Console(force_terminal=True))
    assert module.at_terminal()
    monkeypatch.setenv("GATEWISE_QUIET", "1")
    assert not module.at_terminal()
