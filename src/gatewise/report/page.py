"""From findings to a page."""

from __future__ import annotations

from gatewise.report.blocks import Page, Tile
from gatewise.report.findings import Findings
from gatewise.report.sections import SECTIONS

TILES = 6


def page_of(found: Findings) -> Page:
    """Return the report of an artefact."""
    sections = [section for make in SECTIONS if (section := make(found)) is not None]
    tasks = ", ".join(task.name for task in found.schema.tasks)
    kind = type(found.options.model).__name__
    return Page(found.name, f"{kind} · {tasks}", [*_tiles(found)], sections)


def _tiles(found: Findings) -> list[Tile]:
    """Return one tile per task, with the summary metric of its last output."""
    tiles = []
    part = next(reversed(list(found.saved)), "")
    measured = found.saved.get(part, {}) if found.on is None else found.on.metrics
    for outputs in list(found.outputs_of.values())[:TILES]:
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
