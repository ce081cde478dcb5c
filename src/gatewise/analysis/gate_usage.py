"""Gate usage: the gates' weights over a table and its slices."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatewise.analysis.cuts import Cut
from gatewise.analysis.tables import usage_grids
from gatewise.grids import Grid, printed_as_tables
from gatewise.nn import Level, MultiTaskModel, TensorTable, Usage, hooked, levels_of


@printed_as_tables
class GateUsage(NamedTuple):
    r"""The weights of one layer's gates in some rows.

    A row's entropy is :math:`-\sum_i g_i \log g_i`, in nats: 0 where one expert counts, log E where all E count alike.

    Attributes:
        layer: ``"level 1"`` ... in a trunk with several layers of experts; ``"experts"`` in a trunk with one.
        column: the column of the slices, None for all rows.
        value: the name of the slice, None for all rows.
        rows: the number of rows.
        gates: names of the gates: the tasks; in a lower layer also other units, such as ``"shared"``.
        experts: names of the experts, such as ``"expert 0"``, or ``"click 0"`` and ``"shared 1"`` if they have owners.
        weights: ``[gate, expert]``, the mean weight; rows sum to 1.
        entropy: ``[gate]``, the mean entropy of a row's weights.
        relative_entropy: ``[gate]``, the mean entropy divided by log E, with E the number of experts that the gate
            reaches; 0 for one expert.
        largest: ``[gate]``, the mean of a row's largest weight.
        utilisation: ``[gate, expert]``, the share of rows in which the expert's weight is the largest; sums to 1.
        reached: ``[gate, expert]`` bool, the experts that the gate reaches at all.
        sparse: whether the gates are meant to give most experts no weight.
    """

    layer: str
    column: str | None
    value: str | None
    rows: int
    gates: tuple[str, ...]
    experts: tuple[str, ...]
    weights: np.ndarray
    entropy: np.ndarray
    relative_entropy: np.ndarray
    largest: np.ndarray
    utilisation: np.ndarray
    reached: np.ndarray
    sparse: bool

    def grids(self) -> list[Grid]:
        """Return the table that is printed, and shown in notebooks."""
        return usage_grids([self])


def gate_usage(
    model: MultiTaskModel, tasks: Sequence[str], table: TensorTable, cuts: Sequence[Cut] = ()
) -> list[GateUsage]:
    """Return the gate usage of every level over all rows of a table, and then over each slice.

    Args:
        model: with any trunk; a trunk without gates gives an empty list.
        tasks: names of the model's tasks.
        table: the rows.
        cuts: slices of the rows.

    Returns:
        The levels from the input on for all rows, then for the first slice, and so on.
    """
    seen = weights_by_row(model, tasks, table)
    return [
        usage_of(
            weights[rows],
            level.gate_names[: weights.shape[1]],
            level.expert_names,
            layer=level.name,
            reach=level.reach,
            sparse=level.sparse,
            column=column,
            value=value,
        )
        for column, value, rows in (Cut(None, None, slice(None)), *cuts)
        for level, weights in seen
    ]


def weights_by_row(model: MultiTaskModel, tasks: Sequence[str], table: TensorTable) -> list[tuple[Level, Tensor]]:
    """Return every level with its gates' weights ``[row, gate, expert]``; a single gate counts for every task.

    Of several members it is their mean.
    """
    levels = levels_of(model.trunk, tasks)
    parts: list[list[Tensor]] = [[] for _ in levels]
    with ExitStack() as taps:
        for level, found in zip(levels, parts, strict=True):
            taps.enter_context(hooked(level, gates=partial(_keep, model, found)))
        if levels:
            model.score(table)
    return [
        (level, weights.expand(-1, len(tasks), -1) if weights.shape[1] == 1 else weights)
        for level, weights in zip(levels, map(torch.cat, parts), strict=True)
    ]


def _keep(model: MultiTaskModel, found: list[Tensor], weights: Tensor) -> None:
    own = weights if model.members is None else model.members.mean(weights)
    found.append(own.float().cpu())


def usage_of(
    weights: Tensor,
    gates: Sequence[str],
    experts: Sequence[str],
    *,
    layer: str = "experts",
    reach: Tensor | None = None,
    sparse: bool = False,
    column: str | None = None,
    value: str | None = None,
) -> GateUsage:
    """Return the usage of weights ``[row, gate, expert]``; see :class:`GateUsage` for the rest."""
    usage = Usage(reach)
    usage.add(weights)
    return GateUsage(
        layer=layer,
        column=column,
        value=value,
        rows=usage.rows,
        gates=tuple(gates),
        experts=tuple(experts),
        weights=usage.weights.numpy(),
        entropy=usage.entropy.numpy(),
        relative_entropy=usage.relative_entropy.numpy(),
        largest=usage.largest.numpy(),
        utilisation=usage.utilisation.numpy(),
        reached=usage.reached.numpy(),
        sparse=sparse,
    )
