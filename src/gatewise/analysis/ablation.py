"""Ablation of experts: metrics when an expert is removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatewise.analysis.main_metrics import main_metrics, metric_values
from gatewise.analysis.rows import drawn_rows, score_rows
from gatewise.nn import Level, MultiTaskModel, TensorTable, hooked, levels_of
from gatewise.tasks import Predicted, Task, predict_tasks


class Ablation(NamedTuple):
    """The changes in every output's main metric when an expert of one layer is removed.

    Attributes:
        layer: as in :class:`GateUsage`.
        experts: names of the experts.
        outputs: names of the judged outputs, such as ``"click"``.
        metrics: ``[output]``, the metric that judges each.
        greater_is_better: ``[output]``, of each metric.
        whole: ``[output]``, the metric with all experts; NaN where it is undefined.
        change: ``[expert, output]``, the metric without the expert less the metric with all; NaN where undefined.
        rows: the number of judged rows.
    """

    layer: str
    experts: tuple[str, ...]
    outputs: tuple[str, ...]
    metrics: tuple[str, ...]
    greater_is_better: tuple[bool, ...]
    whole: np.ndarray
    change: np.ndarray
    rows: int


def expert_ablation(
    model: MultiTaskModel,
    tasks: Sequence[Task],
    table: TensorTable,
    *,
    metric: str | None = None,
    rows: int = 50_000,
    seed: int = 0,
    done: Callable[[int], None] = lambda _: None,
) -> list[Ablation]:
    r"""Return the effect of removing each expert, per level.

    A removed expert gets weight 0; the other experts share its weight in proportion to their own:

    .. math:: g'_i = \frac{g_i}{1 - g_e} \text{ for } i \neq e, \qquad g'_e = 0

    so that towers read mixtures of the size that they know. A gate that used only the removed expert gives zeros. Terms
    that a trunk adds beside its gates (AdaTT, HoME) are removed, too. The model is not trained again, so an expert that
    others could replace after some training still shows as a loss.

    Args:
        model: with any trunk; a trunk without experts gives an empty list.
        tasks: the tasks of the model.
        table: rows with labels.
        metric: judges the outputs that have it; other outputs, and all by default, have their summary metric.
        rows: the largest number of rows to draw.
        seed: of the draw.
        done: called after every expert.

    Raises:
        DeclarationError: the metric is unknown.
    """
    metrics, chosen = main_metrics(tasks, metric), drawn_rows(len(table), rows, seed)

    def judge() -> np.ndarray:
        scores = score_rows(model, table, chosen)
        groups = None if table.groups is None else table.groups[chosen]
        labels = table.labels[chosen]
        found = metric_values(Predicted(tasks, predict_tasks(tasks, scores, labels), labels, groups), metrics)
        return np.array([np.nan if found[output] is None else found[output] for output in metrics], dtype=np.float64)

    levels = levels_of(model.trunk, [task.name for task in tasks])
    whole, ablations = judge() if levels else np.empty(0), []
    names = tuple(each.name for each in metrics.values())
    better = tuple(each.greater_is_better is not False for each in metrics.values())
    for level in levels:
        changes = []
        for expert in range(level.experts.num_experts):
            with without_expert(level, expert):
                changes.append(judge() - whole)
            done(1)
        found = (whole, np.stack(changes), len(chosen))
        ablations.append(Ablation(level.name, level.expert_names, tuple(metrics), names, better, *found))
    return ablations


def without_expert(level: Level, expert: int) -> AbstractContextManager[None]:
    """Return a context in which an expert is removed."""

    def shared_out(weights: Tensor) -> Tensor:
        left = _without(weights, expert)
        total = left.sum(dim=2, keepdim=True)
        return torch.where(total > 0, left / torch.where(total > 0, total, 1.0), 0.0)

    return hooked(level, gates=shared_out, mixture=lambda weights, outputs: (_without(weights, expert), outputs))


def _without(weights: Tensor, expert: int) -> Tensor:
    return weights.index_fill(2, torch.tensor(expert, device=weights.device), 0.0)
