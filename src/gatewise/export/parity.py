"""Whether what was exported gives what the model gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatewise.declare import Fusion
from gatewise.errors import ExportError
from gatewise.names import FUSED, GATES
from gatewise.serving import Scorer

TOLERANCE = 1e-5
"""How far an output may be off: of the value, or of 1 where that is less."""
NOISE = 1e-6
"""How far single precision moves a probability before it is calibrated: a calibrated one may be what such a
probability becomes, as the steps of an isotonic calibration magnify any difference."""


class Bounds(NamedTuple):
    """Where an output of every row has to be, and what it should be; all of one shape, the rows first."""

    low: np.ndarray
    high: np.ndarray
    value: np.ndarray


def check_parity(scorer: Scorer, source: Any, found: Mapping[str, np.ndarray], fusion: Fusion | None = None) -> float:
    """Compare the outputs of an exported model with those of the scorer.

    The fused score is compared with that of the columns it was made of.

    Args:
        scorer: predicts what is expected.
        source: a table.
        found: the exported model's outputs for it, by name.
        fusion: makes one score of all predictions.

    Returns:
        The largest difference, of the value or of 1 where that is less.

    Raises:
        ExportError: an output is missing or differs; names it, the row and both values.
    """
    expected = expected_outputs(scorer, source)
    if fusion is not None:
        columns = {name: torch.from_numpy(found[name]) for name, bounds in expected.items() if bounds.value.ndim == 1}
        fused = fusion.evaluate(columns).numpy()
        expected[FUSED] = Bounds(fused, fused, fused)
    if expected.keys() != found.keys():
        raise ExportError(f"export: expected the outputs {sorted(expected)}, found {sorted(found)}")
    return max((_difference(name, bounds, found[name]) for name, bounds in expected.items()), default=0.0)


def expected_outputs(scorer: Scorer, source: Any) -> dict[str, Bounds]:
    """Return what the scorer gives for a table: every predicted column, calibrated where it is, and the gates."""
    plain = dict(scorer.predicted(source, labels=False).columns)
    low, value, high = (_calibrated(scorer, plain, shift) for shift in (-NOISE, 0.0, NOISE))
    expected = {name: Bounds(*(part[name].numpy() for part in (low, high, value))) for name in value}
    gates = scorer.gates(source)
    return expected if gates is None else expected | {GATES: Bounds(gates, gates, gates)}


def _calibrated(scorer: Scorer, columns: Mapping[str, Tensor], shift: float) -> dict[str, Tensor]:
    """Return calibrated columns of probabilities that were moved; no calibrator falls where they rise."""
    if not scorer.calibration:
        return dict(columns)
    moved = {
        name: (column + shift).clamp(0, 1) if name in scorer.calibration.calibrators else column
        for name, column in columns.items()
    }
    return scorer.calibration.apply(scorer.tasks, moved)


def _difference(name: str, expected: Bounds, found: np.ndarray) -> float:
    if expected.value.shape != found.shape:
        raise ExportError(f"export: output {name!r}: expected the shape {expected.value.shape}, found {found.shape}")
    allowed = TOLERANCE * np.maximum(1, np.abs(expected.value))
    # false where either is NaN
    right = (found >= expected.low - allowed) & (found <= expected.high + allowed)
    if not right.all():
        place = tuple(int(index) for index in np.argwhere(~right)[0])
        within = f" at {list(place[1:])}" if len(place) > 1 else ""
        raise ExportError(
            f"export: output {name!r} differs in row {place[0]}{within}: the model gives {expected.value[place]:.9g}, "
            f"the exported one {found[place]:.9g}; nothing was written"
        )
    return float((np.abs(found - expected.value) / np.maximum(1, np.abs(expected.value))).max(initial=0.0))
