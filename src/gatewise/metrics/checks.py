"""What every metric asks of its tensors, and the float64 rows it then works on."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.errors import ShapeError


class Rows(NamedTuple):
    """The rows that count: all ``[row]``, float64, on one device, without gradient; weights are positive."""

    targets: Tensor
    predictions: Tensor
    weights: Tensor


def counted_rows(metric: str, targets: Tensor, predictions: Tensor, weights: Tensor | None) -> Rows:
    """Check shapes, drop the rows of weight zero and refuse NaN in those that are left.

    A row of weight zero is a masked one: whatever stands in it, NaN included, is never looked at.

    Raises:
        ShapeError: Tensors that are not 1-D, of one length and on one device; NaN; a
            negative or infinite weight.
    """
    named = {"targets": targets, "predictions": predictions}
    if weights is not None:
        named["weights"] = weights
    _check_alike(metric, named)
    target, prediction = _as_float64(targets), _as_float64(predictions)  # [row]
    if weights is None:
        weight = torch.ones_like(target)
    else:
        weight = _as_float64(weights)
        _check_weights(metric, weight)
        counts = weight > 0
        target, prediction, weight = target[counts], prediction[counts], weight[counts]
    for name, values in (("targets", target), ("predictions", prediction)):
        missing = int(values.isnan().sum())
        if missing:
            raise ShapeError(f"{metric}: expected {name} without NaN, found NaN in {missing} of {len(values)} rows")
    return Rows(target, prediction, weight)


def check_binary(metric: str, targets: Tensor) -> None:
    """Refuse targets (``[row]``) other than 0 and 1."""
    other = targets[(targets != 0) & (targets != 1)]
    if len(other):
        raise ShapeError(f"{metric}: expected targets of 0 and 1, found {other[0].item():g}")


def check_probabilities(metric: str, predictions: Tensor) -> None:
    """Refuse predictions (``[row]``) outside [0, 1]: most often logits that were meant to pass a sigmoid."""
    other = predictions[(predictions < 0) | (predictions > 1)]
    if len(other):
        raise ShapeError(f"{metric}: expected predictions from 0 to 1, found {other[0].item():g}")


def check_finite(metric: str, rows: Rows) -> None:
    """Refuse infinite targets and predictions, whose errors are no numbers."""
    for name, values in (("targets", rows.targets), ("predictions", rows.predictions)):
        other = values[values.isinf()]
        if len(other):
            raise ShapeError(f"{metric}: expected finite {name}, found {other[0].item():g}")


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Return the mean of ``values`` under ``weights``, both ``[row]``."""
    return (values * weights).sum() / weights.sum()


def finite(value: Tensor) -> float | None:
    """Return the number, or ``None`` where float64 could not hold it."""
    number = float(value)
    return number if math.isfinite(number) else None


def _as_float64(values: Tensor) -> Tensor:
    return values.detach().to(torch.float64)


def _check_weights(metric: str, weights: Tensor) -> None:
    other = weights[~(weights >= 0)]
    if len(other):
        raise ShapeError(f"{metric}: expected weights of at least 0, found {other[0].item():g}")
    if not weights.sum().isfinite():
        raise ShapeError(f"{metric}: expected weights with a finite sum, found {weights.sum().item():g}")


def _check_alike(metric: str, named: dict[str, Tensor]) -> None:
    shapes = {name: tuple(values.shape) for name, values in named.items()}
    if len(set(shapes.values())) != 1 or len(shapes["targets"]) != 1:
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ShapeError(f"{metric}: expected 1-D tensors of equal length, found {found}")
    devices = {name: values.device for name, values in named.items()}
    if len(set(devices.values())) != 1:
        found = ", ".join(f"{name} on {device}" for name, device in devices.items())
        raise ShapeError(f"{metric}: expected tensors on one device, found {found}")
