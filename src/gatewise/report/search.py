"""The report of a search for options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from gatewise import plots
from gatewise.report.blocks import Block, Cell, Facts, Figures, Page, Section, Table, Tile, Titled, Tone, Value
from gatewise.report.pictures import figure

TONES: Mapping[str, Tone] = {"complete": "", "pruned": "quiet", "failed": "bad"}
STATES = {"pruned": "ended early"}
LONG_LINE = 20
"""Pixels per option in the picture of importance."""


@dataclass(frozen=True)
class Trial:
    """One trial of a search.

    Attributes:
        number: counted from 0, which is the recipe as it is.
        options: by path what was tried; empty for the recipe as it is.
        values: of every goal the score at the epoch whose weights are kept, greater is better; None: it failed.
        state: ``complete``, ``pruned`` or ``failed``.
        epochs: how many epochs were trained.
        seconds: how long it took.
        error: why it failed, or an empty text.
    """

    number: int
    options: Mapping[str, Any]
    values: tuple[float, ...] | None
    state: str
    epochs: int
    seconds: float
    error: str = ""

    @property
    def value(self) -> float | None:
        """The score of the first goal; None: it failed."""
        return None if self.values is None else self.values[0]


def search_page(
    trials: Sequence[Trial],
    front: Sequence[int],
    best: int,
    importance: Mapping[str, float],
    goals: Sequence[str],
    name: str,
) -> Page:
    """Return the report of a search.

    Args:
        trials: all trials, by their numbers.
        front: places of the trials that no other one beats at all goals, in order.
        best: the place of the best trial, counted from 0; of several goals the knee of the front.
        importance: by path of an option the share that it has in how trials differ; empty: not known.
        goals: the scores that were searched for.
        name: the name of the search.
    """
    known = {trial.number: place for place, trial in enumerate(trials) if trial.values is not None}
    current = known.get(0)
    sections = [_best(trials[best], len(goals))]
    if len(goals) > 1:
        sections.append(_front(trials, front, best, current, goals))
    sections.append(_curve(trials, goals))
    if importance:
        sections.append(_importance(importance))
    tiles = [*_gained(trials, best, current, goals), _count(trials)]
    return Page(
        f"{name}: search", f"{', '.join(goals)} on the validation rows", tiles, [*sections, _trials(trials, goals)]
    )


def _gained(trials: Sequence[Trial], best: int, current: int | None, goals: Sequence[str]) -> list[Tile]:
    chosen = trials[best]
    declared = (None,) * len(goals) if current is None else trials[current].values or ()
    if len(goals) == 1:
        gained = None if declared[0] is None else (chosen.value or 0.0) - declared[0]
        return [
            Tile(f"best {goals[0]}", chosen.value, f"trial {chosen.number + 1}"),
            Tile("as declared", declared[0], "trial 1"),
            Tile("gained", Cell(gained, signed=True)),
        ]
    tiles = []
    for goal, value, before in zip(goals, chosen.values or (), declared, strict=True):
        change = "" if before is None else f", as declared {Cell(before).shown}"
        tiles.append(Tile(goal, value, f"trial {chosen.number + 1}, the knee{change}"))
    return tiles


def _count(trials: Sequence[Trial]) -> Tile:
    states = [trial.state for trial in trials]
    return Tile("trials", f"{len(trials)}", f"{states.count('pruned')} ended early, {states.count('failed')} failed")


def _best(trial: Trial, goals: int) -> Section:
    what = "the knee of the front, " if goals > 1 else ""
    intro = f"The options of best.yaml, {what}that differ from the recipe." if trial.options else "The recipe as it is."
    blocks: list[Block] = [Facts([(path, _shown(value)) for path, value in trial.options.items()])]
    return Section("best", "Best options", intro, blocks if trial.options else [])


def _front(
    trials: Sequence[Trial], front: Sequence[int], best: int, current: int | None, goals: Sequence[str]
) -> Section:
    intro = (
        "Trials that no other one beats at all goals, each with its recipe in the folder front; "
        "the knee is the nearest to the best value of every goal."
    )
    paths = _paths([trials[place] for place in front])
    rows: list[list[Value]] = [
        [
            Cell(float(trials[place].number + 1), digits=0, beside=" knee" if place == best else ""),
            *(trials[place].values or ()),
            *_options(trials[place], paths),
        ]
        for place in front
    ]
    table = Table(["trial", *goals, *paths], rows)
    known = [place for place, trial in enumerate(trials) if trial.values is not None]
    where = {place: point for point, place in enumerate(known)}
    values = np.array([trials[place].values for place in known])
    names = [str(trials[place].number + 1) for place in front]
    figures = []
    for x, y in combinations(range(len(goals)), 2):
        pair = values[:, [x, y]]
        numbers = Table(
            ["trial", goals[x], goals[y]],
            [[trials[p].number + 1, *v] for p, v in zip(known, pair.tolist(), strict=True)],
        )
        draw = partial(
            plots.front,
            pair,
            [where[place] for place in front],
            where[best],
            None if current is None else where[current],
            names,
            (goals[x], goals[y]),
            joined=len(goals) == 2,
        )
        figures.append(figure(f"{goals[x]} and {goals[y]}", draw, numbers, width=480, height=360))
    return Section("front", "Front", intro, [Figures(figures), Titled("", table)])


def _curve(trials: Sequence[Trial], goals: Sequence[str]) -> Section:
    figures = []
    for place, goal in enumerate(goals):
        values = [None if trial.values is None else trial.values[place] for trial in trials]
        numbers = Table(
            ["trial", goal], [[trial.number + 1, value] for trial, value in zip(trials, values, strict=True)]
        )
        title = "Score by trial" if len(goals) == 1 else goal
        draw = partial(plots.best_so_far, values, score=goal)
        figures.append(figure(title, draw, numbers, width=480, height=260))
    intro = "A dot per trial, also of those that were ended early; the line is the best so far."
    return Section("curve", "Best score over trials", intro, [Figures(figures)])


def _importance(importance: Mapping[str, float]) -> Section:
    rows: list[list[Value]] = [[path, share] for path, share in importance.items()]
    height = 60 + LONG_LINE * len(importance)
    picture = partial(plots.option_importance, importance)
    drawn = figure("Importance", picture, Table(["option", "importance"], rows), width=480, height=height)
    intro = "How much of what sets good trials apart each option explains (PED-ANOVA); of few trials a rough guide."
    return Section("importance", "Importance of options", intro, [Figures([drawn])])


def _trials(trials: Sequence[Trial], goals: Sequence[str]) -> Section:
    paths = _paths(trials)
    rows: list[list[Value]] = [
        [
            trial.number + 1,
            *(trial.values or (None,) * len(goals)),
            Cell(trial.error or STATES.get(trial.state, trial.state), TONES[trial.state]),
            trial.epochs,
            trial.seconds,
            *_options(trial, paths),
        ]
        for trial in trials
    ]
    scores = ["score"] if len(goals) == 1 else goals
    table = Table(["trial", *scores, "state", "epochs", "seconds", *paths], rows)
    return Section("trials", "Trials", "", [Titled("", table)])


def _paths(trials: Sequence[Trial]) -> list[str]:
    return list(dict.fromkeys(path for trial in trials for path in trial.options))


def _options(trial: Trial, paths: Sequence[str]) -> list[Value]:
    return [_shown(trial.options[path]) if path in trial.options else "" for path in paths]


def _shown(value: Any) -> Value:
    return value if isinstance(value, (int, float)) else str(value)
