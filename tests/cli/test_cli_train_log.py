"""What ``gatewise train`` says of itself: to a file, in detail, and as JSON."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from gatewise.cli import main

RECIPE = {
    "data": {"table": "t.parquet", "split": {"time": "when"}},
    "features": [{"kind": "categorical", "name": "user", "dim": 4}],
    "tasks": [{"kind": "binary", "name": "click"}, {"kind": "regression", "name": "stars"}],
    "model": {"kind": "mmoe", "experts": 2, "expert_dims": [4]},
    "training": {"epochs": 2, "batch_size": 200, "lr": 0.02},
}
TRAIN = ["train", "r.yaml", "--baseline", "none", "--overwrite"]


@pytest.fixture
def place(feed: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    days = pa.array(range(1_700_000_000, 1_700_000_000 + 3600 * feed.num_rows, 3600))
    pq.write_table(feed.set_column(feed.column_names.index("when"), "when", days), tmp_path / "t.parquet")
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(RECIPE))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    monkeypatch.setattr("sys.argv", ["gatewise", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    return tuple(capsys.readouterr())


def test_json_alone_is_in_standard_output(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = ran([*TRAIN, "--json"], monkeypatch, capsys)
    start, *epochs, end = [json.loads(line) for line in out.splitlines()]
    assert [each["event"] for each in (start, *epochs, end)] == ["start", "epoch", "epoch", "end"]
    assert (start["epochs"], start["first_epoch"], start["steps"], start["features"]) == (2, 1, 8, 1)
    assert start["rows"] == {"training": 1600, "validation": 200}
    assert start["periods"]["training"] == ["2023-11-14", "2024-01-20"]
    history = [json.loads(line) for line in (place / "runs" / "latest" / "history.jsonl").read_text().splitlines()]
    assert [{name: value for name, value in each.items() if name != "event"} for each in epochs] == history
    assert end["metrics"] == json.loads((place / "runs" / "latest" / "metrics.json").read_text())
    assert end["artefact"] == "runs/latest/artefact"
    assert (end["reason"], end["epochs"]) == ("all epochs done", 2)
    assert end["best_epoch"] == max(each["epoch"] for each in history if each["best"])
    assert "metrics on the test rows" in err


def test_a_log_file_gets_lines_results_and_the_error(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # the command sets it, and the test gives it back
    monkeypatch.setenv("GATEWISE_QUIET", "")
    before = list(logging.getLogger("gatewise").handlers)
    out, err = ran(["--quiet", *TRAIN, "--log-file", "log", "-v", "--no-report"], monkeypatch, capsys)
    assert err == ""
    log = (place / "log").read_text()
    lines = [line.split("  ", 1)[1] for line in log.splitlines()]
    assert lines[0].startswith("split by when: training 2023-11-14 to 2024-01-20, validation ")
    assert sum(line.startswith("epoch ") for line in lines) == 2
    assert any(line.startswith("  click: loss 0.") and "brier" in line for line in lines)
    assert any(line.startswith("metrics on the test rows: click: auc ") for line in lines)
    assert lines[-1] in out
    assert logging.getLogger("gatewise").handlers == before
    monkeypatch.setattr("sys.argv", ["gatewise", "train", "r.yaml", "--log-file", "log", "--set", "training.epochs=1"])
    with pytest.raises(SystemExit):
        main()
    assert (place / "log").read_text().startswith(log)
    assert "ended: ArtefactError: " in (place / "log").read_text()[len(log) :]


def test_a_log_file_that_cannot_be_written_is_one_line(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["gatewise", *TRAIN, "--log-file", "no/such/log"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err.endswith("no/such/log': No such file or directory\n")
