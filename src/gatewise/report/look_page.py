"""From the profile of a table to a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from gatewise import plots
from gatewise.look import Column, Profile, Proposal
from gatewise.report.blocks import Block, Cell, Figure, Figures, Note, Page, Section, Table, Tile, Titled, Value, shown
from gatewise.report.pictures import figure, matrix_figure

TELLING = 12
"""Columns that are shown of those that tell a label best."""
DRAWN = 12
"""Most labels that are drawn over time."""
LISTED = 36
"""Letters of the most frequent values of a column."""


def look_page(found: Profile, proposal: Proposal | None) -> Page:
    """Return the page about a table.

    Args:
        found: the table's profile.
        proposal: the recipe that is proposed; None: there is none.
    """
    sections = [_attention(found, proposal), _columns(found, proposal), _labels(found), _telling(found), _copies(found)]
    sampled = "" if found.rows == found.sampled else f" · {found.sampled:,} of them, drawn at random, were looked at"
    title = f"{found.rows:,} rows · {len(found.columns)} columns{sampled}"
    return Page(found.name, title, list(_tiles(found, proposal)), [section for section in sections if section])


def _tiles(found: Profile, proposal: Proposal | None) -> Iterator[Tile]:
    yield Tile("rows", found.rows)
    yield Tile("columns", len(found.columns))
    if proposal is not None:
        yield Tile("features", len(proposal.features), f"{len(proposal.left_out)} columns left out")
    yield Tile("labels", len(found.roles.labels), found.roles.why_labels)
    yield Tile("time", found.roles.time or "none", _span(found))
    yield Tile("group", found.roles.group or "none", found.roles.why_group)


def _span(found: Profile) -> str:
    return f"{found.periods[0].begins} to {found.periods[-1].begins}" if found.periods else ""


def _attention(found: Profile, proposal: Proposal | None) -> Section | None:
    remarks = [] if proposal is None else list(proposal.remarks)
    if proposal is None:
        remarks = ["no recipe can be proposed: name the labels with --task"]
    if not remarks:
        return None
    blocks = [Note(remark, "bad") for remark in remarks]
    return Section("attention", "Before you train", f"What should be looked at in {found.name}.", blocks)


def _columns(found: Profile, proposal: Proposal | None) -> Section:
    roles = _roles(proposal)
    rows: list[Sequence[Value]] = []
    for column in found.columns:
        role, reason = roles.get(column.name, ("", ""))
        share = 100 * column.nulls / max(column.rows, 1)
        nulls = Cell(round(share) if share >= 1 or not share else share, beside=" %")
        rows.append([column.name, column.kind, nulls, column.values or None, values_of(column), role, reason])
    headings = ["column", "holds", "null", "distinct", "least · median · greatest, or most frequent", "becomes", "why"]
    return Section(
        "columns", "Columns", "Distinct values are estimates of the whole table.", [Titled("", Table(headings, rows))]
    )


def _roles(proposal: Proposal | None) -> dict[str, tuple[str, str]]:
    """Return what becomes of every column, with the reason."""
    if proposal is None:
        return {}
    out = {each.column: ("left out", each.reason) for each in proposal.left_out}
    into = {each.declared.name: (each.declared.kind, each.reason) for each in proposal.features}
    tasks = {(each.declared.column or each.declared.name): each for each in proposal.tasks}
    return out | into | {name: (f"task: {each.declared.kind}", each.reason) for name, each in tasks.items()}


def values_of(column: Column) -> str:
    """Return a column's values in a few words: quantiles of numbers, else the most frequent values."""
    if column.kind == "vector":
        return f"{column.length:.0f} numbers"
    if column.is_number and column.quantiles and column.distinct > len(column.frequent):
        return " · ".join(shown(_plain(value)) for value in (column.least, column.median, column.greatest))
    if column.kind == "time" and column.quantiles:
        return " · ".join(str(np.datetime64(int(value), "s")) for value in (column.least, column.greatest))
    told: list[str] = []
    letters = 0
    for value, rows in column.frequent:
        share = rows / max(column.known, 1)
        told.append(value + (f" ({share:.0%})" if share >= 0.01 and not column.items else ""))
        letters += len(told[-1])
        if letters > LISTED:
            break
    return column.problem or ", ".join(told)


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


def _labels(found: Profile) -> Section | None:
    if not found.tasks:
        return None
    by_name = found.by_name
    rows: list[Sequence[Value]] = [
        [each.label, "none" if each.task is None else each.task.kind, by_name[each.label].mean, each.reason]
        for each in found.tasks
    ]
    blocks: list[Block] = [Titled("", Table(["label", "task", "mean", "why"], rows))]
    names = found.relations.labels
    if len(found.periods) > 1 and names:
        figures = [_over_time(found, name, place) for place, name in enumerate(names[:DRAWN])]
        blocks.append(Figures(figures, "Over time", "The mean of every label, by the rows that have it."))
    if len(names) > 1:
        blocks.append(Figures([_correlation(found)], "Together", "Rank correlation of the labels."))
    steps = [Note(f"{step.after!r} comes after {step.before!r}.") for step in found.relations.steps]
    return Section("labels", "Labels", blocks=[*blocks, *steps])


def _over_time(found: Profile, name: str, place: int) -> Figure:
    begins, means = [each.begins for each in found.periods], [each.means[name] for each in found.periods]
    numbers = Table([str(found.roles.time), "rows", name], [[e.begins, e.rows, e.means[name]] for e in found.periods])
    return figure(name, partial(plots.periods, {name: means}, begins, first=place), numbers, height=150)


def _correlation(found: Profile) -> Figure:
    names, matrix = found.relations.labels, found.relations.correlation
    rows = [[name, *(_known(value) for value in row)] for name, row in zip(names, matrix, strict=True)]
    draw = partial(plots.heat_map, matrix, names, names, signed=True, highest=1.0)
    return matrix_figure("correlation of labels", draw, Table(["label", *names], rows), names, names)


def _known(value: float) -> float | None:
    return None if value != value else value  # NaN is not itself


def _telling(found: Profile) -> Section | None:
    metric = {
        each.label: "AUC" if each.task is not None and each.task.kind in ("binary", "multiclass") else "R2"
        for each in found.tasks
    }
    leaks = {(leak.column, leak.label): leak.level for leak in found.relations.leaks}
    blocks: list[Block] = []
    for label, scores in found.relations.alone.items():
        best = sorted(scores.items(), key=lambda pair: -pair[1])[:TELLING]
        rows: list[Sequence[Value]] = [
            [name, Cell(score, "bad" if (name, label) in leaks else ""), leaks.get((name, label), "")]
            for name, score in best
        ]
        heading = f"{metric[label]} alone"
        blocks.append(
            Titled(
                "" if len(blocks) else label,
                Table(["column", heading, "leak"], rows),
                folded="" if not blocks else label,
            )
        )
    if not blocks:
        return None
    intro = (
        "How well one column alone tells a label, on rows that it did not learn from. AUC 0.5 and R2 0 tell nothing; "
    )
    return Section("telling", "What tells the labels", intro + "close to 1 is seldom true before the event.", blocks)


def _copies(found: Profile) -> Section | None:
    rows: list[Sequence[Value]] = [[each.column, each.of, each.how] for each in found.relations.duplicates]
    return Section("copies", "Copies", blocks=[Titled("", Table(["column", "of", "how"], rows))]) if rows else None
