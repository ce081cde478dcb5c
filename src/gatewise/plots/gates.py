"""Which gate uses which expert: over all rows, by slice, and by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatewise.analysis import GateUsage
from gatewise.history import EpochRecord
from gatewise.plots.fonts import in_any_script
from gatewise.plots.heat_map import heat_map
from gatewise.plots.history import lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def gates(usage: GateUsage, *, ax: Axes | None = None) -> Axes:
    """Draw the mean weight that each gate of a layer gives to each expert; an expert out of reach is empty.

    Args:
        usage: the gate usage of one layer.
        ax: where to draw; a new figure by default.
    """
    weights = usage.weights.astype("float64").copy()
    weights[~usage.reached] = float("nan")
    return heat_map(weights, usage.gates, usage.experts, ax=ax)


def gates_by_slice(usages: Sequence[GateUsage], gate: str, *, ax: Axes | None = None) -> Axes:
    """Draw the mean weights of one gate for the experts that it reaches, one row per slice.

    Args:
        usages: the gate usage of one layer, one per slice of one column.
        gate: the name of the gate, such as its task's.
        ax: where to draw; a new figure by default.
    """
    k = usages[0].gates.index(gate)
    reached = np.flatnonzero(usages[0].reached[k])
    weights = np.stack([usage.weights[k, reached] for usage in usages])
    experts = [usages[0].experts[expert] for expert in reached]
    return heat_map(weights, [str(usage.value) for usage in usages], experts, ax=ax)


@in_any_script
def utilisation(
    history: Sequence[EpochRecord], task: str, experts: Sequence[str] = (), *, ax: Axes | None = None
) -> Axes:
    """Draw, by epoch, the share of the validation rows in which each expert has the task's largest weight.

    Args:
        history: the history of a ranker with gates that was trained with a validation table.
        task: the task of the gate.
        experts: names of the experts; numbers by default.
        ax: where to draw; a new figure by default.
    """
    shares = [record.gates.get(task, {}).get("utilisation", []) for record in history]
    names = experts or [f"expert {index}" for index in range(max(map(len, shares), default=0))]
    found = {name: [each[index] if each else None for each in shares] for index, name in enumerate(names)}
    ax = lines(history, found, ax=ax)
    ax.set_ylabel("share of rows")
    ax.set_ylim(-0.02, 1.02)
    return ax


def gate_entropy(history: Sequence[EpochRecord], *, ax: Axes | None = None) -> Axes:
    """Draw, by epoch, the relative entropy of each task's gate: 1 is even weights, 0 is one expert per row."""
    tasks = dict.fromkeys(task for record in history for task in record.gates)
    found = {task: [record.gates.get(task, {}).get("relative_entropy") for record in history] for task in tasks}
    ax = lines(history, found, ax=ax)
    ax.set_ylabel("relative entropy")
    ax.set_ylim(-0.02, 1.02)
    return ax
