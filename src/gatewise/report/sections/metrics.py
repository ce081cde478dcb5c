"""Section: metrics of the predictions."""

from __future__ import annotations

from gatewise.analysis import Estimate
from gatewise.metrics import GroupMetric, Metric
from gatewise.report.blocks import Block, Note, Section, Table, Titled, Value
from gatewise.report.findings import Findings, OnTable
from gatewise.report.sections.matrix import SKIPPED

ABOVE_THE_FOLD = 60
"""Most rows of the table that are not folded away."""
BETTER = {True: "higher", False: "lower", None: "neither"}


def metrics(found: Findings) -> Section | None:
    """Return the metrics on the table, or by default those saved with the artefact."""
    if found.on is None:
        return _saved(found)
    on = found.on
    rows: list[list[Value]] = []
    for output, values in on.metrics.items():
        for name, value in values.items():
            judge = found.judges[output].get(name)
            estimate = None if on.estimates is None else on.estimates[output].get(name)
            calibrated = [] if on.calibrated is None else [on.calibrated[output][name]]
            shown = int(value) if value is not None and name.endswith(SKIPPED) else value
            rows.append([output, name, shown, *_ends(estimate), *calibrated, _better(judge), on.labelled[output]])
    beside = [] if on.calibrated is None else ["calibrated"]
    headings = ["prediction", "metric", "value", "low", "high", *beside, "better", "labelled rows"]
    folded = "all metrics, one per line" if len(rows) > ABOVE_THE_FOLD else ""
    blocks: list[Block] = [Titled("", Table(headings, rows), folded)]
    if on.mean is not None and len(found.schema.tasks) > 1:
        text = "Mean over tasks, of one metric each that is free of unit and better when greater: "
        blocks.append(Note(f"{text}{on.mean:.4f}"))
    return Section("metrics", "Metrics", _intro(on), blocks)


def _intro(on: OnTable) -> str:
    first = f"On the {on.rows:,} rows of {on.name}. "
    if on.estimates is None:
        return f"{first}The table is too large for intervals here: gatewise evaluate --intervals finds them."
    said = f"{first}Low and high are ends of bootstrap intervals of 95%, of {on.draws} resamples."
    shown = {name for estimates in on.estimates.values() for name in estimates}
    spared = {name for values in on.metrics.values() for name in values if not name.endswith(SKIPPED)} - shown
    if spared:
        said += f" With so many predictions, {', '.join(sorted(spared))} have none here: gatewise evaluate --intervals."
    return said


def _saved(found: Findings) -> Section | None:
    if not found.saved:
        return None
    parts = list(found.saved)
    rows: list[list[Value]] = [
        [output, name, *(found.saved[part].get(output, {}).get(name) for part in parts), _better(judge)]
        for output, judges in found.judges.items()
        for name, judge in judges.items()
    ]
    headings = ["prediction", "metric", *(part.replace("_", ", ") for part in parts), "better"]
    return Section("metrics", "Metrics", "As they were measured after training.", [Titled("", Table(headings, rows))])


def _ends(estimate: Estimate | None) -> tuple[float | None, float | None]:
    return (None, None) if estimate is None else (estimate.low, estimate.high)


def _better(judge: Metric | GroupMetric | None) -> str:
    return "" if judge is None else BETTER[judge.greater_is_better]
