"""Permutation importance: metrics when a feature is shuffled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.analysis.main_metrics import main_metrics, metric_values
from gatewise.analysis.rows import drawn_rows, features_of, score_gathered
from gatewise.errors import DeclarationError
from gatewise.nn import MultiTaskModel, TensorTable
from gatewise.tasks import Predicted, Task, predict_tasks


class Importance(NamedTuple):
    """The loss of an output's metric when the values of a feature are shuffled among the rows.

    Attributes:
        output: the judged output.
        feature: the shuffled feature.
        metric: the name of the metric.
        value: the metric without shuffling; None: undefined.
        drop: how much worse the metric becomes, the mean over repeats; 0 for a feature without effect; None:
            undefined.
        low, high: the least and the greatest drop of the repeats. The median drop lies between them with probability
            1 - 2 / 2^repeats, which is 94% for five repeats.
        by_repeat: the drop in every repeat.
    """

    output: str
    feature: str
    metric: str
    value: float | None
    drop: float | None
    low: float | None
    high: float | None
    by_repeat: tuple[float | None, ...]


def feature_importance(
    model: MultiTaskModel,
    tasks: Sequence[Task],
    table: TensorTable,
    *,
    metric: str | None = None,
    repeats: int = 5,
    within_groups: bool = False,
    rows: int = 10_000,
    seed: int = 0,
    features: Collection[str] | None = None,
    done: Callable[[int], None] = lambda _: None,
) -> dict[str, list[Importance]]:
    r"""Return the permutation importance of every feature for every output, the most important feature first.

    .. math:: I_f = m(x) - \frac1R \sum_{r=1}^{R} m(x \text{ with column } f \text{ shuffled by } \pi_r)

    for a metric m of which greater is better, and with the opposite sign for other metrics. The encoded columns of the
    feature are shuffled, so a null moves as a null and a list as a whole. A feature that others can replace loses
    little: redundant features share their importance, and each may look unimportant.

    Args:
        model: any model.
        tasks: the tasks of the model.
        table: rows with labels.
        metric: judges the outputs that have it; other outputs, and all by default, have their summary metric.
        repeats: how often each feature is shuffled.
        within_groups: rows exchange values only within their group, so that importance shows what orders the rows of a
            group; a feature that is constant within groups then has importance 0.
        rows: the largest number of rows to draw.
        seed: of the draws.
        features: names of the features to shuffle; all by default.
        done: called after every repeat.

    Raises:
        DeclarationError: the metric is unknown, ``repeats`` is not positive, or there are no groups to shuffle within.

    References:
        Breiman: Random Forests. Machine Learning, 2001.
        Fisher et al.: All Models are Wrong, but Many are Useful: Learning a Variable's Importance by Studying an Entire
        Class of Prediction Models Simultaneously. JMLR 2019.
    """
    if repeats < 1:
        raise DeclarationError(f"importance: expected repeats of 1 or more, found {repeats}")
    if within_groups and table.groups is None:
        raise DeclarationError("importance within groups: the schema has no 'group'")
    metrics, chosen = main_metrics(tasks, metric), drawn_rows(len(table), rows, seed)
    labels, groups = table.labels[chosen], None if table.groups is None else table.groups[chosen]

    def judge(others: Mapping[str, Tensor]) -> dict[str, float | None]:
        scores = score_gathered(model, table, chosen, others)
        return metric_values(Predicted(tasks, predict_tasks(tasks, scores, labels), labels, groups), metrics)

    model.input_layer.check(table)
    table = model.input_layer.read_texts(table)
    generator = torch.Generator().manual_seed(seed)
    whole = judge({})
    found: dict[str, list[Importance]] = {output: [] for output in metrics}
    for feature in features_of(model):
        if features is not None and feature not in features:
            continue
        shuffled = []
        for _ in range(repeats):
            order = _shuffled(len(chosen), groups if within_groups else None, generator)
            shuffled.append(judge({feature: chosen[order]}))
            done(1)
        for output, each in metrics.items():
            drops = [_drop(whole[output], values[output], each.greater_is_better) for values in shuffled]
            found[output].append(_importance(output, feature, each.name, whole[output], drops))
    return {
        output: sorted(each, key=lambda one: -1.0 if one.drop is None else -one.drop) for output, each in found.items()
    }


def _shuffled(count: int, groups: Tensor | None, generator: torch.Generator) -> Tensor:
    """Return a random order of the rows, within groups if given; rows without a group keep their place."""
    order = torch.randperm(count, generator=generator)
    if groups is None:
        return order
    # the places of each group in order, filled with its rows in random order
    places = groups.argsort(stable=True)
    rows = order[groups[order].argsort(stable=True)]
    within = torch.empty_like(order)
    within[places] = rows
    return torch.where(groups < 0, torch.arange(count), within)


def _drop(whole: float | None, shuffled: float | None, greater_is_better: bool | None) -> float | None:
    if whole is None or shuffled is None:
        return None
    return shuffled - whole if greater_is_better is False else whole - shuffled


def _importance(output: str, feature: str, metric: str, whole: float | None, drops: list[float | None]) -> Importance:
    known = [drop for drop in drops if drop is not None]
    if len(known) < len(drops):
        return Importance(output, feature, metric, whole, None, None, None, tuple(drops))
    return Importance(output, feature, metric, whole, fmean(known), min(known), max(known), tuple(drops))
