"""The report of a comparison: whether sharing helps, which task loses, and the cost."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from gatewise import plots
from gatewise.analysis import Epochs, Verdict, best_epoch, note_of, seesaw
from gatewise.report.blocks import Block, Cell, Figure, Figures, Note, Page, Section, Table, Tile, Titled, Tone, Value
from gatewise.report.pictures import figure, matrix_figure
from gatewise.report.sections.values import defined

TONES: Mapping[str, Tone] = {"helps": "good", "better": "good", "hurts": "bad", "worse": "bad"}
"""Tones of the words of a verdict; all others are quiet."""
AGAINST_TREES = ("better", "worse")
"""Words where trees are compared, which share nothing and so help nobody."""
SPREAD = (
    "Within seeds: the change is smaller than its standard deviation between seeds, and other seeds may say otherwise."
)
Spreads: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]
"""By model, output and metric: mean and deviation over seeds."""


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
    metrics = found["metrics"]
    sections = [
        _in_words(verdicts),
        _seesaw(verdicts, metrics),
        _verdicts(verdicts, metrics, level, found.get("unfinished", {})),
        _metrics(metrics),
    ]
    if found["over_trees"]:
        sections.append(_over_trees([Verdict(**each) for each in found["over_trees"]], metrics, level))
    if found["affinity"]:
        sections.append(_affinity(found["affinity"], found["tasks"]))
    return Page(f"{name}: comparison", subtitle, _tiles(verdicts), [*sections, _cost(found["cost"])])


def _tiles(verdicts: Sequence[Verdict]) -> list[Tile]:
    """Return the number of outputs that each model helps, by their summary metrics."""
    tiles = []
    for model, changes in seesaw(verdicts).items():
        words = by_word(changes.values())
        (good, won), (bad, lost), *others = words.items()
        tone: Tone = "bad" if lost else "good" if won else "quiet"
        rest = ", ".join(f"{word} {len(outputs)}" for word, outputs in [(bad, lost), *others])
        tiles.append(Tile(model, Cell(f"{good} {len(won)} of {len(changes)}", tone), rest))
    return tiles


def by_word(changes: Collection[Verdict]) -> dict[str, list[str]]:
    """Return the outputs by what a model does to them: the good and the bad word always, others where there are any."""
    beside_trees = any(TONES.get(each.verdict) and each.verdict in AGAINST_TREES for each in changes)
    found: dict[str, list[str]] = {word: [] for word in (AGAINST_TREES if beside_trees else ("helps", "hurts"))}
    for each in changes:
        word = "no difference" if each.verdict == "no evidence" else each.verdict
        found.setdefault(word, []).append(each.output)
    return found


def _in_words(verdicts: Sequence[Verdict]) -> Section:
    """Return one sentence per model: whom it helps, whom it hurts, and where it makes no difference."""
    blocks: list[Block] = []
    for model, changes in seesaw(verdicts).items():
        words = by_word(changes.values())
        counts = ", ".join(f"{word} {len(outputs)}" for word, outputs in words.items())
        named = "; ".join(f"{word}: {', '.join(outputs)}" for word, outputs in words.items() if outputs)
        named = f" {named[:1].upper()}{named[1:]}."
        _, (_, lost), *_ = words.items()
        uncertain = [each.output for each in changes.values() if within_seeds(each)]
        doubt = f" Smaller than the spread between seeds: {', '.join(uncertain)}." if uncertain else ""
        blocks.append(Note(f"{model}: {counts}.{named}{doubt}", "bad" if lost else ""))
    intro = "By the main metric of each prediction, beside a model of its own for each task."
    return Section("words", "In words", intro, blocks)


def within_seeds(verdict: Verdict) -> bool:
    """Return whether a change that counts is smaller than its standard deviation between seeds."""
    known = [value for value in verdict.by_seed if value is not None]
    if verdict.verdict not in TONES or verdict.change is None or len(known) < 2:
        return False
    return abs(verdict.change) < statistics.stdev(known)


def _verdicts(
    verdicts: Sequence[Verdict], metrics: Spreads, level: float, unfinished: Mapping[str, Sequence[str]]
) -> Section:
    intro = (
        f"Difference to single-task models, with intervals of {level:.0%} over test rows drawn anew. No evidence is no "
        f"proof that sharing does nothing. {SPREAD}"
    )
    # a comparison of an earlier version does not know how long its models were trained
    notes: list[Block] = [Note(note, "bad")] if (note := note_of(unfinished)) else []
    return Section("verdicts", "Verdicts", intro, [*notes, Titled("", _changes(verdicts, metrics))])


def _over_trees(verdicts: Sequence[Verdict], metrics: Spreads, level: float) -> Section:
    intro = (
        f"Difference to gradient-boosted trees, a model a task, with intervals of {level:.0%} over the same draws. "
        f"{SPREAD}"
    )
    return Section("trees", "Beside trees", intro, [Titled("", _changes(verdicts, metrics))])


def _changes(verdicts: Sequence[Verdict], metrics: Spreads) -> Table:
    rows: list[list[Value]] = [
        [
            each.output,
            each.metric,
            each.contestant,
            *_signed(each, metrics),
            _word(each),
        ]
        for each in verdicts
    ]
    return Table(["prediction", "metric", "model", "change", "low", "high", "verdict"], rows)


def _word(each: Verdict) -> Cell:
    if within_seeds(each):
        return Cell(each.verdict, "quiet", beside=" (within seeds)", hint="smaller than the spread between seeds")
    return Cell(each.verdict, TONES.get(each.verdict, "quiet"))


def _signed(each: Verdict, metrics: Spreads) -> list[Value]:
    """Return change, low and high, with as many digits as the metric's own values."""
    digits = _digits(metrics, each.output, each.metric)
    return [Cell(value, signed=True, digits=digits) for value in (each.change, each.low, each.high)]


def _digits(metrics: Spreads, output: str, name: str) -> int:
    """Return the digits after the point of a metric and of its changes: the same for all models."""
    means = [abs(found[output][name]["mean"] or 0.0) for found in metrics.values() if name in found.get(output, {})]
    largest = max(means, default=0.0)
    return 1 if largest >= 100 else 2 if largest >= 10 else 4


def _seesaw(verdicts: Sequence[Verdict], metrics: Spreads) -> Section:
    changes = seesaw(verdicts)
    rows: list[list[Value]] = [
        [model, output, each.metric, *_signed(each, metrics)]
        for model, found in changes.items()
        for output, each in found.items()
    ]
    outputs = {each.output for each in verdicts}
    numbers = Table(["model", "prediction", "metric", "change", "low", "high"], rows)
    title, width = "Gain and loss against single-task models", max(400, 110 * len(outputs))
    drawn = figure(title, partial(plots.seesaw, changes), numbers, width=width, height=280)
    intro = "A line that crosses 0 is a seesaw: what one task gains another pays for."
    return Section("seesaw", "Seesaw", intro, [Figures([drawn])])


def _metrics(metrics: Spreads) -> Section:
    models = list(metrics)
    rows: list[list[Value]] = [
        [output, name, *(_spread(metrics[model][output][name], _digits(metrics, output, name)) for model in models)]
        for output, names in metrics[models[0]].items()
        for name in names
    ]
    intro = "Mean over the seeds, and their standard deviation."
    return Section("metrics", "Metrics", intro, [Titled("", Table(["prediction", "metric", *models], rows))])


def _spread(spread: Mapping[str, Any], digits: int) -> Cell:
    deviation = spread["deviation"]
    return Cell(spread["mean"], beside="" if deviation is None else f" ± {deviation:,.{digits}f}", digits=digits)


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
