"""Importance of many features at a bounded cost: all are screened, and the most telling ones measured with care."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gatewise.analysis.importance import Importance, feature_importance
from gatewise.analysis.rows import features_of
from gatewise.nn import MultiTaskModel, TensorTable
from gatewise.tasks import Task

BUDGET = 240_000
"""Rows that the model scores in all, unless all features can be measured with care."""
FEWEST_ROWS, MOST_ROWS = 500, 4_000
"""Rows among which the features are shuffled where there are many of them."""
SCREENED = 0.6
"""Share of the budget for the first look at all features."""


class Screening(NamedTuple):
    """What a first look at many features, and a second one at some of them, looked at.

    Attributes:
        features: the number of all features.
        rows: the number of rows among which each of them was shuffled once.
        again: the number of features of the second look.
        again_rows: the number of rows of the second look.
        repeats: how often each of its features was shuffled.
    """

    features: int
    rows: int
    again: int
    again_rows: int
    repeats: int


class ScreenedImportance(NamedTuple):
    """The importance of features, and how it was measured.

    Attributes:
        importances: per output, the most important feature first.
        screening: the two looks; None: every feature was measured with care.
    """

    importances: dict[str, list[Importance]]
    screening: Screening | None


def screened_importance(
    model: MultiTaskModel,
    tasks: Sequence[Task],
    table: TensorTable,
    *,
    repeats: int = 3,
    rows: int = 10_000,
    seed: int = 0,
    budget: int = BUDGET,
) -> ScreenedImportance:
    """Return the permutation importance of all features, at a cost that does not grow with their number.

    Where all repeats of all features stay within the budget, this is :func:`feature_importance`. Where they do not,
    every feature is shuffled once among fewer rows, and those with the greatest drops of any output are shuffled anew
    among more rows: a feature that seemed important by chance does not seem so twice.

    Args:
        model: any model.
        tasks: the tasks of the model.
        table: rows with labels.
        repeats: how often a feature is shuffled that is measured with care.
        rows: the largest number of rows to draw.
        seed: of the draws.
        budget: rows that the model scores in all.
    """
    names, count = features_of(model), min(rows, len(table))
    if len(names) * repeats * count <= budget:
        found = feature_importance(model, tasks, table, repeats=repeats, rows=rows, seed=seed)
        return ScreenedImportance(found, None)
    first = _bounded(SCREENED * budget / len(names), count)
    screened = feature_importance(model, tasks, table, repeats=1, rows=first, seed=seed)
    second = min(MOST_ROWS, count)
    chosen = _most_telling(screened, max(1, int((1 - SCREENED) * budget / (repeats * second))))
    again = feature_importance(
        model, tasks, table, repeats=repeats, rows=second, seed=seed + 1, features=frozenset(chosen)
    )
    importances = {output: _joined(again[output], screened[output]) for output in screened}
    return ScreenedImportance(importances, Screening(len(names), first, len(chosen), second, repeats))


def _bounded(rows: float, count: int) -> int:
    return min(count, max(FEWEST_ROWS, min(MOST_ROWS, int(rows))))


def _most_telling(found: Mapping[str, Sequence[Importance]], limit: int) -> list[str]:
    """Return the features of the greatest drops: the first of every output, then the second of each, and so on."""
    ranked = [[each.feature for each in features if (each.drop or 0.0) > 0.0] for features in found.values()]
    places = range(max(map(len, ranked), default=0))
    in_turn = dict.fromkeys(features[place] for place in places for features in ranked if place < len(features))
    return list(in_turn)[:limit]


def _joined(again: Sequence[Importance], screened: Sequence[Importance]) -> list[Importance]:
    """Return the second look's features and the others of the first, the most important feature first."""
    seen = {each.feature for each in again}
    both = [*again, *(each for each in screened if each.feature not in seen)]
    return sorted(both, key=lambda each: -1.0 if each.drop is None else -each.drop)
