"""The report of a comparison: whether sharing helps, which task loses, and the cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from gatewise import plots
from gatewise.analysis import Epochs, Verdict, best_epoch, note_of, seesaw
from gatewise.report.blocks import Block, Cell, Figure, Figures, Note, Page, Section, Table, Tile, Titled, Tone, Value
from gatewise.report.pictures import figure, matrix_figure
from gatewise.report.sections.values import defined

TONES: Mapping[str, Tone] = {"helps": "good", "better": "good", "hurts": "bad", "worse": "bad"}
"""Tones of the words of a verdict; all others are quiet."""


def comparison_page(found: Mapping[str, Any], name: str) -> Page:
    """Return the report of a comparison.

    Args:
        found: the content of ``comparison.json``, or ``to_dict`` of a comparison.
        name: the name of the comparison.
    """
    verdicts = [Verdict(**each) for each in found["verdicts"]]
    seeds = len(found["seeds"])
    subtitle = f"{', '.join(found['metrics'])} · {found['rows']:,} test rows, {seeds} seed{'s' if seeds > 1 else ''}"
    level = found["level"]
    sections = [_seesaw(verdicts), _verdicts(verdicts, level, found.get("unfinished", {})), _metrics(found["metrics"])]
    if found["over_trees"]:
        sections.append(_over_trees([Verdict(**each) for each in found["over_trees"]], level))
    if found["affinity"]:
        sections.append(_affinity(found["affinity"], found["tasks"]))
    return Page(f"{name}: comparison", subtitle, _tiles(verdicts), [*sections, _cost(found["cost"])])


def _tiles(verdicts: Sequence[Verdict]) -> list[Tile]:
    """Return the number of outputs that each model helps, by their summary metrics."""
    tiles = []
    for model, changes in seesaw(verdicts).items():
        words: list[str] = [verdict.verdict for verdict in changes.values()]
        good, bad = ("better", "worse") if {"better", "worse"} & set(words) else ("helps", "hurts")
        won, lost = words.count(good), words.count(bad)
        tone: Tone = "bad" if lost else "good" if won else "quiet"
        tiles.append(Tile(model, Cell(f"{good} {won} of {len(words)}", tone), f"{bad} {lost}"))
    return tiles


def _verdicts(verdicts: Sequence[Verdict], level: float, unfinished: Mapping[str, Sequence[str]]) -> Section:
    intro = (
        f"Difference to single-task models, with intervals of {level:.0%} over test rows drawn anew. No evidence is no "
        "proof that sharing does nothing."
    )
    # a comparison of an earlier version does not know how long its models were trained
    notes: list[Block] = [Note(note, "bad")] if (note := note_of(unfinished)) else []
    return Section("verdicts", "Verdicts", intro, [*notes, Titled("", _changes(verdicts))])


def _over_trees(verdicts: Sequence[Verdict], level: float) -> Section:
    intro = f"Difference to gradient-boosted trees, a model a task, with intervals of {level:.0%} over the same draws."
    return Section("trees", "Beside trees", intro, [Titled("", _changes(verdicts))])


def _changes(verdicts: Sequence[Verdict]) -> Table:
    rows: list[list[Value]] = [
        [
            each.output,
            each.metric,
            each.contestant,
            *(Cell(value, signed=True) for value in (each.change, each.low, each.high)),
            Cell(each.verdict, TONES.get(each.verdict, "quiet")),
        ]
        for each in verdicts
    ]
    return Table(["prediction", "metric", "model", "change", "low", "high", "verdict"], rows)


def _seesaw(verdicts: Sequence[Verdict]) -> Section:
    changes = seesaw(verdicts)
    rows: list[list[Value]] = [
        [model, output, each.metric, *(Cell(value, signed=True) for value in (each.change, each.low, each.high))]
        for model, found in changes.items()
        for output, each in found.items()
    ]
    outputs = {each.output for each in verdicts}
    numbers = Table(["model", "prediction", "metric", "change", "low", "high"], rows)
    title, width = "Gain and loss against single-task models", max(400, 110 * len(outputs))
    drawn = figure(title, partial(plots.seesaw, changes), numbers, width=width, height=280)
    intro = "A line that crosses 0 is a seesaw: what one task gains another pays for."
    return Section("seesaw", "Seesaw", intro, [Figures([drawn])])


def _metrics(metrics: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]) -> Section:
    models = list(metrics)
    rows: list[list[Value]] = [
        [output, name, *(_spread(metrics[model][output][name]) for model in models)]
        for output, names in metrics[models[0]].items()
        for name in names
    ]
    intro = "Mean over the seeds, and their standard deviation."
    return Section("metrics", "Metrics", intro, [Titled("", Table(["prediction", "metric", *models], rows))])


def _spread(spread: Mapping[str, Any]) -> Cell:
    deviation = spread["deviation"]
    return Cell(spread["mean"], beside="" if deviation is None else f" ± {deviation:.4f}")


def _affinity(affinity: Mapping[str, Sequence[Sequence[float | None]]], tasks: Sequence[str]) -> Section:
    intro = "By what share a step on the task of a row lowers the loss of the task of a column; below 0 it raises it."
    blocks: list[Block] = [Figures([_affinity_figure(model, rows, tasks) for model, rows in affinity.items()])]
    return Section("affinity", "Affinity", intro, blocks)


def _affinity_figure(model: str, rows: Sequence[Sequence[float | None]], tasks: Sequence[str]) -> Figure:
    numbers: list[list[Value]] = [
        [task, *(Cell(None if value is None else defined(value), signed=True) for value in row)]
        for task, row in zip(tasks, rows, strict=True)
    ]
    return matrix_figure(
        model, partial(plots.affinity, rows, tasks), Table(["a step on", *tasks], numbers), tasks, tasks
    )


def _cost(costs: Mapping[str, Mapping[str, Any]]) -> Section:
    rows: list[list[Value]] = [
        [
            model,
            best_epoch([Epochs(**each) for each in cost.get("epochs", [])]),
            None if cost["parameters"] is None else sum(cost["parameters"]),
            cost["seconds"],
            cost["rows_per_second"],
            1000 * cost["latency"],
        ]
        for model, cost in costs.items()
    ]
    headings = ["model", "best epoch", "parameters", "seconds", "rows/s", "ms for 200 rows"]
    intro = "Parameters outside the embeddings, of all models together; seconds of training with encoding."
    return Section("cost", "Cost", intro, [Titled("", Table(headings, rows))])
