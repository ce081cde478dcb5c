"""Parity: the outputs of an exported model compared with the scorer's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatewise.data import known_numbers, read_needed
from gatewise.declare import Fusion
from gatewise.errors import ExportError
from gatewise.names import FUSED, GATES
from gatewise.serving import Scorer

TOLERANCE = 1e-5
"""Largest difference allowed, relative to the value, or to 1 for smaller values."""
NOISE = 1e-6
"""How far single precision may move a probability before its calibration. A calibrated output may be that of a
probability this far off, because the steps of an isotonic calibration magnify any difference."""


class Bounds(NamedTuple):
    """Bounds of an output, and its expected value; all ``[row, ...]``."""

    low: np.ndarray
    high: np.ndarray
    value: np.ndarray


def check_parity(scorer: Scorer, source: Any, found: Mapping[str, np.ndarray], fusion: Fusion | None = None) -> float:
    """Compare the outputs of an exported model with those of the scorer.

    The fused score is compared with the fusion of the exported model's own columns.

    Args:
        scorer: gives the expected values.
        source: a table.
        found: the exported model's outputs for the table, by name.
        fusion: makes one score of all predictions.

    Returns:
        The largest difference, relative to the value, or to 1 for smaller values.

    Raises:
        ExportError: an output is missing or differs; names the output, the row and both values.
    """
    expected = expected_outputs(scorer, source)
    if fusion is not None:
        columns = {name: torch.from_numpy(found[name]) for name, bounds in expected.items() if bounds.value.ndim == 1}
        known = {name: torch.from_numpy(values) for name, values in known_of(scorer, source, fusion).items()}
        fused = fusion.evaluate({**columns, **known}).numpy()
        expected[FUSED] = Bounds(fused, fused, fused)
    if expected.keys() != found.keys():
        raise ExportError(f"export: expected the outputs {sorted(expected)}, found {sorted(found)}")
    return max((_difference(name, bounds, found[name]) for name, bounds in expected.items()), default=0.0)


def known_of(scorer: Scorer, source: Any, fusion: Fusion) -> Mapping[str, np.ndarray]:
    """Return the known columns of a table that a fusion uses."""
    names = scorer.known_of(fusion)
    return known_numbers(names, read_needed(source, names, scorer.encoder.column_types())) if names else {}


def expected_outputs(scorer: Scorer, source: Any) -> dict[str, Bounds]:
    """Return the scorer's outputs for a table, with bounds: every predicted column, calibrated, and the gates."""
    plain = dict(scorer.predicted(source, labels=False).columns)
    value = _calibrated(scorer, plain, {})
    # a step's calibration moves what follows it, up or down: each step is off alone, and all are together
    steps = list(scorer.calibration.calibrators) if scorer.calibration else []
    offs = [dict.fromkeys(moved, sign * NOISE) for moved in (*([step] for step in steps), steps) for sign in (-1, 1)]
    around = [value, *(_calibrated(scorer, plain, off) for off in offs)]
    expected = {}
    for name in value:
        columns = np.stack([part[name].numpy() for part in around])
        expected[name] = Bounds(columns.min(axis=0), columns.max(axis=0), value[name].numpy())
    gates = scorer.gates(source)
    return expected if gates is None else expected | {GATES: Bounds(gates, gates, gates)}


def _calibrated(scorer: Scorer, columns: Mapping[str, Tensor], off: Mapping[str, float]) -> dict[str, Tensor]:
    """Return calibrated columns of probabilities, of which some are moved first."""
    if not scorer.calibration:
        return dict(columns)
    moved = {name: (column + off[name]).clamp(0, 1) if name in off else column for name, column in columns.items()}
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
