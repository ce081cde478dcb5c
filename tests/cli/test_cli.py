"""The command line as a person uses it: real processes, real files."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import yaml

import commands
import gatewise as gw
from commands import run as gatewise
from gatewise.cli import main
from gatewise.cli.browser import somebody_looks

RECIPE = {
    "data": {"train": "train.parquet", "valid": "valid.parquet", "test": "test.csv"},
    "features": [
        {"kind": "categorical", "name": "user", "dim": 4},
        {"kind": "categorical", "name": "item", "dim": 4},
        {"kind": "sequence", "name": "tags", "dim": 2},
        {"kind": "numeric", "name": "price", "transform": "log"},
    ],
    "tasks": [{"kind": "binary", "name": "click"}, {"kind": "regression", "name": "stars"}],
    "model": {"kind": "mmoe", "experts": 3, "expert_dims": [8], "tower_dims": [4]},
    "balance": "uncertainty",
    "training": {"epochs": 3, "batch_size": 128, "lr": 0.02},
    "output": "run",
}


LOGGED = re.compile(r"\d\d:\d\d:\d\d  ")
"""The beginning of a line of the log."""


def write_recipe(folder: Path, **changes: object) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(RECIPE | changes))
    return path


def complaint(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the error lines of a command that must have failed in the friendly way."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if not LOGGED.match(line)]
    assert all(line.startswith("error: ") for line in lines), done.stderr
    return [line.removeprefix("error: ") for line in lines]


@pytest.fixture(scope="module")
def workplace(feed, tmp_path_factory) -> Path:
    """Return a folder with tables, a recipe and a finished run."""
    folder = tmp_path_factory.mktemp("work")
    pq.write_table(feed.slice(0, 1400), folder / "train.parquet")
    pq.write_table(feed.slice(1400, 300), folder / "valid.parquet")
    pacsv.write_csv(feed.slice(1700), folder / "test.csv")
    write_recipe(folder)
    done = gatewise("train", "recipe.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    (folder / "stderr.txt").write_text(done.stderr)
    return folder


def test_train_writes_a_whole_run(workplace):
    run = workplace / "run"
    names = {path.name for path in run.iterdir()}
    assert names == {
        "artefact",
        "checkpoint.pt",
        "history.jsonl",
        "metrics.json",
        "recipe.json",
        "report.html",
        "run.json",
    }
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["test"]["click"]["auc"] > 0.65
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    printed = (workplace / "stdout.txt").read_text()
    assert f"{metrics['test']['click']['auc']:.4f}" in printed
    assert "gatewise predict run TABLE" in printed
    assert "note: the last of 3 epochs is the best one, and the score still rose by" in printed


def test_a_log_has_a_line_with_its_time_for_every_epoch(workplace):
    lines = (workplace / "stderr.txt").read_text().splitlines()
    assert all(LOGGED.match(line) for line in lines)
    epochs = [line for line in lines if "epoch " in line and "rows/s" in line]
    assert [line.split()[2] for line in epochs] == ["1/3", "2/3", "3/3"]
    assert "training ended: all epochs done, after" in lines[-1]


def test_quiet_writes_no_log(monkeypatch):
    monkeypatch.setenv("GATEWISE_QUIET", "0")
    application = sys.modules["gatewise.cli.app"]
    monkeypatch.setattr(application, "_log_progress", pytest.fail)
    application._options(quiet=True)
    assert os.environ["GATEWISE_QUIET"] == "1"
    # the variable alone hushes, too
    application._options(quiet=False)


def test_evaluate_prints_what_the_library_computes(workplace):
    expected = gw.load(workplace / "run" / "artefact").evaluate(workplace / "test.csv")
    done = gatewise("evaluate", "run", "test.csv", "--json", cwd=workplace)
    assert json.loads(done.stdout) == expected
    table = gatewise("evaluate", "run/artefact", "test.csv", cwd=workplace).stdout
    assert f"{expected['stars']['rmse']:.4f}" in table


def test_evaluate_shows_chosen_metrics_and_the_worst_of_the_slices(workplace):
    ranker = gw.load(workplace / "run" / "artefact")
    done = gatewise("evaluate", "run", "test.csv", "--by", "item", "-m", "auc", "-m", "rmse", cwd=workplace)
    assert done.returncode == 0, done.stderr
    parts = ranker.slices(workplace / "test.csv", "item", ["rmse"])["stars"]
    worst = max(parts, key=lambda part: part.metrics["rmse"])
    (line,) = [line for line in done.stdout.splitlines() if f"{worst.metrics['rmse']:.4f}*" in line]
    assert worst.value in line.split()
    assert done.stdout.count("*") == 3
    assert "log_loss" not in done.stdout
    as_json = gatewise("evaluate", "run", "test.csv", "--by", "item", "--metric", "rmse", "--json", cwd=workplace)
    assert json.loads(as_json.stdout)["stars"] == [part._asdict() for part in parts]


def test_evaluate_with_intervals(workplace):
    done = gatewise("evaluate", "run", "test.csv", "--intervals", "-m", "mae", cwd=workplace)
    assert done.returncode == 0, done.stderr
    estimate = gw.load(workplace / "run" / "artefact").intervals(workplace / "test.csv", ["mae"])["stars"]["mae"]
    numbers = [f"{value:.4f}" for value in (estimate.value, estimate.low, estimate.high)]
    assert any(line.split()[-3:] == numbers for line in done.stdout.splitlines())


def test_evaluate_a_stream_says_what_it_leaves_out(workplace):
    done = gatewise("evaluate", "run", "test.csv", "--stream", cwd=workplace)
    assert done.returncode == 0, done.stderr
    expected = gw.load(workplace / "run" / "artefact").evaluate(workplace / "test.csv")
    assert f"{expected['stars']['rmse']:.4f}" in done.stdout
    assert "pr_auc, spearman: need all rows at once, left out" in done.stdout


@pytest.mark.filterwarnings("ignore:calibration of")
def test_a_recipe_that_calibrates(workplace):
    path = workplace / "calibrating.yaml"
    path.write_text(yaml.safe_dump(RECIPE | {"calibration": "platt", "output": "calibrated_run"}))
    done = gatewise("train", path, "--no-report", cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert "metrics on the test rows, calibrated" in done.stdout
    ranker = gw.load(workplace / "calibrated_run" / "artefact")
    by_hand = gw.load(workplace / "run" / "artefact").calibrate(workplace / "valid.parquet", "platt")
    assert ranker.predict(workplace / "test.csv", calibrated=True) == by_hand.predict(
        workplace / "test.csv", calibrated=True
    )
    expected = ranker.evaluate(workplace / "test.csv", calibrated=True)
    assert json.loads((workplace / "calibrated_run" / "metrics.json").read_text())["test_calibrated"] == expected

    done = gatewise("evaluate", "calibrated_run", "test.csv", "--calibrated", "--json", cwd=workplace)
    assert json.loads(done.stdout) == expected
    done = gatewise("predict", "calibrated_run", "test.csv", "-o", "calibrated.parquet", "--calibrated", cwd=workplace)
    assert done.returncode == 0, done.stderr
    found = pq.read_table(workplace / "calibrated.parquet")
    np.testing.assert_allclose(found["click"], by_hand.predict(workplace / "test.csv", calibrated=True)["click"])


def test_labels_that_cannot_be_calibrated_leave_the_trained_model(workplace, feed):
    clicked = feed.slice(1400, 300)
    clicked = clicked.set_column(clicked.column_names.index("click"), "click", pa.array([1] * 300))
    pq.write_table(clicked, workplace / "clicked.parquet")
    data = RECIPE["data"] | {"valid": "clicked.parquet"}
    # the monitor is to be defined on those rows
    training = RECIPE["training"] | {"monitor": "stars.rmse"}
    recipe = RECIPE | {"data": data, "training": training, "calibration": "isotonic", "output": "one_class"}
    (workplace / "one_class.yaml").write_text(yaml.safe_dump(recipe))
    (line,) = complaint(gatewise("train", "one_class.yaml", cwd=workplace))
    assert line == "calibration of 'click': isotonic: expected labels of both classes, found 1 in all 300"
    assert not gw.load(workplace / "one_class" / "artefact").calibrated


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_predict_streams_to_a_file_and_keeps_columns(workplace, suffix):
    target = workplace / f"out.{suffix}"
    done = gatewise("predict", "run", "test.csv", "-o", target.name, "--keep", "user", "-k", "when", cwd=workplace)
    assert done.returncode == 0, done.stderr
    found = pq.read_table(target) if suffix == "parquet" else pacsv.read_csv(target)
    assert found.column_names == ["user", "when", "click", "stars"]
    expected = gw.load(workplace / "run" / "artefact").predict(workplace / "test.csv")
    np.testing.assert_allclose(found["click"], expected["click"], atol=1e-12)
    assert found["when"].to_pylist() == list(range(1700, 2000))


def test_predict_in_pieces_equals_predict_at_once(workplace, feed):
    many = pa.concat_tables([feed] * 80)
    pq.write_table(many, workplace / "many.parquet", row_group_size=50_000)
    done = gatewise("predict", "run", "many.parquet", "-o", "many_out.parquet", cwd=workplace)
    assert done.returncode == 0, done.stderr
    expected = gw.load(workplace / "run" / "artefact").predict(feed)
    found = pq.read_table(workplace / "many_out.parquet")
    np.testing.assert_allclose(found["stars"], np.tile(expected["stars"], 80), atol=1e-6)


def test_labels_need_not_be_there_to_predict(workplace, feed):
    pq.write_table(feed.drop_columns(["click", "stars"]).slice(0, 5), workplace / "unlabelled.parquet")
    done = gatewise("predict", "run", "unlabelled.parquet", "-o", "five.csv", cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert "5 rows" in done.stderr


def test_an_empty_table_gives_an_empty_prediction(workplace, feed):
    pq.write_table(feed.slice(0, 0), workplace / "empty.parquet")
    done = gatewise("predict", "run", "empty.parquet", "-o", "nothing.csv", cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert (workplace / "nothing.csv").read_text().splitlines() == ['"click","stars"']


def test_options_can_be_set_on_the_command_line(workplace):
    options = ("--set", "training.epochs=1", "--set", "model.experts=2", "--no-report")
    done = gatewise("train", "recipe.yaml", "-o", "other", *options, cwd=workplace)
    assert done.returncode == 0, done.stderr
    options = json.loads((workplace / "other" / "artefact" / "options.json").read_text())
    assert (options["training"]["epochs"], options["model"]["experts"]) == (1, 2)


# what is wrong is said in one line each, and nothing is written


def test_all_mistakes_of_a_recipe_at_once_before_any_data_is_read(workplace, tmp_path):
    features = [*RECIPE["features"][:3], {"kind": "numeric", "name": "price", "transfrom": "log"}]
    write_recipe(tmp_path, features=features, model={"kind": "mmoe", "expert": 3}, balnce="static")
    lines = complaint(gatewise("train", "recipe.yaml", cwd=tmp_path))
    assert set(lines) == {
        "recipe.yaml: Recipe.features[3].transfrom: unknown option; did you mean 'transform'?",
        "recipe.yaml: Recipe.model.expert: unknown option; did you mean 'experts'?",
        "recipe.yaml: Recipe.balnce: unknown option; did you mean 'balance'?",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]


def test_wrong_columns_are_answered_with_the_nearest_name(workplace):
    features = [{"kind": "categorical", "name": "usr"}, {"kind": "numeric", "name": "prize"}]
    (workplace / "wrong.yaml").write_text(yaml.safe_dump(RECIPE | {"features": features, "output": "wrong_run"}))
    lines = complaint(gatewise("train", "wrong.yaml", cwd=workplace))
    assert lines == [
        "train.parquet: no column 'usr'; did you mean 'user'?",
        "train.parquet: no column 'prize'; did you mean 'price'?",
    ]
    assert not (workplace / "wrong_run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nowhere.yaml"], "cannot read recipe 'nowhere.yaml'"),
        (["evaluate", "nowhere", "test.csv"], "there is no artefact 'nowhere'"),
        (["evaluate", "run", "tets.csv"], "table 'tets.csv' does not exist; did you mean 'test.csv'?"),
        (["evaluate", "run", "test.csv", "--by", "usr"], "no column 'usr'; did you mean 'user'?"),
        (["evaluate", "run", "test.csv", "-m", "acu"], "no task has a metric 'acu'; did you mean 'auc'?"),
        (["evaluate", "run", "test.csv", "--by", "user", "--stream"], "expected one of --by, --intervals and --stream"),
        (["evaluate", "run", "test.csv", "--intervals", "--by-group"], "the schema has no 'group'"),
        (["evaluate", "run", "test.csv", "--calibrated"], "this ranker is not calibrated"),
        (["predict", "run", "test.csv", "-o", "x.csv", "--calibrated"], "this ranker is not calibrated"),
        (["train", "recipe.yaml", "--set", "calibration.method=isotonc"], "did you mean 'isotonic'?"),
        (["train", "recipe.yaml", "--set", "calibration.tasks=[stars]"], "calibration: 'stars' is no binary task"),
        (["train", "recipe.yaml", "--set", "calibration=platt", "--set", "data.valid="], "platt needs validation rows"),
        (["predict", "run", "test.csv", "-o", "out.txt"], "expected a file ending in .parquet or .csv"),
        (["predict", "run", "test.csv", "-o", "test.csv"], "output 'test.csv' is the table that is read"),
        (["predict", "run", "test.csv", "-o", "x.csv", "-k", "usr"], "no column 'usr'; did you mean 'user'?"),
        (["predict", "run", "test.csv", "-o", "x.csv", "-k", "click"], "kept column 'click' has the name of"),
        (["predict", "run", "bad.parquet", "-o", "x.csv"], "is no readable Parquet file"),
        (["predict", "run", "latin1.csv", "-o", "x.csv"], "save it as UTF-8"),
        (["train", "recipe.yaml", "--set", "training.epohcs=3"], "epohcs: unknown option; did you mean 'epochs'?"),
        (["train", "recipe.yaml", "--set", "epochs"], "expected OPTION=VALUE"),
        (
            ["train", "recipe.yaml", "--set", "training.epochs=2"],
            "run 'run' holds a finished training of 3 epochs: resume it with more epochs, overwrite it",
        ),
        (["train", "recipe.yaml", "--resume", "--overwrite"], "give one of them"),
        (["train", "recipe.yaml", "--resume", "--new"], "--new begins another one: give one of them"),
        (["runs", "rnus"], "there is no folder 'rnus' to look for runs in"),
        (["compare-runs", "run", "rum"], "there is no artefact 'rum'"),
        (["compare", "recipe.yaml", "-o", "fresh", "--seeds", "0"], "compare: seeds: expected 1 or more, found 0"),
        (["compare", "recipe.yaml", "-o", "fresh", "--also", "plee"], "found 'plee'; did you mean 'ple'"),
        (["compare", "recipe.yaml", "-o", "fresh", "--set", "data.test="], "compare: needs test rows"),
        (["demo", "-o", "fresh", "--set", "data.split.test=0"], "compare: needs test rows"),
        (["train", "recipe.yaml", "--resume", "--set", "training.lr=0.5"], "training.lr was 0.02 and is 0.5"),
    ],
)
def test_user_errors_are_one_line(workplace, arguments, message, monkeypatch, capsys):
    (workplace / "bad.parquet").write_bytes(b"PAR1 not really")
    (workplace / "latin1.csv").write_bytes("user,item,tags,price\n1,caf\xe9,a,1\n".encode("latin-1"))
    before = {path: path.stat().st_mtime_ns for path in workplace.rglob("*") if path.is_file()}
    monkeypatch.chdir(workplace)
    monkeypatch.setattr(sys, "argv", ["gatewise", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if not LOGGED.match(line)]
    assert line.startswith("error: ")
    assert message in line
    after = {path: path.stat().st_mtime_ns for path in workplace.rglob("*") if path.is_file()}
    assert after == before


def test_compare_prints_verdicts_and_writes_all_figures(workplace, tmp_path):
    quick = [
        "--set",
        "training.epochs=1",
        "--seeds",
        2,
        "--also",
        "ple",
        "--metric",
        "rmse,log_loss",
        "-o",
        tmp_path,
        "--no-report",
    ]
    done = gatewise("compare", "recipe.yaml", *quick, cwd=workplace)
    assert done.returncode == 0, done.stderr
    for text in (
        "MMoE",
        "PLE",
        "shared bottom",
        "single task",
        "±",
        "rmse",
        "ms for 200 rows",
        "best epoch",
        "1 of 1",
        "300 test rows, 2 seeds",
    ):
        assert text in done.stdout
    found = json.loads((tmp_path / "comparison.json").read_text())
    # after one epoch nobody knows whether the next one would turn the verdict round
    assert {verdict["verdict"] for verdict in found["verdicts"]} == {"not trained to the end"}
    note = next(line for line in done.stdout.splitlines() if line.startswith("NOT TRAINED TO THE END: "))
    assert note.startswith("NOT TRAINED TO THE END: MMoE (click, stars); shared bottom (click, stars); PLE (click,")
    assert {verdict["metric"] for verdict in found["verdicts"]} == {"auc", "log_loss", "r2", "rmse"}
    # all is there: nothing is trained again
    again = gatewise("compare", "recipe.yaml", *quick, "--json", cwd=workplace)
    assert json.loads(again.stdout) == found


def test_ctrl_c_in_a_comparison_keeps_what_was_trained(workplace, tmp_path):
    arguments = ["compare", "recipe.yaml", "--set", "training.epochs=3", "--set", "training.batch_size=8"]
    arguments += ["--seeds", "2", "--workers", "2", "-o", str(tmp_path)]
    process = commands.start(*arguments, cwd=workplace)
    deadline = time.monotonic() + 90
    while not (kept := {path: path.stat().st_mtime_ns for path in tmp_path.rglob("result.json")}):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    (advice,) = [line for line in stderr.splitlines() if line.startswith("go on with: gatewise ")]
    done = gatewise(*shlex.split(advice.removeprefix("go on with: gatewise ")), cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("result.json"))) == 6
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_debug_shows_where(workplace):
    done = gatewise("evaluate", "nowhere", "test.csv", "--debug", cwd=workplace)
    assert "Traceback" in done.stderr
    assert done.returncode != 0


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_checkpoint_that_goes_on_to_the_same_numbers(workplace, tmp_path, sent, code):
    slow = {"epochs": 12, "batch_size": 16, "lr": 0.01, "patience": None}
    path = workplace / "slow.yaml"
    path.write_text(yaml.safe_dump(RECIPE | {"training": slow}))
    faster = ["--set", "training.lr=0.02", "--no-report"]
    # what was killed before it began begins
    whole = gatewise("train", path, "-o", tmp_path / "whole", *faster, "--resume", cwd=workplace)
    assert whole.returncode == 0
    assert f"there is no run {str(tmp_path / 'whole')!r} to resume: it begins" in whole.stderr

    arguments = ["train", path, "-o", tmp_path / "cut", *faster]
    process = commands.start(*arguments, cwd=workplace)
    history = tmp_path / "cut" / "history.jsonl"
    deadline = time.monotonic() + 60
    while not (history.exists() and len(history.read_text().splitlines()) >= 3):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, sent)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert "--resume" in stderr
    assert "Traceback" not in stderr
    assert 3 <= len(history.read_text().splitlines()) < 12
    gw.load(tmp_path / "cut" / "artefact")

    # what it said to type, word for word
    (advice,) = [line for line in stderr.splitlines() if line.startswith("go on with: gatewise ")]
    done = gatewise(*shlex.split(advice.removeprefix("go on with: gatewise ")), cwd=workplace)
    assert done.returncode == 0, done.stderr
    test = workplace / "test.csv"
    whole, cut = (gw.load(tmp_path / name / "artefact").predict(test) for name in ("whole", "cut"))
    assert whole == cut


def test_demo_prints_the_model_its_controls_its_gates_and_whom_sharing_helps(tmp_path, monkeypatch):
    # a browser that writes down what it is asked to show
    browser = tmp_path / "browser.sh"
    browser.write_text('#!/bin/sh\necho "$1" > opened.txt\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    quick = ["training.epochs=1", "training.batch_size=8192", "model.experts=3"]
    done = gatewise("demo", "--open", *(word for each in quick for word in ("--set", each)), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "report:   runs/movielens/report.html"
    for text in ("MMoE", "shared bottom", "single task", "auc", "average gate weight", "e2", "gatewise predict"):
        assert text in done.stdout
    run = tmp_path / "runs" / "movielens"
    assert (tmp_path / "opened.txt").read_text().strip() == (run / "report.html").as_uri()
    ranker = gw.load(run / "artefact")
    assert ranker.evaluate(run / "sample.parquet")["rating"]["rmse"] < 1.5
    # the table shows what the artefact beside it predicts
    assert [line.split()[2] for line in lines if " rmse " in line] == [
        f"{ranker.metrics['test']['rating']['rmse']:.4f}"
    ]
    # every segment has its gates, and its verdict on every task
    segments = [line for line in lines if re.search(r"\d to \d+ ", line)]
    assert len(segments) == 2 * 3 + 2 * 3
    assert sum(line.rstrip().endswith(("helps", "hurts", "no evidence")) for line in segments) == 2 * 3


def test_a_page_is_opened_for_nobody_but_a_person_at_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    # output is captured
    assert not somebody_looks()


@pytest.mark.parametrize(("given", "expected"), [(None, "1000"), ("77", "77")])
def test_waiting_threads_make_room_for_other_programs(
    given: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", given or "")
    if given is None:
        monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setattr(sys, "argv", ["gatewise", "--help"])
    with pytest.raises(SystemExit):
        main()
    assert os.environ["GOMP_SPINCOUNT"] == expected


def test_the_commands_are_known_before_torch_is_imported():
    # torch takes seconds to import, and OpenMP reads how threads wait when it is
    program = "import sys, gatewise.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
