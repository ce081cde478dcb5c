"""Tables and lines about a table that nobody has declared yet."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from gatewise.look import Profile, Proposal
from gatewise.report.look_page import values_of


def columns_table(found: Profile, proposal: Proposal | None) -> Group:
    """Return a table of one line per column: what it holds, and what it becomes."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("column", "holds"):
        table.add_column(heading, no_wrap=True)
    for heading in ("null", "distinct"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("values", overflow="ellipsis", no_wrap=True, max_width=44)
    table.add_column("becomes", no_wrap=True)
    becomes = _becomes(proposal)
    for column in found.columns:
        null = f"{column.nulls / max(column.rows, 1):.1%}" if column.nulls else ""
        distinct = f"{column.values:,}" if column.values else ""
        table.add_row(column.name, column.kind, null, distinct, values_of(column), becomes.get(column.name, ""))
    rows = f"{found.rows:,} rows"
    sampled = rows if found.rows == found.sampled else f"{rows}, of which {found.sampled:,} were looked at"
    return Group(Text(f"{found.name}: {sampled}"), table)


def _becomes(proposal: Proposal | None) -> dict[str, str]:
    if proposal is None:
        return {}
    found = {each.column: "-" for each in proposal.left_out}
    found |= {each.declared.name: each.declared.kind for each in proposal.features}
    return found | {
        (each.declared.column or each.declared.name): f"task: {each.declared.kind}" for each in proposal.tasks
    }


def labels_table(found: Profile) -> Table:
    """Return a table of one line per label: its task, and the columns that tell it best alone."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("label", "task", "told best by"):
        table.add_column(heading, overflow="fold")
    for each in found.tasks:
        scores = found.relations.alone.get(each.label, {})
        best = sorted(scores.items(), key=lambda pair: -pair[1])[:3]
        told = ", ".join(f"{name} {score:.3f}" for name, score in best)
        table.add_row(each.label, "none" if each.task is None else each.task.kind, told)
    return table


def said_of(found: Profile, proposal: Proposal | None) -> Iterator[str]:
    """Yield what a person should know of a table before training, a line each."""
    roles = found.roles
    yield f"time:  {roles.time or 'none'}" + (f" ({roles.why_time})" if roles.time else "")
    yield f"group: {roles.group or 'none'}" + (f" ({roles.why_group})" if roles.group else "")
    for step in found.relations.steps:
        yield f"funnel: {step.after!r} comes after {step.before!r}"
    for remark in () if proposal is None else proposal.remarks:
        yield f"note: {remark}"
    for each in found.relations.duplicates:
        yield f"copy: {each.column!r} {each.how}"
    if proposal is None:
        yield "note: no recipe can be proposed: name the labels with --task"
