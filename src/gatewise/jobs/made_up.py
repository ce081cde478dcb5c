"""Predictions for made-up rows, by which a loaded artefact is compared with the model that the run trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gatewise.data import sample_rows
from gatewise.serving import Scorer

ROWS = 32
TOLERANCE = 1e-5
"""Largest difference allowed, relative to the value, or to 1 for smaller values: other machines round otherwise."""

Predictions = Mapping[str, Sequence[float | None]]


def made_up_predictions(scorer: Scorer) -> dict[str, list[float | None]]:
    """Return what a model predicts, calibrated if possible, for rows that follow from its encoder; None: not finite.

    The rows have known, unseen and null values; none of them is a row of a table.
    """
    found = scorer.predict(sample_rows(scorer.encoder, ROWS), calibrated=bool(scorer.calibration))
    return {
        name: [value if math.isfinite(value) else None for value in found[name].to_pylist()]
        for name in found.column_names
    }


def not_finite(predictions: Predictions) -> str | None:
    """Return in words which predictions are not finite; None: all are."""
    for name, values in predictions.items():
        if count := sum(value is None for value in values):
            return f"{name}: {count} of {len(values)} predictions for made-up rows are not finite"
    return None


def difference(expected: Predictions, found: Predictions) -> str | None:
    """Return in words the first prediction that differs; None: none does."""
    if {*expected} != {*found}:
        return f"expected the predictions {sorted(expected)}, found {sorted(found)}"
    for name, values in expected.items():
        for row, (was, now) in enumerate(zip(values, found[name], strict=True)):
            if was is None or now is None or abs(was - now) > TOLERANCE * max(1.0, abs(was)):
                return f"{name}: made-up row {row} was {was} when the run ended, and is {now} when loaded"
    return None
