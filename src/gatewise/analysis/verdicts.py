"""Verdicts on contestants over several trainings: how good each is, and whether it beats another."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from torch import Tensor

from gatewise.analysis.intervals import drawn_together
from gatewise.analysis.slices import check_metrics, metrics_by_name
from gatewise.errors import DeclarationError, shown
from gatewise.metrics import GroupMetric, Metric, bootstrap_mean_difference
from gatewise.tasks import Judged, Metrics, Predicted, Task

Word = Literal["helps", "no evidence", "hurts", "better", "worse", "not trained to the end"]


class Spread(NamedTuple):
    """A metric over several seeds.

    Attributes:
        mean: the mean over seeds; None: undefined for a seed.
        deviation: the sample standard deviation over seeds; None for one seed.
        values: the metric for every seed.
    """

    mean: float | None
    deviation: float | None
    values: list[float | None]


class Verdict(NamedTuple):
    """Whether a contestant beats the baseline on an output.

    Attributes:
        contestant: the name of the contestant.
        output: the name of the output.
        metric: the name of the metric.
        change: the metric's mean over seeds minus the baseline's; None: undefined for either.
        low, high: ends of the bootstrap interval of the change; None: undefined in every resample.
        by_seed: the change for every seed; None: undefined.
        verdict: ``helps`` if the whole interval is on the better side of 0, ``hurts`` if on the worse side. A
            comparison says ``better`` and ``worse`` beside trees, which share nothing, and ``not trained to the end``
            of models whose training was too short to tell.
    """

    contestant: str
    output: str
    metric: str
    change: float | None
    low: float | None
    high: float | None
    by_seed: list[float | None]
    verdict: Word


Trained = Mapping[str, Sequence[Predicted]]
"""Per contestant, its models' predictions for the test rows, one per seed."""


def spreads(found: Sequence[Metrics]) -> dict[str, dict[str, Spread]]:
    """Return the mean and standard deviation over seeds, of every metric of every output."""
    return {
        output: {name: _spread([metrics[output][name] for metrics in found]) for name in names}
        for output, names in found[0].items()
    }


def _spread(values: list[float | None]) -> Spread:
    defined = [value for value in values if value is not None]
    if len(defined) < len(values):
        return Spread(None, None, values)
    return Spread(statistics.fmean(defined), statistics.stdev(defined) if len(defined) > 1 else None, values)


def verdicts(
    trained: Trained,
    baseline: str,
    metrics: Collection[str] = (),
    *,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> list[Verdict]:
    """Return, per contestant except the baseline and per output, a verdict by the output's summary metric.

    The bootstrap draws test rows, or whole groups if the schema has a ``group``; each resample judges all seeds of both
    sides. So the interval covers the choice of test rows, for the trained models. The interval does not cover the
    choice of seeds: ``by_seed`` shows how much seeds differ.

    Args:
        trained: every contestant's predictions for the test rows.
        baseline: the contestant that the others are compared with.
        metrics: names of further metrics to give verdicts by.
        samples: the number of resamples.
        level: the probability with which an interval should hold the true change.
        seed: of the draws.

    Raises:
        DeclarationError: a metric is unknown, or has no better direction.
    """
    first = trained[baseline][0]
    check_verdicts(metrics, first.tasks)
    judged = {name: [each.judged() for each in seeds] for name, seeds in trained.items()}
    found = []
    for output, rows in judged[baseline][0].items():
        known = metrics_by_name(rows.task, output)
        for name in dict.fromkeys([summary_of(rows.task, output).name, *(name for name in metrics if name in known)]):
            metric = known[name]
            if isinstance(metric, GroupMetric) and first.groups is None:
                continue
            sides = {who: [each[output] for each in seeds] for who, seeds in judged.items()}
            found += [
                _verdict(who, output, metric, sides[who], sides[baseline], first.groups, samples, level, seed)
                for who in trained
                if who != baseline
            ]
    return found


def check_verdicts(names: Collection[str], tasks: Sequence[Task]) -> None:
    """Refuse names of metrics that cannot give a verdict.

    Raises:
        DeclarationError: a metric is unknown or has no better direction; suggests other metrics.
    """
    check_metrics(names, tasks)
    known: dict[str, Metric | GroupMetric] = {}
    for task in tasks:
        for output in task.outputs:
            known |= metrics_by_name(task, output)
    decisive = sorted(name for name, metric in known.items() if metric.greater_is_better is not None)
    for name in names:
        if name not in decisive:
            raise DeclarationError(
                f"verdicts by {name!r}: of two values neither is better; take another metric ({shown(decisive, 20)})"
            )


def summary_of(task: Task, output: str) -> Metric:
    """Return the summary metric of an output: its task's, or the output's first metric if the task's does not fit."""
    metrics = task.metrics_of(output)
    return task.summary if task.summary in metrics else metrics[0]


def _verdict(
    contestant: str,
    output: str,
    metric: Metric | GroupMetric,
    first: list[Judged],
    second: list[Judged],
    groups: Tensor | None,
    samples: int,
    level: float,
    seed: int,
) -> Verdict:
    labels = first[0].labels
    known = ~labels.isnan()
    if isinstance(metric, GroupMetric):
        assert groups is not None
        known &= groups >= 0
    drawn = None if groups is None else drawn_together(groups[known])
    beside = [drawn] if isinstance(metric, GroupMetric) and drawn is not None else []
    ours, theirs = ([each.predictions[known] for each in side] for side in (first, second))
    counted = first[0].counted(known)
    how: dict[str, Any] = {"samples": samples, "level": level, "seed": seed, **counted}
    interval = bootstrap_mean_difference(metric.compute, labels[known], ours, theirs, *beside, groups=drawn, **how)
    values = [[_value(metric, labels[known], one, beside, counted) for one in side] for side in (ours, theirs)]
    by_seed = [None if a is None or b is None else a - b for a, b in zip(*values, strict=True)]
    change = _spread(by_seed).mean
    word = _word(interval.low, interval.high, bool(metric.greater_is_better))
    return Verdict(contestant, output, metric.name, change, interval.low, interval.high, by_seed, word)


def _value(
    metric: Metric | GroupMetric,
    labels: Tensor,
    predictions: Tensor,
    beside: Sequence[Tensor],
    counted: Mapping[str, Tensor],
) -> float | None:
    if isinstance(metric, GroupMetric):
        return metric.compute(labels, predictions, *beside, **counted).value
    return metric.compute(labels, predictions, **counted)


def _word(low: float | None, high: float | None, greater_is_better: bool) -> Word:
    if low is None or high is None or low <= 0 <= high:
        return "no evidence"
    return "helps" if (low > 0) == greater_is_better else "hurts"


def seesaw(found: Sequence[Verdict]) -> dict[str, dict[str, Verdict]]:
    """Return every contestant's gain or loss per output, by the output's summary metric.

    A contestant that gains on one output and loses on another is a seesaw.
    """
    changes: dict[str, dict[str, Verdict]] = {}
    for verdict in found:
        changes.setdefault(verdict.contestant, {}).setdefault(verdict.output, verdict)
    return changes
