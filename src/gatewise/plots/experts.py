"""What experts are: how alike, and what they are good for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatewise.analysis import Ablation, Similarity
from gatewise.plots.heat_map import heat_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def similarity(found: Similarity, *, ax: Axes | None = None) -> Axes:
    """Draw how alike the experts of a layer are in what they give: 1 is the same but for turning and scaling."""
    return heat_map(found.cka, found.experts, found.experts, ax=ax, highest=1.0)


def ablation(found: Ablation, *, ax: Axes | None = None) -> Axes:
    """Draw how every output's metric changes when an expert is removed; each column has colours of its own scale.

    Numbers are the metric's change; colours say whether that is for the better or for the worse.

    Args:
        found: of one layer.
        ax: where to draw; a new figure by default.
    """
    better = found.change * np.where(found.greater_is_better, 1.0, -1.0)
    largest = np.nanmax(np.abs(np.vstack([better, np.full(better.shape[1], 1e-12)])), axis=0)
    columns = [f"{output} {metric}" for output, metric in zip(found.outputs, found.metrics, strict=True)]
    return heat_map(
        better / largest, found.experts, columns, ax=ax, signed=True, highest=1.0, digits=4, written=found.change
    )
