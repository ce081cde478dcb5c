"""Section: problems in words, and their remedies."""

from __future__ import annotations

from gatewise.report.blocks import Block, Note, Section
from gatewise.report.findings import Findings

ADDED = (
    "metrics with intervals, gates by segment, how alike experts are and what each is good for, importance of "
    "features, slices and calibration"
)


def problems(found: Findings) -> Section:
    """Return every problem with its remedy; without a table, a note on what a table would add."""
    blocks: list[Block] = [
        Note(f"{problem.found[:1].upper()}{problem.found[1:]}.", "bad", f"{problem.remedy}.")
        for problem in [
            *found.of_training,
            *(() if found.on is None else [*found.on.problems, *found.on.inside.problems]),
        ]
    ]
    if found.on is None:
        text = f"This report knows what the artefact holds. A table with labels adds {ADDED}: "
        blocks.append(Note(f"{text}gatewise report {found.name} TABLE"))
    elif not blocks:
        nothing = "No dead or duplicate expert, no collapsed gate, no starving task"
        blocks.append(Note(f"{nothing}, and training went on until learning ended.", "good"))
    return Section("problems", "At a glance", blocks=blocks)
