"""Similarity of experts, the tasks that train them, and metrics without each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatewise.analysis import Ablation, Routing, Similarity
from gatewise.plots.heat_map import heat_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def similarity(found: Similarity, *, ax: Axes | None = None) -> Axes:
    """Draw the similarity (CKA) of a layer's experts; 1: outputs are equal but for rotation and scale."""
    return heat_map(found.cka, found.experts, found.experts, ax=ax, highest=1.0)


def gradient_routing(found: Routing, *, ax: Axes | None = None) -> Axes:
    """Draw the share of every expert in each task's gradient, at the experts of one layer."""
    return heat_map(found.gradients, found.tasks, found.experts, ax=ax)


def routed_weights(found: Routing, *, ax: Axes | None = None) -> Axes:
    """Draw the gates' mean weights for the experts of one layer, to stand beside the shares of the gradients."""
    return heat_map(found.weights, found.gates, found.experts, ax=ax)


def ablation(found: Ablation, *, ax: Axes | None = None) -> Axes:
    """Draw how every output's metric changes when an expert is removed; each column has its own scale of colours.

    Numbers are the metric's change; colours say whether the change is for the better or for the worse.

    Args:
        found: the ablation of one layer.
        ax: where to draw; a new figure by default.
    """
    better = found.change * np.where(found.greater_is_better, 1.0, -1.0)
    largest = np.nanmax(np.abs(np.vstack([better, np.full(better.shape[1], 1e-12)])), axis=0)
    columns = [f"{output} {metric}" for output, metric in zip(found.outputs, found.metrics, strict=True)]
    return heat_map(
        better / largest, found.experts, columns, ax=ax, signed=True, highest=1.0, digits=4, written=found.change
    )
