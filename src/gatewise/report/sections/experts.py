"""Section: similarity of experts, and metrics without each of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from gatewise import plots
from gatewise.analysis import Ablation, Routing, Similarity
from gatewise.report.blocks import Block, Cell, Figure, Figures, Note, Section, Table, Value
from gatewise.report.findings import Findings
from gatewise.report.pictures import WIDE_CELL, matrix_figure
from gatewise.report.sections.values import defined

TITLE = "Experts"


def experts(found: Findings) -> Section | None:
    """Return the similarity of experts (CKA), and the changes of metrics when an expert is removed."""
    on = found.on
    if on is None:
        return None
    inside = on.inside
    if not inside.similarities:
        return Section("experts", TITLE, blocks=[Note(f"{type(found.options.model).__name__} has no experts.")])
    several = len(inside.similarities) > 1
    blocks: list[Block] = [
        Figures([_similarity(alike, several), _ablation(without, several)])
        for alike, without in zip(inside.similarities, inside.ablations, strict=True)
    ]
    blocks += [_routing(each, len(inside.routings) > 1) for each in inside.routings]
    intro = (
        "Similarity is linear CKA of outputs: 1 where one expert gives what the other does, turned and scaled. "
        "Without an expert, the others' weights are scaled up to 1; green is for the better, red for the worse. "
        "A task trains the experts that its gate chooses: beside the gates' mean weights stands the "
        "share of each expert in the task's gradient. "
        f"Looked at on {on.sample}."
    )
    return Section("experts", TITLE, intro, blocks)


def _routing(each: Routing, named: bool) -> Figures:
    of_layer = f", {each.layer}" if named else ""
    return Figures(
        [
            matrix_figure(
                title + of_layer, partial(draw, each), _numbers(what, names, each.experts, values), names, each.experts
            )
            for title, draw, what, names, values in (
                ("Share of the task's gradient", plots.gradient_routing, "task", each.tasks, each.gradients),
                ("Mean weight of the gate", plots.routed_weights, "gate", each.gates, each.weights),
            )
        ]
    )


def _numbers(what: str, names: Sequence[str], experts: Sequence[str], values: np.ndarray) -> Table:
    rows: list[list[Value]] = [[name, *map(defined, row)] for name, row in zip(names, values.tolist(), strict=True)]
    return Table([what, *experts], rows)


def _similarity(each: Similarity, named: bool) -> Figure:
    rows: list[list[Value]] = [
        [expert, *map(defined, values)] for expert, values in zip(each.experts, each.cka.tolist(), strict=True)
    ]
    title = "Similarity (CKA)" + (f", {each.layer}" if named else "")
    numbers = Table(["expert", *each.experts], rows)
    return matrix_figure(title, partial(plots.similarity, each), numbers, each.experts, each.experts)


def _ablation(each: Ablation, named: bool) -> Figure:
    columns = [f"{output} {metric}" for output, metric in zip(each.outputs, each.metrics, strict=True)]
    rows: list[list[Value]] = [["all experts", *map(defined, each.whole.tolist())]]
    for expert, changes in zip(each.experts, each.change.tolist(), strict=True):
        rows.append([f"without {expert}", *(Cell(defined(change), signed=True) for change in changes)])
    title = "Change of the metric without the expert" + (f", {each.layer}" if named else "")
    return matrix_figure(
        title, partial(plots.ablation, each), Table(["experts", *columns], rows), each.experts, columns, WIDE_CELL
    )
