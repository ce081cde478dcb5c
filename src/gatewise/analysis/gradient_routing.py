"""Gradient routing: which experts each task's loss trains, beside the gates' weights."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatewise.analysis.rows import BATCH, drawn_rows
from gatewise.nn import Batch, Level, MultiTaskModel, TensorTable, hooked, levels_of
from gatewise.tasks import Task, summed_losses, targets_and_weights


class Routing(NamedTuple):
    """What reaches the experts of one layer from every task's loss.

    Attributes:
        layer: as in :class:`GateUsage`.
        experts: names of the experts.
        tasks: names of the tasks.
        gradients: ``[task, expert]``, the norm of the task's gradient at the expert's outputs, as a share of the sum
            over the experts; NaN for a task whose loss has no gradient.
        gates: names of the layer's gates; in the last layer the tasks, or one gate for all.
        weights: ``[gate, expert]``, the mean weight that each gate gives to each expert.
        rows: the number of rows.
    """

    layer: str
    experts: tuple[str, ...]
    tasks: tuple[str, ...]
    gradients: np.ndarray
    gates: tuple[str, ...]
    weights: np.ndarray
    rows: int


def gradient_routing(
    model: MultiTaskModel, tasks: Sequence[Task], table: TensorTable, *, rows: int = 10_000, seed: int = 0
) -> list[Routing]:
    r"""Return, per level, how the gradient of every task is shared out among the experts.

    A task's mixture is :math:`z_k = \sum_i g^k_i f_i`. So its loss pulls an expert in proportion to the gate's weight:

    .. math:: \frac{\partial L_k}{\partial f_i} = g^k_i \, \frac{\partial L_k}{\partial z_k}

    The share of expert i in the gradient of task k is the norm of the left side over the rows, divided by the sum of
    these norms over the experts.

    Args:
        model: with any trunk; a trunk without experts gives an empty list. A level whose experts are trained in another
            way than by their mixture (STEM) is left out.
        tasks: the tasks of the model.
        table: rows with labels.
        rows: the largest number of rows to draw.
        seed: of the draw.

    References:
        Ma et al.: Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts. KDD 2018.
    """
    levels = levels_of(model.trunk, [task.name for task in tasks])
    chosen = drawn_rows(len(table), rows, seed)
    squares, weights = _collected(model, tasks, levels, table, chosen)
    names = tuple(task.name for task in tasks)
    return [
        Routing(
            level.name,
            level.expert_names,
            names,
            _shares(squares[i]),
            level.gate_names[: len(weights[i])],
            (weights[i] / len(chosen)).numpy(),
            len(chosen),
        )
        for i, level in enumerate(levels)
        if i in squares
    ]


def _shares(squares: Tensor) -> np.ndarray:
    norms = squares.sqrt()
    shares: np.ndarray = (
        norms / torch.where(norms.sum(dim=1, keepdim=True) > 0, norms.sum(dim=1, keepdim=True), torch.nan)
    ).numpy()
    return shares


def _collected(
    model: MultiTaskModel, tasks: Sequence[Task], levels: Sequence[Level], table: TensorTable, chosen: Tensor
) -> tuple[dict[int, Tensor], dict[int, Tensor]]:
    """Return per level the squared gradients ``[task, expert]`` and the weights ``[gate, expert]``, over all rows."""
    model.input_layer.check(table)
    known = model.input_layer.read_texts(table)
    targets, counted = targets_and_weights(tasks, table.labels, None if table.weights is None else table.weights.cpu())
    squares: dict[int, Tensor] = {}
    weights: dict[int, Tensor] = {}
    was_training = model.training
    model.eval()
    try:
        for part in torch.split(chosen, BATCH):
            inputs = known.inputs(part.to(table.device))
            own = None if counted is None else counted[part].to(table.device)
            groups = None if table.groups is None else table.groups[part].to(table.device)
            batch = Batch(inputs, targets[part].to(table.device), own, groups)
            for i, (gates, found) in _of_batch(model, tasks, levels, batch).items():
                weights[i] = gates if i not in weights else weights[i] + gates
                squares[i] = found if i not in squares else squares[i] + found
    finally:
        model.train(was_training)
    return squares, weights


def _of_batch(
    model: MultiTaskModel, tasks: Sequence[Task], levels: Sequence[Level], batch: Batch
) -> dict[int, tuple[Tensor, Tensor]]:
    """Return per level the summed weights and squared gradients of one batch."""
    gates: dict[int, Tensor] = {}
    outputs: dict[int, Tensor] = {}

    def keep_gates(i: int, found: Tensor) -> None:
        gates[i] = found.detach().double().sum(dim=0).cpu() / model.num_members

    def keep_outputs(i: int, given: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
        outputs[i] = found.detach().requires_grad_()
        return given, outputs[i]

    with ExitStack() as hooks, torch.enable_grad():
        for i, level in enumerate(levels):
            hooks.enter_context(hooked(level, gates=partial(keep_gates, i), mixture=partial(keep_outputs, i)))
        scores = model(batch.inputs).scores
    if not outputs:
        return {}
    losses = summed_losses(tasks, scores.float(), batch.targets, batch.weights, batch.groups)
    places, leaves = list(outputs), list(outputs.values())
    squares = [
        [_squares(given, leaf) for given, leaf in zip(_gradients(loss, leaves), leaves, strict=True)] for loss in losses
    ]
    return {place: (gates[place], torch.stack([of_task[n] for of_task in squares])) for n, place in enumerate(places)}


def _gradients(loss: Tensor, leaves: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    return torch.autograd.grad(loss, leaves, retain_graph=True, allow_unused=True)


def _squares(gradient: Tensor | None, leaf: Tensor) -> Tensor:
    """Return the squared norms ``[expert]``."""
    if gradient is None:
        return torch.zeros(leaf.shape[1], dtype=torch.float64)
    return gradient.double().square().sum(dim=(0, 2)).cpu()
