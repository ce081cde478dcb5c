"""What people see of a training while it runs."""

from __future__ import annotations

import io
import logging
import sys
import types
from pathlib import Path

import pytest
from rich.console import Console

import gatewise as gw
from gatewise import progress as module
from gatewise.kernels import in_use
from gatewise.progress import ProgressReporter, kernels_on

TABLE = {"user": [1, 2] * 50, "click": [0, 1] * 50}
SCHEMA = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click")])


def test_the_first_line_says_what_is_trained_where_and_the_star_is_explained_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = io.StringIO()

    def reporter(tasks: list[str], **options: str) -> ProgressReporter:
        return ProgressReporter(tasks, Console(file=shown, width=200), **options)

    monkeypatch.setattr(module, "ProgressReporter", reporter)
    options = {"epochs": 2, "batch_size": 10, "patience": 1, "lr": 0.01}
    ranker = gw.Ranker(SCHEMA, "mmoe", **options).fit(TABLE, TABLE, progress=True, run_dir=tmp_path / "run")
    lines = [line for line in shown.getvalue().splitlines() if line]
    parameters = ranker.scorer.model.num_parameters()
    assert lines[0] == (
        f"training: 100 rows, validation 100 rows; 1 feature; {parameters:,} parameters, 8 of them in embeddings; "
        f"cpu, kernels: {in_use()}; writes to {tmp_path / 'run'}"
    )
    assert sum("kernels" in line for line in lines) == 1
    assert sum("*" in line and "epoch " not in line[:6] for line in lines) == 1
    best = max(record.epoch for record in ranker.history if record.best)
    assert lines[-1].startswith("training ended: ")
    assert lines[-1].endswith(f"; weights of epoch {best}")


def test_on_an_accelerator_it_is_pytorch() -> None:
    assert kernels_on("cuda") == "PyTorch (the compiled ones are for the CPU, this is cuda)"
    assert kernels_on("cuda:1").startswith("PyTorch (")
    assert kernels_on("cpu") == str(in_use())


def test_a_log_has_a_line_per_epoch_with_the_score_and_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="gatewise"):
        gw.Ranker(SCHEMA, "mmoe", epochs=3, patience=None).fit(TABLE, TABLE, progress=False, label="first")
    lines = [record.message for record in caplog.records if record.name == "gatewise"]
    assert lines[0] == "chosen for 100 rows: batch_size 32, lr 0.0005"
    assert lines[1].startswith("first: training: 100 rows, validation 100 rows; 1 feature; ")
    assert lines[1].endswith(f"; cpu, kernels: {in_use()}; writes no files")
    assert lines[2] == "first: at most 3 epochs of 4 steps each; * marks the best epoch so far, by its score"
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
    assert module.reporter_of(["click"], show=False) == []


def test_beside_bars_lines_go_to_a_handler_of_the_logger_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.LOGGER, "level", logging.INFO)
    module.LOGGER.manager._clear_cache()
    kinds = [type(each) for each in module.reporter_of(["click"], show=True)]
    assert kinds == [ProgressReporter]
    monkeypatch.setattr(module.LOGGER, "handlers", [logging.NullHandler()])
    kinds = [type(each) for each in module.reporter_of(["click"], show=True)]
    assert kinds == [ProgressReporter, module.LogReporter]


def test_details_are_for_people_who_debug(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="gatewise"):
        gw.Ranker(SCHEMA, "mmoe", epochs=1).fit(TABLE, TABLE, progress=False)
    lines = [record.message for record in caplog.records if record.levelno == logging.DEBUG]
    assert lines[0].startswith("  lr 0.0005, ")
    assert "click: loss 0." in lines[1]
    assert "log_loss 0." in lines[1]
    assert "gate entropy " in lines[1]


def test_a_notebook_has_lines_and_no_bars(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    # the kernel itself is no package of the tests: what it leaves in the process is
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    gw.Ranker(SCHEMA, "mmoe", epochs=2).fit(TABLE, TABLE)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "chosen for 100 rows: batch_size 32, patience 3, lr 0.0005"
    assert [line[:10] for line in lines[1:]] == ["training: ", "at most 2 ", "epoch 1/2 ", "epoch 2/2 ", "training e"]
    gw.Ranker(SCHEMA, "mmoe", epochs=1).fit(TABLE, progress=False)
    monkeypatch.setenv("GATEWISE_QUIET", "1")
    gw.Ranker(SCHEMA, "mmoe", epochs=1).fit(TABLE)
    # IPython at a terminal has no kernel
    del shell.kernel
    monkeypatch.delenv("GATEWISE_QUIET")
    gw.Ranker(SCHEMA, "mmoe", epochs=1).fit(TABLE)
    assert capsys.readouterr().out == ""


def test_an_epoch_of_many_tasks_is_one_short_line() -> None:
    tasks = {f"task {i}": {"loss": float(i)} for i in range(14)}
    record = module.EpochRecord(2, 1e-3, 1.0, 1234.0, tasks, score=0.5)
    assert module.summary(record, 9) == "epoch 2/9  mean loss of 14 tasks 6.5000  score 0.5000  1,234 rows/s"


def test_quiet_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "terminal", lambda **_: Console(force_terminal=True))
    assert module.at_terminal()
    monkeypatch.setenv("GATEWISE_QUIET", "1")
    assert not module.at_terminal()
