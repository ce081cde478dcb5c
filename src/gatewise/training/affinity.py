"""Task affinity: the effect of a gradient step on one task's loss on the losses of all tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from gatewise.nn import Batch, MultiTaskModel, TensorTable
from gatewise.tasks import Task, summed_losses, targets_and_weights

HALVINGS = 20
"""Most halvings of a step that does not lower the loss of its own task enough."""
LEAST = 1e-5
"""Smallest predicted decrease of a loss, as a share of it; smaller ones drown in rounding."""
MOST = 0.1
"""Largest predicted decrease of a loss, as a share of it."""


def task_affinity(
    model: MultiTaskModel, tasks: list[Task], table: TensorTable, *, batch_size: int = 1024, step: float = 0.01
) -> Tensor:
    r"""Return the affinities of all pairs of tasks: the change of each loss after a step on each task's loss.

    .. math::
        Z_{ij} = 1 - \frac{L_j(\theta_i')}{L_j(\theta)}, \qquad
        \theta_i' = \theta - \eta_i \frac{g_i}{\lVert g_i \rVert}, \quad
        g_i = \nabla L_i(\theta)

    with the parameters :math:`\theta` below the towers; Z is averaged over batches. A value above 0 means that learning
    task i lowers the loss of task j. The length of a step is the first of

    .. math::
        \eta_i = 2^{-k} \min\!\left(\epsilon \, \lVert \theta \rVert,
        \frac{L_i(\theta)}{10 \, \lVert g_i \rVert}\right), \quad k = 0, 1, 2, \dots

    that lowers the task's own loss by at least half of what the gradient predicts, :math:`\eta_i \lVert g_i \rVert`.
    So a step is never too long for a task that has nearly converged, and :math:`Z_{ii}` is above 0. A task whose own
    loss no step lowers has nothing left to learn: its affinities are undefined.

    From Fifty et al.: `Efficiently Identifying Task Groupings for Multi-Task Learning
    <https://arxiv.org/abs/2109.04617>`_, NeurIPS 2021.

    NOTE[DIFF]: The paper averages over the whole training with the optimiser's steps. This function measures a model
    with fixed weights, and steps whose length does not depend on the unit of a loss.

    Args:
        model: the model; its weights are unchanged afterwards.
        tasks: the tasks, in the order of the model's scores.
        table: training rows with labels.
        batch_size: rows per batch.
        step: :math:`\epsilon`, the greatest length of a step as a share of the parameters' norm.

    Shape:
        - output ``[task, task]`` float64; NaN for a pair if no batch has labels of both tasks, and in the row of a
          task whose own loss no step lowers
    """
    targets, weights = targets_and_weights(tasks, table.labels.cpu(), None)
    device = model.device
    whole = replace(table, targets=targets.to(device), weights=None if weights is None else weights.to(device))
    whole = model.input_layer.read_texts(whole)
    towers = {id(weight) for weight in model.towers.parameters()}
    shared = [weight for weight in model.parameters() if weight.requires_grad and id(weight) not in towers]
    was_training = model.training
    model.eval()
    found = torch.stack([_on_batch(model, tasks, batch, shared, step) for batch in whole.batches(batch_size)])
    model.train(was_training)
    return found.nanmean(dim=0).cpu()


def _on_batch(
    model: MultiTaskModel, tasks: list[Task], batch: Batch, shared: list[torch.nn.Parameter], step: float
) -> Tensor:
    """Return the affinities ``[task, task]`` on one batch."""
    before = _losses(model, tasks, batch)
    kept = [weight.detach().clone() for weight in shared]
    longest = step * float(_norm(kept))

    @torch.no_grad()
    def lowered(gradients: list[Tensor], times: float) -> Tensor:
        """Return by what share a step lowers every loss ``[task]``."""
        for weight, old, gradient in zip(shared, kept, gradients, strict=True):
            # the step must not change tensors in the graph of the losses
            weight.data = old - times * gradient
        return 1 - _losses(model, tasks, batch).double() / before.detach().double()

    nothing = torch.full_like(before, torch.nan, dtype=torch.float64)
    rows = []
    for own, loss in enumerate(before):
        if loss.isnan():
            # the batch has no row of the task: no step
            rows.append(nothing)
            continue
        found = torch.autograd.grad(loss, shared, retain_graph=True, allow_unused=True)
        gradients = [torch.zeros_like(w) if g is None else g for w, g in zip(shared, found, strict=True)]
        after = _first_good(partial(lowered, gradients), own, float(loss.detach()), float(_norm(gradients)), longest)
        rows.append(nothing if after is None else after)
        for weight, old in zip(shared, kept, strict=True):
            weight.data = old
    return torch.stack(rows)


def _first_good(
    lowered: Callable[[float], Tensor], own: int, loss: float, norm: float, longest: float
) -> Tensor | None:
    """Return what the first step that lowers the own loss enough does to all losses ``[task]``; None: no step does."""
    if min(loss, norm) <= 0:
        return None
    length = min(longest, MOST * loss / norm)
    for _ in range(HALVINGS):
        predicted = length * norm / loss
        if predicted < LEAST:
            return None
        found = lowered(length / norm)
        if float(found[own]) >= predicted / 2:
            return found
        length /= 2
    return None


def _losses(model: MultiTaskModel, tasks: list[Task], batch: Batch) -> Tensor:
    """Return every task's mean loss over its rows, ``[task]``; NaN for a task without rows."""
    sums = summed_losses(tasks, model(batch.inputs).scores, batch.targets, batch.weights, batch.groups)
    if batch.weights is None:
        return sums / len(batch.targets)
    counted = batch.weights.sum(dim=0)
    # a division by 0, also for a task that is not used, would make the gradient NaN
    return torch.where(counted > 0, sums / torch.where(counted > 0, counted, 1), torch.nan)


def _norm(tensors: list[Tensor]) -> Tensor:
    return torch.stack([tensor.norm() for tensor in tensors]).norm()
