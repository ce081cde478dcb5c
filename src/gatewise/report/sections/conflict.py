"""Section: conflict of the tasks' gradients."""

from __future__ import annotations

from functools import partial

from gatewise import plots
from gatewise.plots.history import PAIRS
from gatewise.report.blocks import Figure, Figures, Note, Section, Table, Value
from gatewise.report.findings import Findings
from gatewise.report.pictures import figure

TITLE = "Gradient conflict"
PLACES = {"representation": "at the shared representation", "experts": "in the experts"}


def conflict(found: Findings) -> Section | None:
    """Return the cosines of the tasks' gradients over time."""
    if len(found.schema.tasks) < 2:
        return None
    if not any(record.conflict for record in found.history):
        text = "Nobody asked for it in training: training.conflict_every: 20 looks at every 20th step."
        return Section("conflict", TITLE, blocks=[Note(text)])
    intro = (
        "Mean cosine of the gradients of every two tasks: below 0 a step for one is a step back for the other. "
        "The ratio is that of their lengths, the first by the second."
    )
    count = len(found.schema.tasks) * (len(found.schema.tasks) - 1) // 2
    note = f"Drawn are the {PAIRS} of {count} pairs with the lowest cosines." if count > PAIRS else ""
    blocks = [Figures([_figure(found, at) for at in PLACES], note=note)]
    return Section("conflict", TITLE, intro, blocks, folded=count > PAIRS)


def _figure(found: Findings, at: str) -> Figure:
    rows: list[list[Value]] = [
        [record.epoch, *pair["tasks"], pair["cosine"], pair["norm_ratio"], pair["steps"]]
        for record in found.history
        for pair in record.conflict
        if pair["at"] == at
    ]
    numbers = Table(["epoch", "task", "other task", "cosine", "ratio of lengths", "steps"], rows)
    pairs = list(plots.conflict_cosines(found.history, at, PAIRS))
    draw = partial(plots.gradient_conflict, found.history, at)
    return figure(f"Cosine {PLACES[at]}", draw, numbers, legend=pairs)
