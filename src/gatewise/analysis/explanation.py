"""One prediction taken apart: gates, experts, features."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class ExpertPart(NamedTuple):
    """What an expert adds to a score.

    Attributes:
        expert: its name.
        weight: that the task's gate gives it.
        contribution: its Shapley value.
        error: standard error of that, 0 where it is exact.
    """

    expert: str
    weight: float
    contribution: float
    error: float


class FeaturePart(NamedTuple):
    """What a feature's value adds to a score, beside the values that other rows have.

    Attributes:
        feature: its name.
        value: what the row holds.
        contribution: its Shapley value.
        error: standard error of that.
    """

    feature: str
    value: Any
    contribution: float
    error: float


class ScoreParts(NamedTuple):
    """A score of a task taken apart twice, by experts and by features; each sums to the score.

    Attributes:
        score: its name: the task's, or one of several, such as ``"device[tv]"``.
        task: whose it is.
        value: the score, before the task's link: the logit of a probability.
        without_experts: the score where no expert of the last layer adds anything; ``value`` is this and the experts'
            contributions. None where the trunk has no experts.
        experts: the greatest contribution first; empty where the trunk has no experts.
        background: the mean score of the rows that features were compared with; ``value`` is this and the features'
            contributions. None where there were no such rows.
        features: the greatest contribution first; empty where there were no such rows.
    """

    score: str
    task: str
    value: float
    without_experts: float | None
    experts: tuple[ExpertPart, ...]
    background: float | None
    features: tuple[FeaturePart, ...]


class Explanation(NamedTuple):
    """One row's predictions taken apart.

    Attributes:
        row: the values of its columns.
        predictions: every column that is predicted.
        calibrated: the same calibrated; None where nothing is.
        fused: the score that rows are ordered by; None where none is declared.
        tasks: names of the tasks, in the order of the gates.
        experts: names of the experts of the last layer; empty where the trunk has none.
        gates: ``[task, expert]`` weights; None where the trunk has none.
        scores: of every task.
        notes: what is not there and why, one line each.
    """

    row: dict[str, Any]
    predictions: dict[str, float]
    calibrated: dict[str, float] | None
    fused: float | None
    tasks: tuple[str, ...]
    experts: tuple[str, ...]
    gates: np.ndarray | None
    scores: tuple[ScoreParts, ...]
    notes: tuple[str, ...]
