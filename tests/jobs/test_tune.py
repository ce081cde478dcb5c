"""The search for options: what was killed goes on, the best recipe runs as it is, mistakes are one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from gatewise.declare import Recipe
from gatewise.errors import ArtefactError, DeclarationError
from gatewise.jobs import find_tables, name_of
from gatewise.jobs.tune import Search, tune
from gatewise.ranker import Ranker
from gatewise.report import render
from gatewise.report.search import search_page

RECIPE: dict[str, Any] = {
    "data": {"train": "train.parquet", "valid": "valid.parquet"},
    "features": [{"kind": "categorical", "name": "user", "dim": 4}, {"kind": "categorical", "name": "item", "dim": 4}],
    "tasks": [{"kind": "binary", "name": "click"}, {"kind": "regression", "name": "stars"}],
    "model": {"kind": "mmoe", "experts": 2, "expert_dims": [4], "tower_dims": [4]},
    "training": {"epochs": 3, "batch_size": 256, "lr": 0.01},
    "tune": {"training.batch_size": [128, 256], "model.expert_dims": [[4], [8]], "features.*.dim": []},
}
TRIALS = 8


def options_and_values(found: Search) -> list[Any]:
    return [(trial.options, trial.value, trial.state, trial.epochs) for trial in found.trials]


@pytest.fixture(scope="module")
def place(feed: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuned") / "recipes"
    folder.mkdir()
    pq.write_table(feed.slice(0, 700), folder / "train.parquet")
    pq.write_table(feed.slice(1400, 300), folder / "valid.parquet")
    (folder / "r.yaml").write_text(yaml.safe_dump(RECIPE))
    return folder


@pytest.fixture(scope="module")
def whole(place: Path) -> Search:
    return tune(place / "r.yaml", place / "whole", trials=TRIALS)


def test_the_best_recipe_runs_as_it_is_and_has_the_score(
    whole: Search, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(whole.trials) == TRIALS
    assert whole.trials[0].options == {}
    known = [trial.value for trial in whole.trials if trial.state == "complete" and trial.value is not None]
    best = whole.trials[whole.best]
    assert best.value == max(known)
    assert best.value > whole.trials[0].value
    # from any working directory
    monkeypatch.chdir(tmp_path)
    recipe = Recipe.read(whole.recipe)
    assert recipe.tune is None
    for path, value in best.options.items():
        part, _, option = path.partition(".")
        found = getattr(getattr(recipe, part), option) if option else getattr(recipe, part).kind
        assert list(found) == value if isinstance(value, list) else found == value
    tables = find_tables(recipe, whole.recipe.parent)
    ranker = Ranker.from_options(recipe.schema(), recipe).fit(tables.train, tables.valid)
    assert max(record.score for record in ranker.history) == best.value


def test_a_killed_search_goes_on_and_finds_what_it_would_have_found(whole: Search, place: Path) -> None:
    command = "from gatewise.cli import main; main()"
    arguments = ["tune", "r.yaml", "-o", "killed", "--trials", str(TRIALS), "--no-report"]
    process = subprocess.Popen(
        [sys.executable, "-c", command, *arguments],
        cwd=place,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if f"trial 3/{TRIALS}" in line:
            break
        # a line per trial, not per epoch
        assert "epoch " not in line
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert (place / "killed" / "best.yaml").exists()
    found = tune(place / "r.yaml", place / "killed", trials=TRIALS)
    assert options_and_values(found) == options_and_values(whole)
    # what is there is not trained again
    assert options_and_values(tune(place / "r.yaml", place / "killed", trials=3)) == options_and_values(whole)


def test_trials_end_early_where_others_were_better(place: Path) -> None:
    space = {path: [] for path in ("balance", "model.dropout", "model.experts", "model.expert_dims")}
    recipe = {**RECIPE, "tune": {**RECIPE["tune"], **space, "training.lr": [1e-6, 1e-1, "log"]}}
    (place / "wide.yaml").write_text(yaml.safe_dump(recipe))
    found = tune(place / "wide.yaml", place / "wide", trials=12)
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert pruned
    assert all(trial.epochs < 3 and trial.value < found.trials[found.best].value for trial in pruned)


def test_a_trial_that_cannot_be_trained_is_one_of_the_trials(place: Path) -> None:
    recipe = {**RECIPE, "tune": {"training.monitor": ["click.auk", "stars.nothing"]}}
    (place / "wrong.yaml").write_text(yaml.safe_dump(recipe))
    found = tune(place / "wrong.yaml", place / "wrong", trials=3)
    assert [trial.state for trial in found.trials] == ["complete", "failed", "failed"]
    assert "did you mean 'auc'" in " ".join(trial.error for trial in found.trials) or "nothing" in found.trials[1].error
    assert found.best == 0


def test_the_time_is_up_after_the_first_trial(place: Path) -> None:
    found = tune(place / "r.yaml", place / "short", trials=TRIALS, minutes=1e-9)
    assert len(found.trials) == 1
    assert found.trials[0].epochs == 1
    assert found.recipe.exists()


def test_mistakes_are_one_line(whole: Search, place: Path) -> None:
    with pytest.raises(ArtefactError, match="holds the search of another recipe"):
        tune(place / "r.yaml", place / "whole", trials=TRIALS, seed=1)
    with pytest.raises(DeclarationError, match="expected 1 trial or more"):
        tune(place / "r.yaml", place / "none", trials=0)
    (place / "blind.yaml").write_text(yaml.safe_dump({**RECIPE, "data": {"train": "train.parquet"}}))
    with pytest.raises(DeclarationError, match="trials are judged on validation rows"):
        tune(place / "blind.yaml", place / "none")
    assert not (place / "none").exists()


def test_the_page_has_curve_importance_and_every_trial(whole: Search, place: Path) -> None:
    page = search_page(whole.trials, whole.best, whole.importance, whole.goal, name_of(place / "whole"))
    assert [section.name for section in page.sections] == ["best", "curve", "importance", "trials"]
    table = page.sections[-1].blocks[0].table
    assert [row[1] for row in table.rows] == [trial.value for trial in whole.trials]
    text = render(page)
    assert "training.lr" in text
    assert text.count("<svg") >= 2
