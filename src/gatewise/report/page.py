"""From findings to a page."""

from __future__ import annotations

from gatewise.report.blocks import Page, Tile
from gatewise.report.findings import Findings
from gatewise.report.sections import SECTIONS
from gatewise.report.sections.matrix import matrices

TILES = 6
"""Most tasks with a tile each, and with all their sections open at a time."""


def page_of(found: Findings) -> Page:
    """Return the report of an artefact."""
    sections = [section for make in SECTIONS if (section := make(found)) is not None]
    tasks = [task.name for task in found.schema.tasks]
    kind = type(found.options.model).__name__
    if len(tasks) <= TILES:
        return Page(found.name, f"{kind} · {', '.join(tasks)}", _tiles(found), sections)
    rows = "" if found.on is None else f" · {found.on.rows:,} rows of {found.on.name}"
    subtitle = f"{kind} · {len(tasks)} tasks · {len(found.schema.features)} features{rows}"
    return Page(found.name, subtitle, [], sections, matrices(found), tasks)


def _tiles(found: Findings) -> list[Tile]:
    """Return one tile per task, with the summary metric of its last output."""
    tiles = []
    part = next(reversed(list(found.saved)), "")
    measured = found.saved.get(part, {}) if found.on is None else found.on.metrics
    for outputs in found.outputs_of.values():
        output = outputs[-1]
        name = found.summaries[output].name
        if output in measured:
            tiles.append(Tile(f"{output} · {name}", measured[output].get(name), _note(found, output, name, part)))
    return tiles


def _note(found: Findings, output: str, name: str, part: str) -> str:
    if found.on is None:
        return f"{part.replace('_', ', ')} rows"
    estimate = None if found.on.estimates is None else found.on.estimates[output].get(name)
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    return f"{estimate.low:.4f} to {estimate.high:.4f}"
