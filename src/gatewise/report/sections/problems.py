"""Section: problems in words, and their remedies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gatewise.analysis import Problem
from gatewise.report.blocks import Block, Note, Section, Table, Titled
from gatewise.report.findings import Findings

ADDED = (
    "metrics with intervals, gates by segment, how alike experts are and what each is good for, importance of "
    "features, slices and calibration"
)
EACH = 3
"""Most problems of one kind with a note each; more are one note and a table."""


def problems(found: Findings) -> Section:
    """Return every problem with its remedy; without a table, a note on what a table would add."""
    on_table = [] if found.on is None else [*found.on.problems, *found.on.inside.problems]
    known = [*found.of_training, *on_table]
    kinds = dict.fromkeys(problem.kind for problem in known)
    blocks: list[Block] = [
        block for kind in kinds for block in _notes([problem for problem in known if problem.kind == kind])
    ]
    if found.on is None:
        text = f"This report knows what the artefact holds. A table with labels adds {ADDED}: "
        blocks.append(Note(f"{text}gatewise report {found.name} TABLE"))
    elif not blocks:
        nothing = "No dead or duplicate expert, no collapsed gate, no starving task"
        blocks.append(Note(f"{nothing}, and training went on until learning ended.", "good"))
    return Section("problems", "At a glance", blocks=blocks)


def _notes(alike: Sequence[Problem]) -> Iterator[Block]:
    shown = alike if len(alike) <= EACH else alike[:1]
    for problem in shown:
        more = "" if len(shown) == len(alike) else f" And {len(alike) - 1} more of {len(alike)}: {alike[0].kind}."
        yield Note(f"{problem.found[:1].upper()}{problem.found[1:]}.{more}", "bad", f"{problem.remedy}.")
    if len(shown) < len(alike):
        rows = [[problem.found, problem.remedy] for problem in alike]
        yield Titled("", Table(["found", "try"], rows), folded=f"all {len(alike)}: {alike[0].kind}")
