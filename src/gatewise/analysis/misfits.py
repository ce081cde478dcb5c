"""Problems that predictions of some rows tell of: wrong totals, undefined metrics, rows that differ from validation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.analysis.problems import Problem
from gatewise.analysis.verdicts import summary_of
from gatewise.metrics import bootstrap_interval
from gatewise.tasks import Judged, Metrics, Predicted

OFF = 1.25
"""How many times the labels' total a total of predictions may be, or the other way round."""
ERRORS = 4.0
"""How many standard errors a total may be off by chance."""
FARTHEST = 0.02
"""How much worse a metric may be than on the validation rows, beside chance; of an error, as its share."""
DRAWS, DRAWN_ROWS = 100, 20_000
"""Resamples of an interval, and most rows of each."""


class Known(NamedTuple):
    """The rows of an output's sample.

    Attributes:
        labels: ``[row]``.
        predictions: ``[row]`` or ``[row, column]``.
        counted: the rows' weights ``[row]`` as ``weights``; empty: each counts once.
    """

    labels: Tensor
    predictions: Tensor
    counted: dict[str, Tensor]


def misfits(predicted: Predicted, valid: Metrics) -> list[Problem]:
    """Return where predictions of some rows do not fit these rows' labels, as problems.

    An output's metric is undefined if the rows do not tell, such as where all labels are 0. A total of predictions is
    wrong if it is 1.25 times the labels' total or more, or the other way round, and by more than chance. Rows are far
    from validation if the main metric's interval lies more than .02 below the value on the validation rows; that of an
    error, more than 2 % above it.

    Args:
        predicted: predictions and labels of rows that the model did not learn from.
        valid: metrics of the validation rows; empty: none.
    """
    found = list[Problem]()
    for output, judged in predicted.judged().items():
        known = _known(judged)
        problem = next(_undefined(output, judged, known), None)
        found += [problem] if problem else [*_total(output, known), *_far(output, judged, known, valid)]
    return found


def _known(judged: Judged) -> Known:
    there = ~judged.labels.isnan()
    return Known(judged.labels[there], judged.predictions[there], judged.counted(there))


def _undefined(output: str, judged: Judged, known: Known) -> Iterator[Problem]:
    metric, rows = summary_of(judged.task, output), len(known.labels)
    if metric.compute(known.labels, known.predictions, **known.counted) is not None:
        return
    values = torch.unique(known.labels)
    what = "no row has its label" if not rows else f"all {rows:,} labels are {values[0]:g}" if len(values) == 1 else ""
    found = f"prediction {output!r} cannot be judged on these rows: its {metric.name} is undefined"
    remedy = "more rows, or a split that gives every part rows with different labels"
    yield Problem("undefined metric", None, (output,), f"{found}, as {what}" if what else found, remedy)


def _total(output: str, known: Known) -> Iterator[Problem]:
    labels, predictions = known.labels.double(), known.predictions.double()
    if predictions.dim() > 1 or not len(labels) or labels.min() < 0 or not labels.any():
        return
    weights = known.counted.get("weights", torch.ones_like(labels))
    labels, predictions = labels * weights, predictions * weights
    ratio = float(predictions.sum() / labels.sum())
    error = float((predictions - labels).std(unbiased=False)) * len(labels) ** 0.5
    by_chance = abs(float((predictions - labels).sum())) <= ERRORS * error
    if by_chance or 1 / OFF < ratio < OFF:
        return
    found = f"the predictions of {output!r} add up to {ratio:,.3g} times what the labels add up to"
    remedy = "calibration, and a look at how rows were sampled and weighted; rows of another time may differ indeed"
    yield Problem("wrong total", None, (output,), found, remedy)


def _far(output: str, judged: Judged, known: Known, valid: Metrics) -> Iterator[Problem]:
    metric = summary_of(judged.task, output)
    before = valid.get(output, {}).get(metric.name)
    if before is None:
        return
    rows = torch.linspace(0, len(known.labels) - 1, min(len(known.labels), DRAWN_ROWS)).long()
    labels, predictions = known.labels[rows], known.predictions[rows]
    counted = {name: weights[rows] for name, weights in known.counted.items()}
    value = metric.compute(labels, predictions, **counted)
    between = bootstrap_interval(metric.compute, labels, predictions, weights=counted.get("weights"), samples=DRAWS)
    if value is None or between.low is None or between.high is None:
        return
    gap = before - between.high if metric.greater_is_better else between.low - before
    if gap <= (FARTHEST if metric.greater_is_better else FARTHEST * abs(before)):
        return
    found = (
        f"prediction {output!r} is worse on these rows than on the validation rows: {metric.name} {value:.3f} "
        f"({between.low:.3f} to {between.high:.3f}) against {before:.3f}"
    )
    remedy = "validation rows that are as new as these, a split forward in time, and features without look-ahead"
    yield Problem("far from validation", None, (output,), found, remedy)
