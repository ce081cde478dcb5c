"""Tables at the top of a page of many tasks: predictions by metrics, with intervals where a reader points."""

from __future__ import annotations

from collections.abc import Iterator

from gatewise.report.blocks import Cell, Table, Titled, Value
from gatewise.report.findings import Findings
from gatewise.tasks import Metrics

ARROWS = {True: " ↑", False: " ↓", None: ""}
"""After the name of a metric: the direction in which it improves."""
SKIPPED = "_skipped"
"""End of the names of counts that are no metrics."""


def matrices(found: Findings) -> list[Titled]:
    """Return one table per set of metrics, with a row per prediction."""
    part = next(reversed(list(found.saved)), "")
    measured: Metrics = found.saved.get(part, {}) if found.on is None else found.on.metrics
    alike: dict[tuple[str, ...], list[str]] = {}
    for output, values in measured.items():
        alike.setdefault(tuple(name for name in values if not name.endswith(SKIPPED)), []).append(output)
    return [_matrix(found, measured, names, outputs) for names, outputs in alike.items()]


def _matrix(found: Findings, measured: Metrics, names: tuple[str, ...], outputs: list[str]) -> Titled:
    owners = {output: task for task, each in found.outputs_of.items() for output in each}
    kinds = {task.name: task.kind for task in found.schema.tasks}
    judges, main = found.judges[outputs[0]], {found.summaries[output].name for output in outputs}
    names = tuple(sorted(names, key=lambda name: name not in main))
    headings = [f"{name}{ARROWS[judges[name].greater_is_better] if name in judges else ''}" for name in names]
    rows: list[list[Value]] = [
        [Cell(output, picks=owners[output]), *_cells(found, measured, output, names)] for output in outputs
    ]
    title = ", ".join(dict.fromkeys(kinds[owners[output]] for output in outputs))
    return Titled("", Table([title, *headings], rows))


def _cells(found: Findings, measured: Metrics, output: str, names: tuple[str, ...]) -> Iterator[Cell]:
    estimates = {} if found.on is None or found.on.estimates is None else found.on.estimates.get(output, {})
    for name in names:
        estimate = estimates.get(name)
        known = estimate is not None and estimate.low is not None and estimate.high is not None
        hint = f"{name} of {output}: {estimate.low:.4f} to {estimate.high:.4f}" if known and estimate else ""
        yield Cell(measured[output].get(name), "main" if name == found.summaries[output].name else "", hint=hint)
