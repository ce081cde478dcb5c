"""The search for a recipe's options: trials that are ended early, kept on disk, and gone on with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gatewise.declare import Cluster, Recipe, read_values, to_dict
from gatewise.errors import DeclarationError, TrainingError
from gatewise.files import held, write_text
from gatewise.grids import Grid, number, printed_as_tables
from gatewise.jobs.tables import Tables
from gatewise.jobs.trial_storage import opened, trials_of
from gatewise.jobs.tune_on_ray import OnRay
from gatewise.jobs.tune_plan import Plan
from gatewise.jobs.tune_search import BEST, Searching, importance_of, winners, write_winners
from gatewise.jobs.tune_workers import Alone, Several, Workers
from gatewise.progress import at_terminal, working
from gatewise.ranker import Ranker
from gatewise.ray_cluster import joined, room_of
from gatewise.report import check_extra, render
from gatewise.report.blocks import Page
from gatewise.report.search import Trial, search_page

PAGE = "tune.html"
SHOWN = 5
"""Trials, and options by importance, that are printed."""


@printed_as_tables
@dataclass(frozen=True)
class Search:
    """A search that has ended; prints as tables.

    Attributes:
        trials: all trials, also of earlier calls, by their numbers; number 0 is the recipe as it is.
        front: places of the trials that no other one beats at all goals, the best by the first goal first; of one goal
            the best trial alone.
        best: the place of the best trial, counted from 0; of several goals the knee of the front, which is the trial
            nearest to the best value of every goal.
        importance: by path of an option the share that it has in how trials differ; empty: too few trials.
        goals: the scores that were searched for, greater is better.
        recipe: the file of the best recipe.
        recipes: the files of the front's recipes, in its order.
        interrupted: whether Ctrl-C ended it.
    """

    trials: list[Trial]
    front: list[int]
    best: int
    importance: dict[str, float]
    goals: list[str]
    recipe: Path
    recipes: list[Path]
    interrupted: bool

    @property
    def page(self) -> Page:
        """The report, for :func:`gatewise.report.render`."""
        name = self.recipe.parent.resolve().name
        return search_page(self.trials, self.front, self.best, self.importance, self.goals, name)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report, one HTML file; return its path, by default ``tune.html`` in the folder of the search.

        Raises:
            ArtefactError: the file cannot be written.
            MissingExtraError: matplotlib or jinja2 is not installed.
        """
        check_extra()
        target = self.recipe.parent / PAGE if path is None else Path(path)
        write_text(target, render(self.page))
        return target

    def grids(self) -> list[Grid]:
        """Return tables of the best trials, or of the front, and of what mattered."""
        options = self.trials[self.best].options
        best = ", ".join(f"{path} {value}" for path, value in options.items()) or "the recipe as it is"
        word = "knee" if len(self.goals) > 1 else "best"
        first = [f"{path} {share:.2f}" for path, share in list(self.importance.items())[:SHOWN]]
        notes = [f"{word}: {best}", *([f"what mattered: {', '.join(first)}"] if first else [])]
        return [self._shown_trials(), *(Grid([], [], note=note) for note in notes)]

    def _shown_trials(self) -> Grid:
        if len(self.goals) == 1:
            known = [place for place, trial in enumerate(self.trials) if trial.state == "complete"]
            shown = sorted(known, key=lambda place: -(self.trials[place].value or 0.0))[:SHOWN]
            title = "best trials, and the recipe as it is"
        else:
            shown = list(self.front)
            title = "trials that no other one beats at all goals, and the recipe as it is"
        shown += [
            place
            for place, trial in enumerate(self.trials)
            if not trial.number and trial.values is not None and place not in shown
        ]
        chosen = "best" if len(self.goals) == 1 else "knee"
        rows = []
        for place in shown:
            trial = self.trials[place]
            values = [number(value) for value in trial.values or ()]
            mark = ", ".join(
                word for word, known in [(chosen, place == self.best), ("as declared", not trial.number)] if known
            )
            rows.append([str(trial.number + 1), *values, str(trial.epochs), f"{trial.seconds:.1f}", mark])
        headings = ["score"] if len(self.goals) == 1 else self.goals
        return Grid(["trial", *headings, "epochs", "seconds", ""], rows, title)


def tune(
    recipe: Recipe | str | Path,
    folder: str | Path | None = None,
    *,
    overrides: list[str] | None = None,
    goals: list[str] | None = None,
    trials: int = 30,
    minutes: float | None = None,
    workers: int | None = None,
    cluster: Cluster | None = None,
    seed: int = 0,
    overwrite: bool = False,
    progress: bool | None = None,
) -> Search:
    """Search for the options of a recipe with the best score on its validation rows; write the best recipe.

    The first trial is the recipe as it is. Every trial is kept in ``tune.db`` in the folder: a search that was killed
    goes on where it was, and gives what it would have given, with one worker. ``best.yaml`` is written whenever a trial
    is the best so far. With several goals, the trials that no other one beats at all of them are written as
    ``front/trial-N.yaml``, and ``best.yaml`` is the knee between them. Needs the extra ``tune``.

    Args:
        recipe: a recipe, or its file; its ``tune`` says where to look besides, or instead of, the default ranges.
        folder: the folder of the search; by default the recipe's ``output`` with ``-tune``.
        overrides: options that replace the file's, such as ``["training.epochs=3"]``.
        goals: several goals instead of the recipe's: tasks, or a task and a metric, such as ``["click", "stars.r2"]``.
        trials: how many trials there are to be in all, with those of earlier calls.
        minutes: no trial begins after so many minutes, and the last ones end with their epochs; None: no limit.
        workers: how many trials are trained beside each other, each in a process with its share of the threads; a
            script must then call this function under ``if __name__ == "__main__"``. By default 1, or as many as the
            cluster has.
        cluster: Ray cluster whose processes train the trials; by default that of the recipe, and without one this
            machine. All machines need the tables' files. A process that dies costs its own trial, which is trained
            again.
        seed: of the search; equal seeds give equal results, with one worker.
        overwrite: forget the search in the folder.
        progress: show progress; by default when standard error is a terminal.

    Raises:
        DeclarationError: the recipe is not valid, has no validation rows, or a range or a goal names nothing in it.
        ArtefactError: the folder holds the search of another recipe, or another process writes there.
        TableError: a table does not hold what the recipe declares.
        TrainingError: no trial can be trained.
        GatewiseError: there is no such cluster.
        MissingExtraError: Optuna is not installed, or Ray for a cluster.
    """
    if trials < 1 or (workers is not None and workers < 1) or (minutes is not None and minutes <= 0):
        found = f"{trials}, {workers} and {minutes}"
        raise DeclarationError(f"tune: expected 1 trial or more, 1 worker or more and minutes above 0, found {found}")
    plan = _plan(recipe, folder, overrides or [], goals or [], seed)
    show = at_terminal() if progress is None else progress
    Ranker.from_options(plan.declared.schema(), plan.declared)
    with working("looking at the tables", show):
        tables = plan.tables()
    if tables.valid is None:
        raise DeclarationError("tune: trials are judged on validation rows, and the recipe's data has none")
    plan.folder.mkdir(parents=True, exist_ok=True)
    with held(plan.folder):
        study = opened(plan.folder, plan.digest, len(plan.goals), overwrite=overwrite)
        until = None if minutes is None else time.monotonic() + 60 * minutes
        with _team(plan, tables, workers, cluster or plan.declared.cluster) as team:
            interrupted = Searching(plan, study, team, show, team.count > 1).run(trials, until)
        done = trials_of(study)
        front, best = winners(done)
        if best is None:
            raise TrainingError(f"tune: no trial can be trained: {done[0].error}")
        importance = importance_of(study, len(plan.goals))
        written = write_winners(plan, done)
    return Search(done, front, best, importance, plan.goals, plan.folder / BEST, written, interrupted)


def _plan(
    recipe: Recipe | str | Path, folder: str | Path | None, overrides: list[str], goals: list[str], seed: int
) -> Plan:
    if isinstance(recipe, Recipe):
        if overrides:
            raise DeclarationError("tune: overrides change a recipe's file: change the recipe itself instead")
        # paths are relative to the working directory
        values, source = to_dict(recipe), Path("recipe")
    else:
        values, source = read_values(recipe, overrides), Path(recipe)
    if goals:
        values["goals"] = list(goals)
    plan = Plan(values, source, Path(), seed)
    where = Path(folder) if folder is not None else Path(f"{plan.declared.output}-tune")
    plan = Plan(values, source, where, seed)
    # a wrong goal is found before tables are read
    assert plan.goals
    return plan


@contextmanager
def _team(plan: Plan, tables: Tables, workers: int | None, cluster: Cluster | None) -> Iterator[Workers]:
    """Give those that train the trials, for the length of a block."""
    if cluster is not None:
        with joined(cluster, "tuning on a Ray cluster") as ray:
            wanted = replace(cluster, workers=workers or cluster.workers)
            yield OnRay(ray, plan, wanted, room_of(ray, wanted))
    elif workers is None or workers == 1:
        yield Alone(plan, tables)
    else:
        yield Several(plan, workers, _threads_of(workers))


def _threads_of(workers: int) -> int:
    """Return the share of one worker in this process's threads."""
    import torch

    return max(1, torch.get_num_threads() // workers)
