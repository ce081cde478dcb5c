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


MOST_EVEN = 1.0
"""Powers of two between an even share and the fullest colour: twice, or half of, an even share."""
MARK = "◆"
"""Beside the names of experts that serve mostly one task."""


def gates(usage: GateUsage, *, ax: Axes | None = None) -> Axes:
    """Draw the mean weight that each gate of a layer gives to each expert; an expert out of reach is empty.

    Colours say how many times as much, or as little, as with even weights it is. The most used expert comes first; one
    that serves mostly one task has a mark.

    Args:
        usage: the gate usage of one layer.
        ax: where to draw; a new figure by default.
    """
    weights = usage.weights.astype("float64").copy()
    weights[~usage.reached] = float("nan")
    order, special = by_use(usage), set(specialised(usage))
    names = [f"{usage.experts[k]} {MARK}" if k in special else usage.experts[k] for k in order]
    return heat_map(
        deviation(usage)[:, order], usage.gates, names, ax=ax, even=True, highest=MOST_EVEN, written=weights[:, order]
    )


def deviation(usage: GateUsage) -> np.ndarray:
    """Return ``[gate, expert]``, weights as powers of two of an even share, within bounds; NaN: out of reach."""
    reached = usage.reached.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        powers = np.log2(usage.weights.astype("float64") * reached)
    return np.where(usage.reached, powers.clip(-MOST_EVEN, MOST_EVEN), np.nan)


def by_use(usage: GateUsage) -> list[int]:
    """Return the experts of a layer, the most used one first."""
    return [int(k) for k in np.argsort(-usage.weights.sum(axis=0), kind="stable")]


def specialised(usage: GateUsage) -> list[int]:
    """Return the experts to which one gate gives twice an even share, and the others on average at most an even one."""
    share = usage.weights * usage.reached.sum(axis=1, keepdims=True)
    others = (share.sum(axis=0) - share.max(axis=0)) / max(len(share) - 1, 1)
    chosen = (share.max(axis=0) >= 2) & (others <= 1) & (len(share) > 1)
    return [int(k) for k in np.flatnonzero(chosen)]


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
