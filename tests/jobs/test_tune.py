"""The search for options: what was killed goes on, the best recipe runs as it is, mistakes are one line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import commands
import gatewise as gw
from gatewise.declare import Recipe
from gatewise.errors import ArtefactError, DeclarationError, MissingExtraError
from gatewise.jobs import find_tables
from gatewise.jobs.tune import Search, tune
from gatewise.ranker import Ranker
from gatewise.report import render

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
    arguments = ["tune", "r.yaml", "-o", "killed", "--trials", str(TRIALS), "--no-report"]
    process = commands.start(*arguments, cwd=place)
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


def children_of(process: commands.Command) -> list[int]:
    """Return the processes that train for a search, apart from Python's own."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "spawn_main" in line]


def number_of(line: str) -> int:
    return int(line.partition("trial ")[2].partition("/")[0])


def test_a_killed_worker_costs_its_trial_alone_and_interrupting_ends_all(place: Path) -> None:
    arguments = ["tune", "r.yaml", "-o", "beside", "--workers", "2", "--trials", "60", "--no-report"]
    process = commands.start(*arguments, cwd=place)
    seen: list[str] = []
    for line in process.stderr:
        seen.append(line)
        if len(seen) == 3:
            workers = children_of(process)
            assert len(workers) == 2
            os.kill(workers[0], signal.SIGKILL)
        if len(seen) == 8:
            break
    workers = children_of(process)
    os.killpg(process.pid, signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: the same command goes on" in rest
    lost = [line for line in seen if "its process ended" in line]
    assert len(lost) == 1
    assert len(workers) == 2
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]
    # the lost trial is made up for, and nothing that is there is trained again
    lines = [*seen, *rest.splitlines()]
    done = {number_of(line) for line in lines if "trial " in line and line not in lost}
    found = tune(place / "r.yaml", place / "beside", trials=len(done) + 1)
    assert len(found.trials) == len(done) + 1
    assert done | {number_of(lost[0])} <= {trial.number + 1 for trial in found.trials}
    assert found.trials[0].options == {}


def test_of_several_goals_every_trial_of_the_front_is_a_recipe(place: Path) -> None:
    goals = ["click", "stars.rmse"]
    found = tune(place / "r.yaml", place / "goals", goals=goals, trials=7)
    assert found.goals == ["click.auc", "-stars.rmse"]
    assert all(trial.state == "complete" and len(trial.values) == 2 for trial in found.trials)
    rounded = [tuple(round(each, 4) for each in trial.values) for trial in found.trials]
    beaten = {
        mine
        for mine in rounded
        if any(all(a >= b for a, b in zip(other, mine, strict=True)) and other != mine for other in rounded)
    }
    assert sorted(rounded[winner] for winner in found.front) == sorted(set(rounded) - beaten)
    assert found.best in found.front
    names = [f"trial-{found.trials[winner].number + 1}.yaml" for winner in found.front]
    assert [path.name for path in found.recipes] == names
    assert sorted(path.name for path in (place / "goals" / "front").iterdir()) == sorted(names)
    recipe = Recipe.read(found.recipes[-1])
    assert not recipe.goals
    tables = find_tables(recipe, place)
    ranker = Ranker.from_options(recipe.schema(), recipe).fit(tables.train, tables.valid)
    kept = next(record for record in reversed(ranker.history) if record.best).valid
    assert (kept["click"]["auc"], -kept["stars"]["rmse"]) == found.trials[found.front[-1]].values
    # what is there is read back
    assert tune(place / "r.yaml", place / "goals", goals=goals, trials=1).trials == found.trials
    assert [section.name for section in found.page.sections] == ["best", "front", "curve", "trials"]
    assert "-stars.rmse" in render(found.page)
    assert "-stars.rmse" in str(found)
    assert "<table>" in found._repr_html_()


def test_goals_may_stand_in_the_recipe_and_are_checked_before_the_tables(place: Path) -> None:
    nowhere = {"train": "none.parquet", "valid": "none.parquet"}
    for goals, message in [
        (["click"], "expected two or more, found 'click' alone"),
        (["click", "star.r2"], "no task 'star'.*did you mean 'stars'"),
        (["click", "stars.rmsee"], "no metric 'rmsee'.*did you mean 'rmse'"),
        (["click", "star"], "expected a task, or a task and a metric.*'star'.*did you mean 'stars'"),
    ]:
        (place / "goals.yaml").write_text(yaml.safe_dump({**RECIPE, "data": nowhere, "goals": goals}))
        with pytest.raises(DeclarationError, match=f"goals: .*{message}"):
            tune(place / "goals.yaml", place / "none")
    with pytest.raises(DeclarationError, match="1 worker or more"):
        tune(place / "r.yaml", place / "none", workers=0)


def test_a_recipe_in_python_is_searched_as_its_file_is(
    whole: Search, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    found = gw.tune(Recipe.read("r.yaml"), "python", trials=2)
    assert options_and_values(found) == options_and_values(whole)[:2]
    with pytest.raises(DeclarationError, match="overrides change a recipe's file"):
        gw.tune(Recipe.read("r.yaml"), "python", overrides=["training.epochs=1"])


def test_the_page_says_what_runs(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "docs" / "tune.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    data = {part: str(place / f"{part}.parquet") for part in ("train", "valid")}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({**RECIPE, "data": data}))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(block, "tune.md", "exec"), names)
    assert names["found"].recipe.exists()
    goals = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(goals.*?)```", text, re.DOTALL)]
    assert goals == [{"goals": ["click", "purchase.pr_auc"]}]


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
    page = whole.page
    assert page.title == "whole: search"
    assert [section.name for section in page.sections] == ["best", "curve", "importance", "trials"]
    table = page.sections[-1].blocks[0].table
    assert [row[1] for row in table.rows] == [trial.value for trial in whole.trials]
    text = render(page)
    assert "training.lr" in text
    assert text.count("<svg") >= 2


def test_a_cluster_needs_its_extra(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"tuning on a Ray cluster .*gatewise\[ray\]"):
        tune(place / "r.yaml", tmp_path, cluster=gw.Cluster())
    test = place / "valid.parquet"
    ranker = gw.Ranker(gw.Schema([gw.Categorical("user")], [gw.Binary("click")]), epochs=1)
    with pytest.raises(MissingExtraError, match=r"comparing on a Ray cluster .*gatewise\[ray\]"):
        gw.compare(ranker, place / "train.parquet", None, test, seeds=1, cluster=gw.Cluster())
