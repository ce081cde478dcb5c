"""The report of a search for options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

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
        options: by path what was tried; empty for the recipe as it is.
        value: the score of its best epoch, greater is better; None: it failed.
        state: ``complete``, ``pruned`` or ``failed``.
        epochs: how many epochs were trained.
        seconds: how long it took.
        error: why it failed, or an empty text.
    """

    options: Mapping[str, Any]
    value: float | None
    state: str
    epochs: int
    seconds: float
    error: str = ""


def search_page(trials: Sequence[Trial], best: int, importance: Mapping[str, float], goal: str, name: str) -> Page:
    """Return the report of a search.

    Args:
        trials: all trials, in their order; the first one is the recipe as it is.
        best: the place of the best trial, counted from 0.
        importance: by path of an option the share that it has in how trials differ; empty: not known.
        goal: the score that was searched for.
        name: the name of the search.
    """
    states = [trial.state for trial in trials]
    declared = trials[0].value
    gained = None if declared is None else (trials[best].value or 0.0) - declared
    tiles = [
        Tile(f"best {goal}", trials[best].value, f"trial {best + 1}"),
        Tile("as declared", declared, "trial 1"),
        Tile("gained", Cell(gained, signed=True)),
        Tile("trials", f"{len(trials)}", f"{states.count('pruned')} ended early, {states.count('failed')} failed"),
    ]
    sections = [_best(trials[best]), _curve(trials), *([_importance(importance)] if importance else [])]
    return Page(f"{name}: search", f"{goal} on the validation rows", tiles, [*sections, _trials(trials)])


def _best(trial: Trial) -> Section:
    intro = "The options of best.yaml that differ from the recipe." if trial.options else "The recipe as it is."
    blocks: list[Block] = [Facts([(path, _shown(value)) for path, value in trial.options.items()])]
    return Section("best", "Best options", intro, blocks if trial.options else [])


def _curve(trials: Sequence[Trial]) -> Section:
    values = [trial.value for trial in trials]
    numbers = Table(["trial", "score"], [[place, value] for place, value in enumerate(values, 1)])
    drawn = figure("Score by trial", partial(plots.best_so_far, values), numbers, width=480, height=260)
    intro = "A dot per trial, also of those that were ended early; the line is the best so far."
    return Section("curve", "Best score over trials", intro, [Figures([drawn])])


def _importance(importance: Mapping[str, float]) -> Section:
    rows: list[list[Value]] = [[path, share] for path, share in importance.items()]
    height = 60 + LONG_LINE * len(importance)
    picture = partial(plots.option_importance, importance)
    drawn = figure("Importance", picture, Table(["option", "importance"], rows), width=480, height=height)
    intro = "How much of what sets good trials apart each option explains (PED-ANOVA); of few trials a rough guide."
    return Section("importance", "Importance of options", intro, [Figures([drawn])])


def _trials(trials: Sequence[Trial]) -> Section:
    paths = list(dict.fromkeys(path for trial in trials for path in trial.options))
    rows: list[list[Value]] = [
        [
            place,
            trial.value,
            Cell(trial.error or STATES.get(trial.state, trial.state), TONES[trial.state]),
            trial.epochs,
            trial.seconds,
            *(_shown(trial.options[path]) if path in trial.options else "" for path in paths),
        ]
        for place, trial in enumerate(trials, 1)
    ]
    table = Table(["trial", "score", "state", "epochs", "seconds", *paths], rows)
    return Section("trials", "Trials", "", [Titled("", table)])


def _shown(value: Any) -> Value:
    return value if isinstance(value, (int, float)) else str(value)
