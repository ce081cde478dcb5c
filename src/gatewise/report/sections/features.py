"""Section: importance of features."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gatewise import plots
from gatewise.analysis import Importance
from gatewise.plots.colours import series
from gatewise.plots.importance import SHOWN
from gatewise.report.blocks import Cell, Figure, Figures, Section, Table, Value
from gatewise.report.findings import Findings
from gatewise.report.pictures import figure


def features(found: Findings) -> Section | None:
    """Return the permutation importance of features for every output."""
    on = found.on
    if on is None:
        return None
    owners = {output: k for k, outputs in enumerate(found.outputs_of.values()) for output in outputs}
    figures = [_figure(output, each, series(owners[output])) for output, each in on.inside.importances.items()]
    repeats = len(next(iter(on.inside.importances.values()))[0].by_repeat)
    intro = (
        f"How much worse each metric becomes when a feature's values are shuffled among {on.sample}, {repeats} "
        "times; whiskers reach from the least to the greatest. Of features that say the same, each stands in for the "
        "other: both look unimportant."
    )
    return Section("features", "Features", intro, [Figures(figures)])


def _figure(output: str, found: Sequence[Importance], colour: str) -> Figure:
    rows: list[list[Value]] = [
        [each.feature, *(Cell(value, signed=True) for value in (each.drop, each.low, each.high))] for each in found
    ]
    numbers = Table(["feature", "drop", "low", "high"], rows)
    height = 60 + 19 * min(SHOWN, len(found))
    title = f"{output}: loss of {found[0].metric} without the feature"
    return figure(title, partial(plots.importance, found, colour=colour), numbers, height=height)
