"""Section: importance of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from gatewise import plots
from gatewise.analysis import Importance
from gatewise.plots.colours import series
from gatewise.plots.heat_map import WRITTEN
from gatewise.plots.importance import SHOWN
from gatewise.report.blocks import Block, Cell, Figure, Figures, Section, Table, Value
from gatewise.report.findings import Findings, OnTable
from gatewise.report.pictures import figure, matrix_figure

LISTED = 50
"""Most features in a table of numbers."""
TOGETHER = 4
"""Fewest predictions with a picture of all of them together."""


def features(found: Findings) -> Section | None:
    """Return the permutation importance of features for every output."""
    on = found.on
    if on is None:
        return None
    owners = {output: k for k, outputs in enumerate(found.outputs_of.values()) for output in outputs}
    tasks = list(found.outputs_of)
    importances = on.inside.importances
    figures = [
        _figure(output, each, series(owners[output]), tasks[owners[output]]) for output, each in importances.items()
    ]
    blocks: list[Block] = [Figures([_over_outputs(importances)])] if len(importances) >= TOGETHER else []
    intro = (
        f"How much worse each metric becomes when a feature's values are shuffled{_among(on)}; whiskers reach from the "
        "least to the greatest. Of features that say the same, each stands in for the other: both look unimportant."
    )
    return Section("features", "Features", intro, [*blocks, Figures(figures)])


def _among(on: OnTable) -> str:
    """Return the rows among which features were shuffled, and how often, in words."""
    looked = on.inside.screening
    if looked is None:
        repeats = len(next(iter(on.inside.importances.values()))[0].by_repeat)
        return f" among {on.sample}, {repeats} times"
    return (
        f": each of {looked.features} features once among {looked.rows:,} rows drawn from the table, and the "
        f"{looked.again} that seemed most important anew, {looked.repeats} times among {looked.again_rows:,} rows. "
        "Features without whiskers were shuffled once"
    )


def _over_outputs(found: Mapping[str, Sequence[Importance]]) -> Figure:
    """Return the most important features of all predictions, as shares of each prediction's greatest drop."""
    shares = {}
    for output, features in found.items():
        drops = {each.feature: max(each.drop or 0.0, 0.0) for each in features}
        greatest = max(drops.values()) or 1.0
        shares[output] = {name: drop / greatest for name, drop in drops.items()}
    totals = {name: sum(each[name] for each in shares.values()) for name in next(iter(shares.values()))}
    names = sorted(totals, key=lambda name: -totals[name])[: max(1, min(SHOWN, WRITTEN // len(found)))]
    values = [[shares[output][name] for output in found] for name in names]
    rows: list[list[Value]] = [[name, *row] for name, row in zip(names, values, strict=True)]
    numbers = Table(["feature", *found], rows)
    outputs = list(found)
    title, draw = "Drop as a share of the prediction's greatest", partial(plots.heat_map, values, names, outputs)
    return matrix_figure(title, draw, numbers, names, outputs)


def _figure(output: str, found: Sequence[Importance], colour: str, task: str) -> Figure:
    rows: list[list[Value]] = [
        [each.feature, *(Cell(value, signed=True) for value in (each.drop, each.low, each.high))]
        for each in found[:LISTED]
    ]
    note = f"The first {LISTED} of {len(found)}: ranker.feature_importance has all." if len(found) > LISTED else ""
    numbers = Table(["feature", "drop", "low", "high"], rows, note)
    height = 60 + 19 * min(SHOWN, len(found))
    title = f"{output}: loss of {found[0].metric} without the feature"
    return figure(title, partial(plots.importance, found, colour=colour), numbers, height=height, task=task)
