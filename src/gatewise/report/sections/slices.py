"""Section: the worst slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from gatewise import plots
from gatewise.analysis import LEAST_ROWS, LEAST_SHARE, Ranged, Slice, WorstSlice, is_large
from gatewise.metrics import LOG_LOSS, PCOC, GroupMetric, Metric
from gatewise.report.blocks import Block, Cell, Figure, Figures, Note, Section, Table, Titled, Tone, Value, shown
from gatewise.report.findings import Findings, OnTable
from gatewise.report.pictures import figure

TITLE = "Slices"
DRAWN, DRAWN_IN_ALL = 3, 18
"""Most columns with a picture per prediction, and most pictures in all."""
HEADINGS = {PCOC.name: "calibration", LOG_LOSS.name: "log loss"}


def slices(found: Findings) -> Section | None:
    """Return the slices in which each output is worst, and all slices of the columns with the widest range."""
    on = found.on
    if on is None:
        return None
    if not on.columns:
        return Section("slices", TITLE, blocks=[Note("The table is cut by no column: --by COLUMN names one.")])
    blocks: list[Block] = []
    drawn = max(1, min(DRAWN, DRAWN_IN_ALL // len(on.slices)))
    tasks = {output: task for task, outputs in found.outputs_of.items() for output in outputs}
    for output in on.slices:
        blocks += _of_output(output, found.summaries[output], on, drawn, tasks[output])
    return Section("slices", TITLE, _intro(on), blocks)


def _intro(on: OnTable) -> str:
    said = f"Rows cut by {', '.join(on.columns)}."
    if on.considered > len(on.columns):
        said += f" Of {on.considered} columns these are the ones whose slices differ most in their errors."
    said += (
        f" Worst are slices of {LEAST_ROWS} labelled rows and {LEAST_SHARE:.0%} of all or more: smaller ones are good "
        "or bad by chance, and have no point in the pictures. Intervals are those of 95%; red is what chance does not "
        "explain."
    )
    if on.reliability:
        said += (
            " AUC within a slice of a strong feature is lower than over all rows by construction, because rows in it "
            "are alike: there, look at calibration (mean prediction by mean label: 1 is right) and at log loss."
        )
    return said


def _of_output(output: str, metric: Metric | GroupMetric, on: OnTable, drawn: int, task: str) -> Iterator[Block]:
    parts = on.slices[output]
    whole = on.metrics[output].get(metric.name)
    yield Titled(f"{output}: worst slices", _worst(on.worst[output], metric, whole), task=task)
    by_column = [list(members) for _, members in groupby(parts, key=lambda part: part.column)]
    by_column.sort(key=lambda members: -_range(members, metric, on.labelled[output]))
    yield Figures(
        [_figure(output, members, metric, whole, on.labelled[output], task) for members in by_column[:drawn]], task=task
    )
    names = list(dict.fromkeys(name for part in parts for name in part.metrics))
    everything: list[list[Value]] = [
        [part.column, part.value, part.rows, *(part.metrics.get(name) for name in names)] for part in parts
    ]
    table = Table(["column", "slice", "rows", *(HEADINGS.get(name, name) for name in names)], everything)
    yield Titled("", table, folded=f"all slices of {output}", task=task)


def _worst(worst: Sequence[WorstSlice], metric: Metric | GroupMetric, whole: float | None) -> Table:
    """Return the worst slices: the summary metric with its interval and, of a probability, how true it is."""
    beside = [name for name in (LOG_LOSS.name, PCOC.name) if worst and name in worst[0].metrics]
    headings = ["column", "slice", "rows", metric.name, "interval", "less all rows"]
    if LOG_LOSS.name in beside:
        headings += ["log loss"]
    if PCOC.name in beside:
        headings += [HEADINGS[PCOC.name], "interval"]
    rows: list[list[Value]] = []
    for part in worst:
        row: list[Value] = [part.column, part.value, part.rows, *_summary(part.metrics[metric.name], metric, whole)]
        if LOG_LOSS.name in beside:
            row.append(part.metrics[LOG_LOSS.name].value)
        if PCOC.name in beside:
            row += _calibration(part.metrics[PCOC.name])
        rows.append(row)
    note = "" if whole is None else f"All rows: {metric.name} {whole:.4f}."
    return Table(headings, rows, note)


def _summary(found: Ranged, metric: Metric | GroupMetric, whole: float | None) -> list[Value]:
    if found.value is None or whole is None:
        return [found.value, _interval(found), None]
    end = found.high if metric.greater_is_better else found.low
    surely = end is not None and (end < whole if metric.greater_is_better else end > whole)
    tone: Tone = "bad" if surely else ""
    return [found.value, _interval(found), Cell(found.value - whole, tone, signed=True)]


def _calibration(found: Ranged) -> list[Value]:
    known = found.low is not None and found.high is not None
    surely = known and not (found.low or 0.0) <= 1 <= (found.high or 0.0)
    return [Cell(found.value, "bad" if surely else ""), _interval(found)]


def _interval(found: Ranged) -> str:
    return "" if found.low is None or found.high is None else f"{shown(found.low)} to {shown(found.high)}"


def _range(parts: Sequence[Slice], metric: Metric | GroupMetric, labelled: int) -> float:
    """Return the range of the metric over large slices of a column."""
    found = [value for p in parts if is_large(p, labelled) and (value := p.metrics.get(metric.name)) is not None]
    return max(found) - min(found) if found else -1.0


def _natural(part: Slice) -> tuple[bool, float]:
    """Return the sort key of a slice: whole numbers, such as hours, by value; others keep their order."""
    is_number = part.value.isdecimal()
    return not is_number, float(part.value) if is_number else 0.0


def _figure(
    output: str, parts: Sequence[Slice], metric: Metric | GroupMetric, whole: float | None, labelled: int, task: str
) -> Figure:
    parts, column = sorted(parts, key=_natural), parts[0].column
    numbers = Table([column, "rows", metric.name], [[p.value, p.rows, p.metrics.get(metric.name)] for p in parts])
    # a slice of few rows may be anywhere, and would rescale the picture
    drawn = [part for part in parts if is_large(part, labelled)] or parts
    draw = partial(plots.slices, drawn, metric, whole=whole)
    return figure(f"{output}: {metric.name} by {column}", draw, numbers, height=60 + 17 * len(drawn), task=task)
