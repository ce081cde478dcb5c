"""Section: the worst slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from gatewise import plots
from gatewise.analysis import Slice
from gatewise.metrics import GroupMetric, Metric
from gatewise.report.blocks import Block, Cell, Figure, Figures, Note, Section, Table, Titled, Tone, Value
from gatewise.report.findings import Findings, OnTable
from gatewise.report.pictures import figure

TITLE = "Slices"
WORST, DRAWN, DRAWN_IN_ALL = 10, 3, 18
LEAST_ROWS, LEAST_SHARE = 50, 0.01
"""Least rows, and least share of the rows, of a worst slice: smaller slices may be worst by chance."""


def slices(found: Findings) -> Section | None:
    """Return the slices in which each output is worst, and all slices of the columns with the widest range."""
    on = found.on
    if on is None:
        return None
    if not on.columns:
        return Section("slices", TITLE, blocks=[Note("The table is cut by no column: --by COLUMN names one.")])
    blocks: list[Block] = []
    drawn = max(1, min(DRAWN, DRAWN_IN_ALL // len(on.slices)))
    for output in on.slices:
        blocks += _of_output(output, found.summaries[output], on, drawn)
    intro = (
        f"Rows cut by {', '.join(on.columns)}. Worst are slices of {LEAST_ROWS} labelled rows and {LEAST_SHARE:.0%} of "
        "all or more: smaller ones are good or bad by chance."
    )
    return Section("slices", TITLE, intro, blocks)


def _of_output(output: str, metric: Metric | GroupMetric, on: OnTable, drawn: int) -> Iterator[Block]:
    parts = on.slices[output]
    whole = on.metrics[output].get(metric.name)
    rows = sorted(_ranked(parts, metric, whole, on.labelled[output]), key=lambda row: row[0])[:WORST]
    table = Table(["column", "slice", "rows", metric.name, "less all rows"], [row for _, row in rows])
    note = "" if whole is None else f"All rows: {metric.name} {whole:.4f}."
    yield Titled(f"{output}: worst slices", Table(table.headings, table.rows, note))
    by_column = [list(members) for _, members in groupby(parts, key=lambda part: part.column)]
    by_column.sort(key=lambda members: -_range(members, metric, on.labelled[output]))
    yield Figures([_figure(output, members, metric, whole) for members in by_column[:drawn]])
    everything: list[list[Value]] = [
        [part.column, part.value, part.rows, part.metrics.get(metric.name)] for part in parts
    ]
    yield Titled("", Table(["column", "slice", "rows", metric.name], everything), folded=f"all slices of {output}")


def _ranked(
    parts: Sequence[Slice], metric: Metric | GroupMetric, whole: float | None, labelled: int
) -> Iterator[tuple[float, list[Value]]]:
    """Yield slices that are large enough, each with its gain over all rows."""
    for part in parts:
        value = part.metrics.get(metric.name)
        if value is not None and whole is not None and _large(part, labelled):
            gain = (value - whole) * (1 if metric.greater_is_better else -1)
            tone: Tone = "bad" if gain < 0 else ""
            yield gain, [part.column, part.value, part.rows, value, Cell(value - whole, tone, signed=True)]


def _large(part: Slice, labelled: int) -> bool:
    return part.rows >= max(LEAST_ROWS, LEAST_SHARE * labelled)


def _range(parts: Sequence[Slice], metric: Metric | GroupMetric, labelled: int) -> float:
    """Return the range of the metric over large slices of a column."""
    found = [value for p in parts if _large(p, labelled) and (value := p.metrics.get(metric.name)) is not None]
    return max(found) - min(found) if found else -1.0


def _natural(part: Slice) -> tuple[bool, float]:
    """Return the sort key of a slice: whole numbers, such as hours, by value; others keep their order."""
    is_number = part.value.isdecimal()
    return not is_number, float(part.value) if is_number else 0.0


def _figure(output: str, parts: Sequence[Slice], metric: Metric | GroupMetric, whole: float | None) -> Figure:
    parts, column = sorted(parts, key=_natural), parts[0].column
    numbers = Table([column, "rows", metric.name], [[p.value, p.rows, p.metrics.get(metric.name)] for p in parts])
    draw = partial(plots.slices, parts, metric, whole=whole)
    return figure(f"{output}: {metric.name} by {column}", draw, numbers, height=60 + 17 * len(parts))
