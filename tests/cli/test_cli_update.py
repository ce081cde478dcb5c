"""``gatewise update``: a new run beside the old one, or nothing; mistakes are one line."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import commands
import gatewise as gw
from gatewise.cli import main
from torchrun_program import table

# 400 rows are too few for a calibration to be sure to help
pytestmark = pytest.mark.filterwarnings("ignore:calibration of:gatewise.GatewiseWarning")
PAGE = Path(__file__).parents[2] / "docs" / "daily.md"
SCHEMA = gw.Schema(features=[gw.Categorical("user", dim=4), gw.Numeric("x")], tasks=[gw.Binary("click")])


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Return a folder with the tables of three days and a run of the first one, whose optimiser is kept."""
    folder = tmp_path_factory.mktemp("daily")
    for number in range(3):
        pq.write_table(table(400, number), folder / f"day{number}.parquet")
    model = gw.MMoE(experts=2, expert_dims=[8])
    ranker = gw.Ranker(SCHEMA, model, epochs=1, batch_size=64, lr=0.01, keep_optimizer=True)
    ranker.fit(folder / "day0.parquet").calibrate(folder / "day2.parquet", "platt")
    ranker.save(folder / "old" / "artefact")
    (folder / "old" / "recipe.json").write_text('{"kept": "as it is"}')
    return folder


def digest(run: Path) -> dict[str, str]:
    """Return what a run holds."""
    paths = [path for path in sorted(run.rglob("*")) if path.is_file()]
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def gatewise(place: Path, *arguments: str, code: int = 0) -> None:
    """Run the command line in this process, as if it was typed in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(sys, "argv", ["gatewise", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    assert (ended.value.code or 0) == code


def test_a_new_run_is_written_and_the_old_one_stays(place: Path, capsys) -> None:
    before = digest(place / "old")
    given = [
        "day1.parquet",
        "-o",
        "new",
        "--valid",
        "day2.parquet",
        "--replay",
        "day0.parquet",
        "--replay",
        "day0.parquet",
    ]
    gatewise(place, "update", "old", *given, "--lr", "0.02", "--pull", "0.1")
    said = capsys.readouterr().out
    assert "metrics on the valid rows, before the update" in said
    assert "metrics on the valid rows, after the update" in said
    assert "rows: 400 training, 400 validation, 800 replay" in said
    assert digest(place / "old") == before
    assert {path.name for path in (place / "new").iterdir()} == {
        *("artefact", "metrics.json", "history.jsonl", "recipe.json", "run.json")
    }
    # what Python gives
    paths = [place / f"day{number}.parquet" for number in range(3)]
    expected = gw.load(place / "old" / "artefact")
    judged = expected.evaluate(paths[2])
    expected.update(paths[1], paths[2], replay=[paths[0], paths[0]], lr=0.02, pull=0.1)
    made = gw.load(place / "new" / "artefact")
    assert made.predict(paths[2], calibrated=True) == expected.predict(paths[2], calibrated=True)
    assert json.loads((place / "new" / "metrics.json").read_text()) == {
        "valid": expected.evaluate(paths[2]),
        "valid_before": judged,
    }
    assert (made.rows, len(made.history)) == (expected.rows, 3)
    # and it can be updated again
    gatewise(place, "update", "new", "day2.parquet", "-o", "third", "--valid", "day0.parquet")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["old", "day1.parquet", "-o", "old"],
            "error: run 'old' is there already: an update needs a folder of its own",
        ),
        (["old", "day1.parquet", "-o", "day1.parquet"], "error: 'day1.parquet' is a file: an update needs"),
        (["nothing", "day1.parquet", "-o", "x"], "error: there is no artefact 'nothing'"),
        (["old", "day9.parquet", "-o", "x"], "error: "),
        (["old", "day1.parquet", "-o", "x", "--epochs", "0"], "error: update: Update.epochs"),
        (
            ["old", "day1.parquet", "-o", "x", "--replay-share", "0.5"],
            "error: --replay-share is the share of the rows of",
        ),
        (["old", "day1.parquet", "-o", "x", "--replay", "day0.parquet", "--replay-share", "2"], "replay_share"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(place: Path, arguments: list[str], message: str, capsys) -> None:
    before = digest(place)
    gatewise(place, "update", *arguments, code=1)
    said = capsys.readouterr()
    assert message in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not said.out
    assert digest(place) == before
    assert not (place / "x").exists()


def test_a_killed_update_leaves_the_old_run_and_no_artefact(place: Path, capsys) -> None:
    before = digest(place / "old")
    for sent, code in ((signal.SIGKILL, -9), (signal.SIGTERM, 143)):
        process = commands.start("update", "old", "day1.parquet", "-o", "killed", "--epochs", "100000", cwd=place)
        with process.stderr:
            for line in process.stderr:
                if "epoch 2" in line:
                    break
            process.send_signal(sent)
            process.stderr.read()
        assert process.wait(timeout=60) == code
        assert digest(place / "old") == before
        assert not (place / "killed" / "artefact").exists()
    gatewise(place, "update", "old", "day1.parquet", "-o", "killed", "--valid", "day2.parquet")
    assert gw.load(place / "killed" / "artefact").predict(place / "day2.parquet").num_rows == 400


def test_two_processes_write_one_run(place: Path) -> None:
    given = ("old", "day1.parquet", "-o", "together", "--valid", "day2.parquet", "--ranks", "2")
    done = commands.run("update", *given, cwd=place, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("artefact: ") == 1
    alone = gw.load(place / "old" / "artefact").update(place / "day1.parquet", place / "day2.parquet")
    together = gw.load(place / "together" / "artefact")
    rows = place / "day2.parquet"
    for one, other in zip(alone.predict(rows).columns, together.predict(rows).columns, strict=True):
        assert one.to_numpy() == pytest.approx(other.to_numpy(), abs=1e-5)


def test_the_job_of_the_page_runs(place: Path, tmp_path: Path) -> None:
    (script,) = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for name in ("logs", "models", "bin"):
        (tmp_path / name).mkdir()
    for number in range(2):
        shutil.copy(place / f"day{number}.parquet", tmp_path / "logs" / f"2026-05-0{2 + number}.parquet")
    shutil.copytree(place / "old", tmp_path / "models" / "2026-05-02")
    command = tmp_path / "bin" / "gatewise"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m gatewise "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}"}
    how = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 120}
    shutil.copy(place / "day2.parquet", tmp_path / "canary.parquet")
    # a later day is there already, and is not replayed
    wrong = pq.read_table(place / "day1.parquet")
    wrong = wrong.set_column(wrong.column_names.index("click"), "click", pa.array(1 - wrong["click"].to_numpy()))
    pq.write_table(wrong, tmp_path / "logs" / "2026-05-04.parquet")

    def learn(day: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", "-c", script, "learn.sh", day], **how)

    done = learn("2026-05-03")
    assert done.returncode == 0, done.stderr
    assert "rows: 400 training, 400 replay" in done.stdout
    assert gw.load(tmp_path / "models" / "2026-05-03" / "artefact").rows == {"training": 400, "replay": 400}
    assert json.loads((tmp_path / "models" / "current.json").read_text())["promoted"][-1]["run"] == "2026-05-03"
    # a day of wrong labels, given often: the new model is worse, and the one in place stays
    script = script.replace("-o ", "--epochs 30 --lr 0.1 -o ")
    worse = learn("2026-05-04")
    assert worse.returncode == 13, worse.stderr
    assert json.loads((tmp_path / "models" / "current.json").read_text())["promoted"][-1]["run"] == "2026-05-03"
    # given again, the day is there already; before the first model there is none
    assert learn("2026-05-03").returncode == 1
    none = learn("2026-05-01")
    assert none.returncode not in (0, 3)
    assert "there is no model of a day before 2026-05-01" in none.stderr


def test_drift_and_turnover_are_said_and_may_stop_the_update(place: Path, capsys) -> None:
    today = table(400, 1)
    users = pa.array(np.arange(10_000, 10_400))
    moved = today.set_column(today.column_names.index("x"), "x", pa.array(np.linspace(2, 5, 400)))
    pq.write_table(moved.set_column(moved.column_names.index("user"), "user", users), place / "drifted.parquet")
    gatewise(place, "update", "old", "drifted.parquet", "-o", "stopped", "--stop-on-drift", code=3)
    said = capsys.readouterr().out
    assert re.search(r"drift: user: PSI \d+\.\d\d, 100\.0% unseen", said)
    assert re.search(r"drift: x: PSI \d+\.\d\d, mean \+\d\.\d\d deviations off", said)
    assert "nothing was learnt and nothing written" in said
    assert not (place / "stopped").exists()
    gatewise(place, "update", "old", "drifted.parquet", "-o", "grown", "--valid", "day2.parquet")
    said = capsys.readouterr().out
    assert "drift: user" in said
    assert "user: 400 values got a row, 0 gave theirs back" in said
    gatewise(
        place,
        "update",
        "old",
        "day1.parquet",
        "-o",
        "as before",
        "--valid",
        "day2.parquet",
        "--stop-on-drift",
        "--no-admit",
    )
    said = capsys.readouterr().out
    assert "drift" not in said
    assert "got a row" not in said


def test_another_schema(place: Path, capsys) -> None:
    new = place / "new.yaml"
    new.write_text(
        """
features: [{kind: categorical, name: user, dim: 4}, {kind: numeric, name: x}, {kind: sequence, name: tags, dim: 2}]
tasks: [{kind: binary, name: click}, {kind: regression, name: stay}]
model: {kind: mmoe, experts: 3, expert_dims: [8], gate: {kind: softmax, bias: true}}
"""
    )
    gatewise(place, "update", "old", "day1.parquet", "-o", "other", "--schema", "new.yaml", "--valid", "day2.parquet")
    said = re.sub(r" +", " ", capsys.readouterr().out)
    for line in ("feature tags new without effect at first", "task click kept", "task stay new own tower"):
        assert f" {line}" in said
    ranker = gw.load(place / "other" / "artefact")
    assert [task.name for task in ranker.schema.tasks] == ["click", "stay"]
    recipe = json.loads((place / "other" / "recipe.json").read_text())
    assert recipe["kept"] == "as it is"
    assert [task["name"] for task in recipe["tasks"]] == ["click", "stay"]
    new.write_text(new.read_text().replace("dim: 4", "dim: 5"))
    gatewise(place, "update", "old", "day1.parquet", "-o", "none", "--schema", "new.yaml", code=1)
    assert "feature 'user': dim differs from the trained model: expected 4, found 5" in capsys.readouterr().err
    assert not (place / "none").exists()
