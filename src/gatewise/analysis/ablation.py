"""What experts are good for: metrics when one is removed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Ablation(NamedTuple):
    """What changes in every output's main metric when an expert of one layer is removed.

    Attributes:
        layer: as in :class:`GateUsage`.
        experts: their names.
        outputs: names of what is judged, such as ``"click"``.
        metrics: ``[output]``, the metric that judges each.
        greater_is_better: ``[output]``, of that metric.
        whole: ``[output]``, the metric with all experts; NaN where it is undefined.
        change: ``[expert, output]``, the metric without the expert less the metric with all; NaN where undefined.
        rows: how many rows were judged.
    """

    layer: str
    experts: tuple[str, ...]
    outputs: tuple[str, ...]
    metrics: tuple[str, ...]
    greater_is_better: tuple[bool, ...]
    whole: np.ndarray
    change: np.ndarray
    rows: int
