"""The loop of a search: trials are asked for, trained and kept, and the best ones written as recipes."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatewise.analysis import knee, pareto_front
from gatewise.declare import declared_at
from gatewise.jobs.trial_draws import decoded, distribution, encoded
from gatewise.jobs.trial_storage import Study, told, trials_of
from gatewise.jobs.tune_attempt import Outcome
from gatewise.jobs.tune_plan import Plan
from gatewise.jobs.tune_workers import Begun, Workers
from gatewise.progress import duration, said
from gatewise.report.search import Trial

if TYPE_CHECKING:
    import optuna

BEST, FRONT = "best.yaml", "front"
ENOUGH = 8
"""Trials from which on the importance of options is worth a look."""
DIGITS = 4
"""Decimals of a score where there are several goals: trials that differ by less are equally good."""


@dataclass
class Searching:
    """A search that goes on until there are so many trials, or the time is up."""

    plan: Plan
    study: Study
    workers: Workers
    show: bool
    beside: bool
    """Whether trials are trained beside each other."""

    def run(self, trials: int, until: float | None) -> bool:
        """Return whether Ctrl-C ended it."""
        try:
            while True:
                while self.workers.room and self._goes_on(trials, until):
                    self.workers.begin(self._asked(), None if until is None else until - time.monotonic())
                if not self.workers.running:
                    return False
                begun, outcome = self.workers.next()
                self._ended(begun, outcome, trials)
        except KeyboardInterrupt:
            if not trials_of(self.study):
                raise
            return True
        finally:
            self.workers.close()

    def _goes_on(self, trials: int, until: float | None) -> bool:
        known = len(trials_of(self.study)) + len(self.workers.running)
        return known < trials and (until is None or time.monotonic() < until or not known)

    def _asked(self) -> Begun:
        """Return a trial; the first one has what the recipe declares, where that lies in the ranges."""
        import optuna

        taken = {trial.number for trial in trials_of(self.study)} | {each.number for each in self.workers.running}
        number = next(each for each in range(len(taken) + 1) if each not in taken)
        space = dict(self.plan.space)
        with warnings.catch_warnings():
            # parts of Optuna that may change, which it says
            warnings.simplefilter("ignore")
            # a trial's draws follow from its number and the trials before it: one that was killed is drawn again
            sampler: optuna.samplers.BaseSampler = optuna.samplers.TPESampler(
                seed=self.plan.seed * 1_000_003 + number, constant_liar=self.beside
            )
            if not number:
                now = {path: encoded(each, declared_at(self.plan.declared, path)) for path, each in space.items()}
                now = {path: value for path, value in now.items() if value is not None}
                space = {path: space[path] for path in now}
                sampler = optuna.samplers.PartialFixedSampler(now, sampler)
        self.study.sampler = sampler
        trial = self.study.ask({path: distribution(each) for path, each in space.items()})
        options = {path: decoded(space[path], drawn) for path, drawn in trial.params.items()} if number else {}
        return Begun(number, trial, options)

    def _ended(self, begun: Begun, outcome: Outcome | None, trials: int) -> None:
        import optuna

        if outcome is None:
            self.study.tell(begun.trial, state=optuna.trial.TrialState.FAIL)
            said(f"trial {begun.number + 1}/{trials}  its process ended; it is drawn and trained again", self.show)
            return
        told(self.study, begun.trial, begun.number, begun.options, outcome)
        found = trials_of(self.study)
        front, best = winners(found)
        won = {found[place].number for place in front}
        if begun.number in won:
            write_winners(self.plan, found)
        known = "" if best is None or len(self.plan.goals) > 1 else f"  best {found[best].value:.4f}"
        value = "failed: " + outcome.error if outcome.values is None else self._scores(outcome.values)
        value += " (ended early)" if outcome.state == "pruned" else ""
        shown = ", ".join(f"{path} {each}" for path, each in begun.options.items()) or "the recipe as it is"
        line = f"trial {begun.number + 1}/{trials}  {value}{known}  {duration(outcome.seconds)}  {shown}"
        said(line + ("  *" if begun.number in won else ""), self.show)

    def _scores(self, values: Sequence[float]) -> str:
        if len(values) == 1:
            return f"{values[0]:.4f}"
        return "  ".join(f"{goal} {value:.4f}" for goal, value in zip(self.plan.goals, values, strict=True))


def winners(trials: Sequence[Trial]) -> tuple[list[int], int | None]:
    """Return the places of trials that no other one beats at all goals, and of the best of them.

    They are chosen among those trained to their end, else among all; of equal ones the first. The best is the one with
    the greatest score, or of several goals the knee: the nearest to the best value of every goal.
    """
    import numpy as np

    for state in ("complete", "pruned"):
        known = [place for place, each in enumerate(trials) if each.state == state and each.values is not None]
        if known:
            values = np.array([trials[place].values for place in known])
            if values.shape[1] > 1:
                values = values.round(DIGITS)
            front = pareto_front(values)
            return [known[place] for place in front], known[front[knee(values[front])]]
    return [], None


def write_winners(plan: Plan, trials: Sequence[Trial]) -> list[Path]:
    """Write the best recipe and, where there are several goals, one recipe per trial of the front.

    Returns:
        the files of the front, in its order; of one goal the best recipe.
    """
    front, best = winners(trials)
    if best is None:
        return []
    plan.write(trials[best].options, plan.folder / BEST, plan.folder / "best")
    if len(plan.goals) == 1:
        return [plan.folder / BEST]
    folder, files = plan.folder / FRONT, []
    folder.mkdir(exist_ok=True)
    for place in front:
        trial = trials[place]
        path = folder / f"trial-{trial.number + 1}.yaml"
        plan.write(trial.options, path, folder / path.stem)
        files.append(path)
    for other in folder.glob("trial-*.yaml"):
        if other not in files:
            other.unlink()
    return files


def importance_of(study: Study, goals: int) -> dict[str, float]:
    """Return the share of every option in how trials differ, the greatest first; empty with too few trials.

    Of several goals the mean of their shares.
    """
    if len(trials_of(study)) < ENOUGH:
        return {}
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    shares: dict[str, float] = {}
    with warnings.catch_warnings(), suppress(ValueError, RuntimeError):
        # of few trials it warns that they are few
        warnings.simplefilter("ignore")
        for goal in range(goals):
            target: Any = None if goals == 1 else (lambda trial, goal=goal: trial.values[goal])
            found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(), target=target)
            for path, share in found.items():
                shares[path] = shares.get(path, 0.0) + share / goals
    return dict(sorted(shares.items(), key=lambda each: -each[1]))
