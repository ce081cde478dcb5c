"""The search for a recipe's options: trials that are ended early, kept on disk, and gone on with."""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from typing_extensions import override

from gatewise.declare import Range, Recipe, declared_at, from_dict, read_values, search_space, with_option
from gatewise.errors import DeclarationError, GatewiseError
from gatewise.files import held, write_text
from gatewise.history import EpochRecord
from gatewise.jobs.tables import Tables, find_tables
from gatewise.jobs.trial_draws import decoded, distribution, encoded
from gatewise.jobs.trial_storage import Study, opened, trials_of
from gatewise.progress import at_terminal, duration, hushed, said, working
from gatewise.ranker import Ranker
from gatewise.report.search import Trial
from gatewise.training import Reporter

if TYPE_CHECKING:
    import optuna

BEST, PAGE = "best.yaml", "tune.html"
ENOUGH = 8
"""Trials from which on the importance of options is worth a look."""
FILES = ("train", "valid", "test", "table", "path")
"""Options of a recipe's data that are paths relative to the recipe."""


@dataclass(frozen=True)
class Search:
    """A search that has ended.

    Attributes:
        trials: all trials, also of earlier calls; the first one is the recipe as it is.
        best: the place of the best trial, counted from 0.
        importance: by path of an option the share that it has in how trials differ; empty: too few trials.
        goal: the score that was searched for.
        recipe: the file of the best recipe.
        interrupted: whether Ctrl-C ended it.
    """

    trials: list[Trial]
    best: int
    importance: dict[str, float]
    goal: str
    recipe: Path
    interrupted: bool


class _Stopped(Exception):  # noqa: N818
    """A trial is ended early: it is worse than others, or the time is up."""


class _Watching(Reporter):
    """Tells a study of every epoch, and ends a trial that is worse than others were."""

    def __init__(self, trial: optuna.Trial, until: float | None) -> None:
        self.trial, self.until = trial, until
        self.scores: list[float] = []

    @override
    def on_epoch_end(self, record: EpochRecord) -> None:
        assert record.score is not None
        self.scores.append(record.score)
        # early stopping keeps the best epoch, so a trial is as good as its best epoch so far
        self.trial.report(max(self.scores), record.epoch)
        if self.trial.should_prune() or (self.until is not None and time.monotonic() > self.until):
            raise _Stopped


def tune(
    recipe: str | Path,
    folder: str | Path | None = None,
    *,
    overrides: list[str] | None = None,
    trials: int = 30,
    minutes: float | None = None,
    seed: int = 0,
    overwrite: bool = False,
    progress: bool | None = None,
) -> Search:
    """Search for the options of a recipe with the best score on its validation rows; write the best recipe.

    The first trial is the recipe as it is. Every trial is kept in ``tune.db`` in the folder: a search that was killed
    goes on where it was, and gives what it would have given. ``best.yaml`` is written whenever a trial is the best so
    far. Needs the extra ``tune``.

    Args:
        recipe: the file of the recipe; its ``tune`` says where to look besides, or instead of, the default ranges.
        folder: the folder of the search; by default the recipe's ``output`` with ``-tune``.
        overrides: options that replace the file's, such as ``["training.epochs=3"]``.
        trials: how many trials there are to be in all, with those of earlier calls.
        minutes: no trial begins after so many minutes, and the last one ends with its epoch; None: no limit.
        seed: of the search; equal seeds give equal results.
        overwrite: forget the search in the folder.
        progress: show progress; by default when standard error is a terminal.

    Raises:
        DeclarationError: the recipe is not valid, has no validation rows, or a range names no option.
        ArtefactError: the folder holds the search of another recipe, or another process writes there.
        TableError: a table does not hold what the recipe declares.
        TrainingError: no trial can be trained.
        MissingExtraError: Optuna is not installed.
    """
    if trials < 1 or (minutes is not None and minutes <= 0):
        raise DeclarationError(f"tune: expected 1 trial or more and minutes above 0, found {trials} and {minutes}")
    source = Path(recipe)
    values = read_values(source, overrides or [])
    declared = from_dict(Recipe, values, source=str(source))
    space = search_space(declared)
    where = Path(folder) if folder is not None else Path(f"{declared.output}-tune")
    show = at_terminal() if progress is None else progress
    Ranker.from_options(declared.schema(), declared)
    with working("looking at the tables", show):
        tables = find_tables(declared, source.parent)
    if tables.valid is None:
        raise DeclarationError("tune: trials are judged on validation rows, and the recipe's data has none")
    where.mkdir(parents=True, exist_ok=True)
    with held(where):
        study = opened(where, _digest(values, space, seed), overwrite=overwrite)
        searching = _Searching(study, declared, values, space, tables, where, source, seed, show)
        interrupted = searching.run(trials, None if minutes is None else time.monotonic() + 60 * minutes)
        return searching.found(interrupted)


def _digest(values: Mapping[str, Any], space: Mapping[str, Range], seed: int) -> str:
    """Return what tells one search from another."""
    text = json.dumps(
        [values, sorted((path, repr(each)) for path, each in space.items()), seed], sort_keys=True, default=str
    )
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass
class _Searching:
    """One call of :func:`tune`."""

    study: Study
    declared: Recipe
    values: dict[str, Any]
    space: Mapping[str, Range]
    tables: Tables
    folder: Path
    source: Path
    seed: int
    show: bool

    def run(self, trials: int, until: float | None) -> bool:
        """Run trials until there are so many, or the time is up; return whether Ctrl-C ended them."""
        try:
            while (done := len(trials_of(self.study))) < trials and (
                until is None or time.monotonic() < until or not done
            ):
                self._step(done, trials, until)
        except KeyboardInterrupt:
            if not trials_of(self.study):
                raise
            return True
        return False

    def _step(self, number: int, trials: int, until: float | None) -> None:
        import optuna

        trial = self._asked(number)
        options = {path: decoded(self.space[path], drawn) for path, drawn in trial.params.items()} if number else {}
        trial.set_user_attr("number", number)
        trial.set_user_attr("options", options)
        watching, began, error = _Watching(trial, until), time.monotonic(), ""
        state = optuna.trial.TrialState.COMPLETE
        try:
            recipe = self._recipe(options)
            ranker = Ranker.from_options(recipe.schema(), recipe)
            with hushed(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ranker.fit(self.tables.train, self.tables.valid, progress=False, callbacks=[watching])
        except _Stopped:
            state = optuna.trial.TrialState.PRUNED
        except GatewiseError as failure:
            state, error = optuna.trial.TrialState.FAIL, str(failure).splitlines()[0]
        trial.set_user_attr("error", error)
        trial.set_user_attr("epochs", len(watching.scores))
        trial.set_user_attr("seconds", round(time.monotonic() - began, 3))
        # of a trial that was ended early the value is what it told last
        value = max(watching.scores) if state == optuna.trial.TrialState.COMPLETE else None
        self.study.tell(trial, value, state=state)
        found = trials_of(self.study)
        if _best_of(found) == number:
            self._write(options)
        self._say(number, trials, found)

    def _asked(self, number: int) -> optuna.Trial:
        """Return a trial; the first one has what the recipe declares, where that lies in the ranges."""
        import optuna

        # a trial's draws follow from its number and the trials before it: one that was killed is drawn again
        sampler: optuna.samplers.BaseSampler = optuna.samplers.TPESampler(seed=self.seed * 1_000_003 + number)
        space = dict(self.space)
        if not number:
            now = {path: encoded(each, declared_at(self.declared, path)) for path, each in space.items()}
            now = {path: value for path, value in now.items() if value is not None}
            space = {path: space[path] for path in now}
            with warnings.catch_warnings():
                # a part of Optuna that may change, which it says
                warnings.simplefilter("ignore")
                sampler = optuna.samplers.PartialFixedSampler(now, sampler)
        self.study.sampler = sampler
        return self.study.ask({path: distribution(each) for path, each in space.items()})

    def _recipe(self, options: Mapping[str, Any]) -> Recipe:
        return from_dict(Recipe, self._changed(options))

    def _changed(self, options: Mapping[str, Any]) -> dict[str, Any]:
        changed = {name: value for name, value in self.values.items() if name not in ("tune", "track")}
        for path, value in sorted(options.items(), key=lambda each: each[0].count(".")):
            changed = with_option(self.declared, changed, path, value)
        return changed

    def _write(self, options: Mapping[str, Any]) -> None:
        """Write the best recipe, so that it runs as it is from the same working directory."""
        changed = self._changed(options)
        if "track" in self.values:
            changed["track"] = self.values["track"]
        data = {
            name: str((self.source.parent / value).resolve()) if name in FILES and value is not None else value
            for name, value in changed["data"].items()
        }
        changed |= {"data": data, "output": str(self.folder / "best")}
        write_text(self.folder / BEST, yaml.safe_dump(changed, sort_keys=False, allow_unicode=True))

    def _say(self, number: int, trials: int, found: list[Trial]) -> None:
        trial, best = found[-1], _best_of(found)
        value = "failed: " + trial.error if trial.value is None else f"{trial.value:.4f}"
        value += " (ended early)" if trial.state == "pruned" else ""
        shown = ", ".join(f"{path} {each}" for path, each in trial.options.items()) or "the recipe as it is"
        known = "" if best is None else f"  best {found[best].value:.4f}"
        line = f"trial {number + 1}/{trials}  {value}{known}  {duration(trial.seconds)}  {shown}"
        said(line + ("  *" if best == number else ""), self.show)

    def found(self, interrupted: bool) -> Search:
        """Return what was found."""
        trials = trials_of(self.study)
        best = _best_of(trials)
        if best is None:
            raise DeclarationError(f"tune: no trial can be trained: {trials[0].error}")
        goal = self.declared.training.monitor
        return Search(trials, best, _importance(self.study), goal, self.folder / BEST, interrupted)


def _best_of(trials: list[Trial]) -> int | None:
    """Return the number of the best trial: of those trained to their end, else of all; of equal ones the first."""
    for state in ("complete", "pruned"):
        known = {
            place: trial.value for place, trial in enumerate(trials) if trial.state == state and trial.value is not None
        }
        if known:
            return max(known, key=lambda place: known[place])
    return None


def _importance(study: Study) -> dict[str, float]:
    """Return the share of every option in how trials differ, the greatest first; empty with too few trials."""
    if len(trials_of(study)) < ENOUGH:
        return {}
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    with warnings.catch_warnings(), suppress(ValueError, RuntimeError):
        # of few trials it warns that they are few
        warnings.simplefilter("ignore")
        return dict(get_param_importances(study, evaluator=PedAnovaImportanceEvaluator()))
    return {}
