"""Metrics by the names of DeepCTR-Torch, per task, and the mean over tasks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gatewise.compat.deepctr_torch.inputs import LIBRARY
from gatewise.compat.moved import NoCounterpartError
from gatewise.errors import DeclarationError

Found = Mapping[str, float | None]
METRICS: dict[str, tuple[str, ...]] = {
    "binary_crossentropy": ("log_loss",),
    "logloss": ("log_loss",),
    "auc": ("auc",),
    "mse": ("rmse", "brier"),
    "accuracy": ("accuracy",),
    "acc": ("accuracy",),
}
"""The metrics of Gatewise that a name stands for, of which a kind of task has one or none."""
HIGHER = ("auc", "accuracy", "acc")


def metric_names(names: Sequence[str]) -> list[str]:
    """Return the names of metrics.

    Raises:
        NoCounterpartError: a metric that Gatewise does not have.
    """
    for name in names:
        if name not in METRICS:
            raise NoCounterpartError(f"metric {name!r}", LIBRARY)
    return list(names)


def measured(names: Sequence[str], by_task: Mapping[str, Found]) -> dict[str, float]:
    """Return each metric as its mean over tasks, and by task; a task without it is left out, undefined is NaN."""
    logs: dict[str, float] = {}
    for name in names:
        own = {task: _value(name, found) for task, found in by_task.items()}
        known = {task: value for task, value in own.items() if value is not None}
        defined = [value for value in known.values() if not math.isnan(value)]
        logs[name] = sum(defined) / len(defined) if defined else math.nan
        logs |= {f"{task}_{name}": value for task, value in known.items()}
    return logs


def _value(name: str, found: Found) -> float | None:
    for metric in METRICS[name]:
        if metric in found:
            value = found[metric]
            return math.nan if value is None else value**2 if metric == "rmse" else value
    return None


def monitor_of(name: str, mode: str, columns: Mapping[str, str]) -> str:
    """Return the monitored metric by its name here.

    Args:
        name: ``val_auc``, ``val_loss``, or of one task ``val_ctr_auc``.
        mode: ``auto``, ``min`` or ``max``.
        columns: predictions by task.

    Raises:
        DeclarationError: there is no such metric, or ``mode`` is not its better direction.
    """
    wanted = name.removeprefix("val_")
    task = next((task for task in columns if wanted.startswith(f"{task}_")), None)
    metric = wanted if task is None else wanted.removeprefix(f"{task}_")
    if metric == "loss":
        metric = "binary_crossentropy"
    if metric not in METRICS or not name.startswith("val_"):
        raise DeclarationError(f"monitor: expected val_loss, val_METRIC or val_TASK_METRIC, found {name!r}")
    if mode != "auto" and mode != ("max" if metric in HIGHER else "min"):
        raise DeclarationError(f"mode {mode!r}: of {name!r} it is the other direction that is better")
    return f"{'mean' if task is None else columns[task]}.{METRICS[metric][0]}"
