"""Section: how well probabilities order rows: ROC, precision over recall, scores, gain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gatewise import plots
from gatewise.analysis import Curves
from gatewise.plots.colours import series
from gatewise.report.blocks import Figure, Figures, Section, Table, Value
from gatewise.report.findings import Findings
from gatewise.report.pictures import figure

DRAWN = 30
"""Most probabilities with pictures; of others, the slices and metrics say how good they are."""


def curves(found: Findings) -> Section | None:
    """Return the curves of every probability."""
    on = found.on
    if on is None or not on.curves:
        return None
    tasks = {output: (k, task) for k, (task, each) in enumerate(found.outputs_of.items()) for output in each}
    drawn = list(on.curves.items())[:DRAWN]
    blocks = [
        Figures(_figures(output, each, series(tasks[output][0]), tasks[output][1]), output, task=tasks[output][1])
        for output, each in drawn
    ]
    intro = (
        "How well each probability tells ones from zeros, whatever its calibration: ROC, precision over recall, the "
        "scores of both classes, and the share of all ones that the rows of the highest scores hold. Dashed: chance."
    )
    if len(on.curves) > DRAWN:
        intro += f" Drawn are the first {DRAWN} of {len(on.curves)} probabilities."
    return Section("curves", "Curves", intro, blocks)


def _figures(output: str, found: Curves, colour: str, task: str) -> Sequence[Figure]:
    bars: list[list[Value]] = [
        [f"{low:.3g} to {high:.3g}", zeros, ones]
        for low, high, zeros, ones in zip(found.edges, found.edges[1:], found.zeros, found.ones, strict=False)
    ]
    return [
        figure(f"{output}: {title}", partial(draw, found, colour=colour), numbers, task=task, height=205, width=236)
        for title, draw, numbers in (
            ("ROC", plots.roc, _pairs("zeros", "ones", found.false_positives, found.true_positives)),
            (
                "precision over recall",
                plots.precision_recall,
                _pairs("recall", "precision", found.recall, found.precision),
            ),
            ("scores by label", plots.scores, Table(["prediction", "share of the zeros", "share of the ones"], bars)),
            ("gain", plots.gain, _deciles(found)),
        )
    ]


def _pairs(first: str, second: str, xs: Sequence[float], ys: Sequence[float]) -> Table:
    """Return every fifth point of a curve: the picture has them all."""
    points = [*list(zip(xs, ys, strict=True))[::5], (xs[-1], ys[-1])]
    return Table([first, second], [list(point) for point in dict.fromkeys(points)])


def _deciles(found: Curves) -> Table:
    rows: list[list[Value]] = []
    for part in range(1, 11):
        place = next(k for k, share in enumerate(found.contacted) if share >= part / 10 - 1e-9)
        share, gained = found.contacted[place], found.gained[place]
        rows.append([f"highest {part * 10}%", gained, gained / share])
    return Table(["rows", "share of the ones", "times chance"], rows)
