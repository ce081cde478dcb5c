"""Section: calibration of probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gatewise import plots
from gatewise.analysis import ReliabilityBin
from gatewise.plots.colours import series
from gatewise.report.blocks import Figure, Figures, Note, Section, Table, Value
from gatewise.report.findings import Findings
from gatewise.report.pictures import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Calibration"


def calibration(found: Findings) -> Section | None:
    """Return the reliability curves of every probability, uncalibrated and, if possible, calibrated."""
    on = found.on
    if on is None:
        return None
    if not on.reliability:
        return Section("calibration", TITLE, blocks=[Note("No task predicts a probability.")])
    curves = {
        output: {"as predicted": parts}
        | ({"calibrated": on.reliability_calibrated[output]} if output in on.reliability_calibrated else {})
        for output, parts in on.reliability.items()
    }
    intro = (
        "Rows in ten parts by what was predicted; beside it the share of ones that came, with its interval of 95%. "
        "On the dashed line both are the same. A part that ties leave with few rows joins its neighbour."
    )
    owners = {output: task for task, outputs in found.outputs_of.items() for output in outputs}
    figures = [_figure(output, each, owners[output]) for output, each in curves.items()]
    return Section("calibration", TITLE, intro, [Figures(figures)])


def _figure(output: str, curves: dict[str, Sequence[ReliabilityBin]], task: str) -> Figure:
    rows: list[list[Value]] = [
        [name, part.rows, part.prediction, part.share, part.low, part.high]
        for name, parts in curves.items()
        for part in parts
    ]

    def draw(*, ax: Axes) -> None:
        for position, (name, parts) in enumerate(curves.items()):
            label = name if len(curves) > 1 else ""
            plots.reliability(parts, ax=ax, label=label, colour=series(position))

    headings = ["curve", "rows", "mean prediction", "share of ones", "low", "high"]
    return figure(f"{output}: predicted and found", draw, Table(headings, rows), height=260, task=task)
