"""Checks of metrics' tensors, and conversion to float64 rows."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.errors import ShapeError


class Rows(NamedTuple):
    """The rows with positive weight: all ``[row]``, float64, on one device, without gradient."""

    targets: Tensor
    predictions: Tensor
    weights: Tensor


def counted_rows(metric: str, targets: Tensor, predictions: Tensor, weights: Tensor | None) -> Rows:
    """Return the rows with positive weight, after checks of shapes; refuses NaN in these rows.

    A row of weight 0 is masked: it may hold NaN.

    Raises:
        ShapeError: Tensors that are not 1-D, of equal length and on one device; NaN; a
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
        target, prediction, weight = (values.masked_select(counts) for values in (target, prediction, weight))
    for name, values in (("targets", target), ("predictions", prediction)):
        missing = int(values.isnan().sum())
        if missing:
            raise ShapeError(f"{metric}: expected {name} without NaN, found NaN in {missing} of {len(values)} rows")
    return Rows(target, prediction, weight)


def binary_rows(metric: str, targets: Tensor, predictions: Tensor, weights: Tensor | None) -> Rows:
    """Return the rows with positive weight; refuses targets other than 0 and 1. Predictions are any scores."""
    rows = counted_rows(metric, targets, predictions, weights)
    check_binary(metric, rows.targets)
    return rows


def probability_rows(metric: str, targets: Tensor, predictions: Tensor, weights: Tensor | None) -> Rows:
    """Return the rows with positive weight; refuses targets other than 0 and 1, and predictions outside [0, 1]."""
    rows = binary_rows(metric, targets, predictions, weights)
    check_probabilities(metric, rows.predictions)
    return rows


def finite_rows(metric: str, targets: Tensor, predictions: Tensor, weights: Tensor | None) -> Rows:
    """Return the rows with positive weight; refuses infinite targets and predictions."""
    rows = counted_rows(metric, targets, predictions, weights)
    for name, values in (("targets", rows.targets), ("predictions", rows.predictions)):
        check_finite(metric, name, values)
    return rows


class GroupedRows(NamedTuple):
    """The rows with positive weight, as in :class:`Rows`, and their groups, int64."""

    targets: Tensor
    predictions: Tensor
    weights: Tensor
    groups: Tensor


def grouped_rows(
    metric: str, targets: Tensor, predictions: Tensor, groups: Tensor, weights: Tensor | None
) -> GroupedRows:
    """Return the rows with positive weight and their groups.

    Raises:
        ShapeError: As :func:`counted_rows`; groups of another length or device, or not integers.
    """
    _check_alike(metric, {"targets": targets, "predictions": predictions, "groups": groups})
    if groups.is_floating_point() or groups.is_complex():
        raise ShapeError(f"{metric}: expected groups of integers, found {groups.dtype}")
    rows = counted_rows(metric, targets, predictions, weights)
    counted = groups if weights is None else groups.masked_select(weights > 0)
    return GroupedRows(*rows, counted.long())


class ClassRows(NamedTuple):
    """Rows with positive weight: int64 targets ``[row]``, float64 predictions ``[row, class]``, weights ``[row]``."""

    targets: Tensor
    predictions: Tensor
    weights: Tensor


def class_rows(metric: str, targets: Tensor, predictions: Tensor, weights: Tensor | None) -> ClassRows:
    """Return the rows with positive weight of a task of several classes; refuses targets outside the classes.

    Raises:
        ShapeError: As :func:`counted_rows`; predictions that are not 2-D, or a target that is not a class.
    """
    if predictions.dim() != 2 or targets.shape != predictions.shape[:1]:
        found = f"targets {tuple(targets.shape)}, predictions {tuple(predictions.shape)}"
        raise ShapeError(f"{metric}: expected targets [row] and predictions [row, class], found {found}")
    missing = predictions.isnan().any(1)  # [row]
    rows = counted_rows(metric, targets, _as_float64(missing).masked_fill(missing, math.nan), weights)
    classes = predictions.shape[1]
    outside = (rows.targets < 0) | (rows.targets >= classes) | (rows.targets != rows.targets.floor())
    _refuse(metric, f"whole targets from 0 to {classes - 1}", rows.targets, outside)
    counted = predictions if weights is None else predictions[weights > 0]
    return ClassRows(rows.targets.long(), _as_float64(counted), rows.weights)


def check_binary(metric: str, targets: Tensor) -> None:
    """Refuse targets (``[row]``) other than 0 and 1."""
    _refuse(metric, "targets of 0 and 1", targets, (targets != 0) & (targets != 1))


def check_probabilities(metric: str, predictions: Tensor) -> None:
    """Refuse predictions outside [0, 1], usually logits before a sigmoid or softmax."""
    _refuse(metric, "predictions from 0 to 1", predictions, (predictions < 0) | (predictions > 1))


def check_finite(metric: str, name: str, values: Tensor) -> None:
    """Refuse infinite values (``[row]``)."""
    _refuse(metric, f"finite {name}", values, values.isinf())


def check_range(metric: str, name: str, values: Tensor, *, zero: bool) -> None:
    """Refuse values (``[row]``) below 0, and 0 itself unless ``zero`` allows it."""
    if zero:
        _refuse(metric, f"{name} of at least 0", values, values < 0)
    else:
        _refuse(metric, f"{name} above 0", values, values <= 0)


def check_sums(metric: str, probabilities: Tensor, rounding: float) -> None:
    """Refuse rows (``[row, class]``) that do not sum to 1 up to rounding."""
    sums = probabilities.sum(1)  # [row]
    _refuse(metric, "predictions whose classes sum to 1", sums, (sums - 1).abs() > rounding)


def check_count(metric: str, name: str, number: int) -> None:
    """Refuse a number of bins, places or samples that is not a positive whole number."""
    if not (isinstance(number, int) and number > 0):
        raise ShapeError(f"{metric}: expected {name} to be a positive whole number, found {number!r}")


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Return the mean of ``values`` under ``weights``, both ``[row]``."""
    return (values * weights).sum() / weights.sum()


def finite(value: Tensor) -> float | None:
    """Return the number, or ``None`` if it is not finite."""
    number = float(value)
    return number if math.isfinite(number) else None


def _refuse(metric: str, expected: str, values: Tensor, wrong: Tensor) -> None:
    """Raise an error with the first wrong value, if there is one."""
    other = values.masked_select(wrong)
    if len(other):
        raise ShapeError(f"{metric}: expected {expected}, found {other[0].item():g}")


def _as_float64(values: Tensor) -> Tensor:
    return values.detach().to(torch.float64)


def _check_weights(metric: str, weights: Tensor) -> None:
    _refuse(metric, "weights of at least 0", weights, ~(weights >= 0))
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
