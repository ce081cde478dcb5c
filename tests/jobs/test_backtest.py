"""A backtest judges days before they are learnt, and keeps what it judged."""

from __future__ import annotations

import datetime
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.cli import main
from gatewise.errors import DeclarationError, TableError
from gatewise.jobs.day_by_day import DayByDay

RECIPE = """
data: {table: log.parquet, split: {time: when, valid: 0.1, test: 0.1}}
features: [{kind: categorical, name: user, dim: 4}]
tasks: [{kind: binary, name: click}, {kind: regression, name: stay}]
model: {kind: mmoe, experts: 2, expert_dims: [8], tower_dims: []}
training: {epochs: 8, batch_size: 64, lr: 0.03}
output: OUTPUT
"""
DAYS = 6


def log(days: int = DAYS, rows: int = 400) -> pa.Table:
    """Return days in which users' habits turn round half way: who learnt only the first days is wrong then."""
    rng = np.random.default_rng(0)
    user, day = rng.integers(0, 20, days * rows), np.repeat(np.arange(days), rows)
    likes = (user % 2 == 1) != (day >= 3)
    begin = datetime.datetime(2026, 5, 1)
    return pa.table(
        {
            "user": user,
            "click": (rng.random(days * rows) < np.where(likes, 0.9, 0.1)).astype(int),
            "stay": user + rng.normal(size=days * rows),
            "when": [begin + datetime.timedelta(days=int(each), hours=9) for each in day],
        }
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("backtest")
    pq.write_table(log(), folder / "log.parquet")
    (folder / "recipe.yaml").write_text(RECIPE.replace("OUTPUT", str(folder / "run")))
    return folder


def test_each_day_is_judged_before_it_is_learnt_and_the_page_says_which_way_to_take(place, capsys, monkeypatch) -> None:
    given = ["backtest", str(place / "recipe.yaml"), "--strategies", "latest,update,stale", "--set", "training.seed=1"]
    monkeypatch.setattr(sys, "argv", ["gatewise", "-q", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    said = capsys.readouterr().out
    found = json.loads((place / "run-backtest" / "backtest.json").read_text())
    # two days for the first model, one to learn, three to judge
    assert found["first"] == ["2026-05-01", "2026-05-02"]
    assert found["days"] == ["2026-05-04", "2026-05-05", "2026-05-06"]
    assert found["rows"] == [400] * 3
    auc = {name: of["click"]["auc"] for name, of in found["metrics"].items()}
    # on the first judged day nobody knows yet that habits have turned; then, only who has learnt it does
    assert max(auc["latest"][0], auc["update"][0], auc["stale"][0]) < 0.3
    assert auc["latest"][1] > 0.8
    assert auc["stale"][1] < 0.3
    assert set(found["cpu"]) == {"latest", "update", "stale"}
    assert max(found["cpu"]["stale"]) < min(found["cpu"]["latest"])
    assert found["unseen"]["latest"] == {"user": [0.0] * 3}
    assert found["advice"]["sentence"].startswith("Use latest: over 3 judged days")
    assert found["advice"]["sentence"] in said.replace("\n", " ")
    page = (place / "run-backtest" / "backtest.html").read_text()
    assert found["advice"]["sentence"] in page
    assert page.count("<svg") == 3


def test_what_was_judged_stays_after_an_interruption(place, monkeypatch, tmp_path) -> None:
    run = DayByDay.run

    stop = 1

    def interrupted(self, kept):
        for count, judged in enumerate(run(self, kept)):
            if count == stop:
                raise KeyboardInterrupt
            yield judged

    options = {"by": "when", "strategies": ["stale"], "first": 1, "overrides": ["training.epochs=1"]}
    whole = gw.backtest(place / "recipe.yaml", **options, run_dir=tmp_path / "whole")
    monkeypatch.setattr(DayByDay, "run", interrupted)
    found = gw.backtest(place / "recipe.yaml", **options, run_dir=tmp_path / "part")
    assert found.interrupted
    assert found.days == whole.days[:1]
    assert found.metrics["stale"]["click"]["auc"] == whole.metrics["stale"]["click"]["auc"][:1]
    assert json.loads((tmp_path / "part" / "backtest.json").read_text())["days"] == found.days
    assert "1 day, 2026-05-03, each judged" in str(found)
    stop = 0
    with pytest.raises(KeyboardInterrupt):
        gw.backtest(place / "recipe.yaml", **options, run_dir=tmp_path / "none")


KILLED = """
import os, signal
import gatewise as gw
from gatewise.jobs.kept_days import KeptDays

keep = KeptDays.keep

def killed(self, day, *rest):
    keep(self, day, *rest)
    if day == 2:
        os.kill(os.getpid(), signal.SIGKILL)

KeptDays.keep = killed
gw.backtest(RECIPE, first=1, run_dir=FOLDER, overrides=["training.epochs=2", "training.keep_optimizer=true"])
"""


def test_a_backtest_that_was_killed_goes_on_where_it_stopped(place, tmp_path, monkeypatch) -> None:
    recipe, folder = place / "recipe.yaml", tmp_path / "killed"
    script = KILLED.replace("RECIPE", repr(str(recipe))).replace("FOLDER", repr(str(folder)))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    first_days = json.loads((folder / "backtest.json").read_text())
    assert len(first_days["days"]) == 1  # the second was kept, and not yet written
    options = {"first": 1, "overrides": ["training.epochs=2", "training.keep_optimizer=true"]}
    whole = gw.backtest(recipe, **options, run_dir=tmp_path / "whole")
    begun = []
    monkeypatch.setattr(DayByDay, "_first_models", lambda *given: begun.append(given))
    found = gw.backtest(recipe, **options, run_dir=folder)
    assert not begun
    for name in ("days", "rows", "metrics", "unseen", "main", "first"):
        assert getattr(found, name) == getattr(whole, name), name
    assert found.cpu["retrain"][0] == first_days["cpu"]["retrain"][0]
    # all days are judged: nothing is learnt again, and no model stays but the first
    assert gw.backtest(recipe, **options, run_dir=folder).cpu == found.cpu
    (kept,) = (folder / "days").iterdir()
    assert sorted(path.name for path in kept.iterdir()) == ["1.json", "2.json", "3.json", "4.json", "first"]
    monkeypatch.undo()
    # a damaged day counts as none
    damaged = (kept / "1.json").read_text().replace('"auc": 0.', '"auc": 1.', 1)
    assert damaged != (kept / "1.json").read_text()
    (kept / "1.json").write_text(damaged)
    assert gw.backtest(recipe, **options, run_dir=folder).metrics == whole.metrics
    # another recipe has days of its own
    other = gw.backtest(recipe, **{**options, "overrides": ["training.epochs=1"]}, run_dir=folder)
    assert other.metrics != whole.metrics
    assert kept not in (folder / "days").iterdir()


def test_mistakes_are_one_line(place) -> None:
    recipe = place / "recipe.yaml"
    for options, said in (
        ({"strategies": ["updat"]}, "strategies: unknown strategy 'updat'; did you mean 'update'"),
        ({"strategies": ["stale", "stale"]}, "'stale' is named twice"),
        ({"strategies": []}, "expected some of retrain"),
        ({"lr": -1.0}, r"backtest: Update.lr: .*greater than 0"),
        ({"first": 0}, "first: expected 1 day or more, found 0"),
    ):
        with pytest.raises(DeclarationError, match=said):
            gw.backtest(recipe, **options)
    with pytest.raises(TableError, match="no column 'whem'; did you mean 'when'"):
        gw.backtest(recipe, by="whem")
    with pytest.raises(TableError, match=r"time 'when': expected 7 days or more, 5 for the first model.* found 6"):
        gw.backtest(recipe, first=5)
    ranker = gw.Ranker.from_options(gw.Recipe.read(recipe).schema(), gw.declare.Options())
    for call in (lambda: gw.backtest(ranker, log()), lambda: gw.backtest(ranker, by="when"), lambda: gw.backtest(3)):
        with pytest.raises(DeclarationError, match=r"^backtest: .*(column of days|give a table|expected a recipe)"):
            call()
