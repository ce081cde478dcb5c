"""Section: the table's rows, beside those of the training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from gatewise import plots
from gatewise.analysis import FeatureDrift, Period
from gatewise.plots.colours import series
from gatewise.report.blocks import Block, Cell, Facts, Figure, Figures, Note, Section, Table, Titled, Tone, Value
from gatewise.report.findings import Findings, OnTable
from gatewise.report.pictures import figure

FIRST = 10
"""Most features above the fold."""


def data(found: Findings) -> Section | None:
    """Return rows and period, labels and features beside the training's, and labels by day."""
    on = found.on
    if on is None:
        return None
    drifted = [each for each in on.inside.drift if each.drifted]
    facts: list[tuple[str, Value]] = [
        ("rows", on.rows),
        *((f"{part} rows", count) for part, count in found.rows.items()),
        *([("from", on.over_time.first), ("to", on.over_time.last)] if on.over_time else []),
        ("features", len(on.inside.drift)),
        ("features with nulls", sum(each.nulls > 0 for each in on.inside.drift)),
        ("features that drifted", Cell(len(drifted), "bad" if drifted else "")),
    ]
    blocks: list[Block] = [Facts(facts), Titled("Labels", _labels(found, on)), *_features(on, drifted)]
    if on.over_time is not None:
        owners = {output: k for k, outputs in enumerate(found.outputs_of.values()) for output in outputs}
        tasks = list(found.outputs_of)
        days = [
            _by_day(output, each, owners[output], tasks[owners[output]])
            for output, each in on.over_time.periods.items()
            if each
        ]
        blocks.append(Figures(days, f"Labels and predictions by {on.over_time.column}"))
    elif found.recipe is None or found.recipe.data.split is None or found.recipe.data.split.time is None:
        blocks.append(Note("No time column is known: --time COLUMN shows labels and predictions by day."))
    intro = (
        f"The rows of {on.name} beside what the artefact knows of the training rows. Features were looked at on "
        f"{on.sample}."
    )
    return Section("data", "Data", intro, blocks)


def _labels(found: Findings, on: OnTable) -> Table:
    rows: list[list[Value]] = []
    for task, outputs in found.outputs_of.items():
        known = found.statistics.get(task, {})
        then = known.get("rate", known.get("mean"))
        for output in outputs:
            now = on.label_means.get(output)
            before = then if len(outputs) == 1 else None
            change = None if now is None or before is None else now - before
            rows.append(
                [output, on.labelled[output], on.labelled[output] / on.rows, before, now, Cell(change, signed=True)]
            )
    headings = ["prediction", "labelled rows", "share of rows", "mean in training", "mean here", "change"]
    return Table(headings, rows, "The mean of a label of 0 and 1 is its share of ones.")


def _features(on: OnTable, drifted: Sequence[FeatureDrift]) -> Iterator[Block]:
    note = (
        "Shift: the mean less the training's, in the training's standard deviations (of logarithms or ranks where the "
        "model reads these). Spread: the standard deviation by the training's. Unseen: values that training never saw. "
        "Of unseen values and nulls the training rows' own share stands beside them, where there were any."
    )
    everything = Table(HEADINGS, [_row(each) for each in on.inside.drift], note)
    if not drifted:
        yield Note("No feature is unlike the training's in mean, spread, new nulls or unseen values.", "good")
    elif len(on.inside.drift) > FIRST:
        yield Titled("Features that drifted most", Table(HEADINGS, [_row(each) for each in drifted[:FIRST]]))
    folded = "" if drifted and len(on.inside.drift) <= FIRST else f"all {len(on.inside.drift)} features"
    yield Titled("" if folded else "Features", everything, folded)


HEADINGS = ["feature", "nulls", "unseen", "shift", "spread"]


def _row(each: FeatureDrift) -> list[Value]:
    tone: Tone = "bad" if each.drifted else ""
    before = " (none in training)" if each.new_nulls else _before(each.nulls_before)
    nulls = Cell(each.nulls, "bad" if each.new_nulls else "", beside=before)
    unseen = Cell(each.unseen, beside=_before(each.unseen_before))
    return [Cell(each.feature, tone), nulls, unseen, Cell(each.shift, signed=True), each.spread]


def _before(share: float | None) -> str:
    return f" ({Cell(share).shown} in training)" if share else ""


def _by_day(output: str, days: Sequence[Period], position: int, task: str) -> Figure:
    rows: list[list[Value]] = [[each.when, each.rows, each.label, each.prediction] for each in days]
    numbers = Table(["time", "labelled rows", "mean label", "mean prediction"], rows)
    draw = partial(plots.by_day, days, colour=series(position))
    return figure(f"{output}: mean by time", draw, numbers, legend=["found", "predicted"], task=task)
