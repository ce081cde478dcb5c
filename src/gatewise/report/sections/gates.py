"""Section: which gate uses which expert."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby

import numpy as np

from gatewise import plots
from gatewise.analysis import GateUsage
from gatewise.plots.gates import MARK
from gatewise.report.blocks import Block, Figure, Figures, Note, Section, Table, Titled, Value
from gatewise.report.findings import Findings
from gatewise.report.pictures import figure, matrix_figure

TITLE = "Gates"
DRAWN = 6
"""Most pictures by slice, the greatest differences first."""
CELLS = 4_000
"""Most numbers in a table of all slices."""


def gates(found: Findings) -> Section | None:
    """Return the gates' weights, entropy and utilisation: over all rows, while training, and by slice."""
    usages = [] if found.on is None else found.on.inside.usages
    over_time = _over_time(found)
    if found.on is not None and not usages:
        return Section("gates", TITLE, blocks=[Note(f"{type(found.options.model).__name__} has no gates.")])
    if not usages and not over_time:
        return None
    whole = [usage for usage in usages if usage.column is None]
    blocks: list[Block] = [Figures([_weights(usage, len(whole) > 1) for usage in whole])] if whole else []
    blocks += [_spread(whole)] if whole else []
    blocks += [Figures(over_time, "While training, over the validation rows")] if over_time else []
    blocks += _by_slice(whole, [usage for usage in usages if usage.column is not None])
    intro = (
        "How much weight the gate of each task gives to each expert. Blue is more than an even share, brown is less; "
        f"full colours are twice or half of it. The most used expert comes first; {MARK} marks one that "
        "serves mostly one task."
    )
    if found.on is not None:
        intro += f" Looked at on {found.on.sample}."
    return Section("gates", TITLE, intro, blocks)


def _weights(usage: GateUsage, named: bool) -> Figure:
    title = "Mean weight of every expert" + (f", {usage.layer}" if named else "")
    rows: list[list[Value]] = [
        [gate, *map(float, weights)] for gate, weights in zip(usage.gates, usage.weights, strict=True)
    ]
    numbers = Table(["gate", *usage.experts], rows)
    return matrix_figure(title, partial(plots.gates, usage), numbers, usage.gates, usage.experts)


def _spread(whole: Iterable[GateUsage]) -> Titled:
    rows: list[list[Value]] = []
    for usage in whole:
        for k, gate in enumerate(usage.gates):
            first = int(usage.weights[k].argmax())
            most: list[Value] = [usage.experts[first], float(usage.weights[k, first])]
            rows.append([usage.layer, gate, float(usage.entropy[k]), float(usage.relative_entropy[k]), *most])
    headings = ["layer", "gate", "entropy", "relative entropy", "first expert", "its weight"]
    note = "Relative entropy: 1 where a row's weights are even, 0 where one expert has all."
    return Titled("How evenly weights are spread", Table(headings, rows, note))


def _over_time(found: Findings) -> list[Figure]:
    history = [record for record in found.history if record.gates]
    if not history:
        return []
    tasks = list(history[0].gates)
    rows = [[record.epoch, *(record.gates[task]["relative_entropy"] for task in tasks)] for record in history]
    entropy = Table(["epoch", *tasks], rows)
    figures = [figure("Relative entropy of the gates", partial(plots.gate_entropy, history), entropy, legend=tasks)]
    # with many tasks the page shows one of them at a time; a gate may also be one for all
    picked = {task.name for task in found.schema.tasks}
    for task in tasks:
        shares = [[record.epoch, *record.gates[task]["utilisation"]] for record in history]
        experts = [f"expert {index}" for index in range(len(shares[0]) - 1)]
        title = f"{task}: rows in which each expert weighs most"
        draw = partial(plots.utilisation, history, task, experts)
        figures.append(
            figure(title, draw, Table(["epoch", *experts], shares), legend=experts, task=task if task in picked else "")
        )
    return figures


def _by_slice(whole: Sequence[GateUsage], parts: Sequence[GateUsage]) -> list[Block]:
    """Return pictures of the gates and columns whose weights differ most, and a table of all weights."""
    if not parts:
        return []
    last = whole[-1]
    parts = [part for part in parts if part.layer == last.layer]
    by_column = {column: list(members) for column, members in groupby(parts, key=lambda part: part.column)}
    places = [
        (_apart(last, members, gate), str(column), gate, members)
        for column, members in by_column.items()
        for gate in last.gates
    ]
    places.sort(key=lambda place: -place[0])
    figures = [_slice_figure(column, gate, members) for _, column, gate, members in places[:DRAWN]]
    headings = ["column", "slice", "rows", "gate", *last.experts, "relative entropy"]
    rows: list[list[Value]] = [
        [
            part.column or "",
            part.value or "",
            part.rows,
            gate,
            *map(float, part.weights[k]),
            float(part.relative_entropy[k]),
        ]
        for part in parts
        for k, gate in enumerate(part.gates)
    ]
    note = "Drawn are the gates and columns whose slices differ most from all rows."
    if len(rows) * len(headings) > CELLS:
        return [Figures(figures, "By segment", f"{note} All are too many for a table: ranker.gate_usage has them.")]
    everything = Titled("", Table(headings, rows), folded=f"all segments of {len(by_column)} columns")
    return [Figures(figures, "By segment", note), everything]


def _slice_figure(column: str, gate: str, members: Sequence[GateUsage]) -> Figure:
    names = [str(part.value) for part in members]
    k = members[0].gates.index(gate)
    reached = np.flatnonzero(members[0].reached[k])
    experts = [members[0].experts[expert] for expert in reached]
    rows: list[list[Value]] = [
        [name, part.rows, *map(float, part.weights[k, reached])] for name, part in zip(names, members, strict=True)
    ]
    numbers = Table([column, "rows", *experts], rows)
    draw = partial(plots.gates_by_slice, members, gate)
    return matrix_figure(f"{gate} by {column}", draw, numbers, names, experts)


def _apart(whole: GateUsage, members: Sequence[GateUsage], gate: str) -> float:
    """Return the mean over rows of the share of a gate's weight that a slice moves to other experts."""
    rows = np.array([part.rows for part in members], dtype=np.float64)
    weights = np.stack([part.weights[part.gates.index(gate)] for part in members])
    moved = np.abs(weights - whole.weights[whole.gates.index(gate)]).sum(axis=1) / 2
    return float((moved * rows).sum() / rows.sum())
