"""Curves of a probability: ROC, precision over recall, its scores by label, and the gain of a ranking."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gatewise.tasks import BinaryTask, Judged, Predicted

POINTS = 101
"""Most points of a curve."""
BINS = 20
"""Bars of the scores."""


class Curves(NamedTuple):
    """The curves of one probability over the rows with its label.

    Attributes:
        false_positives, true_positives: ROC, shares of the zeros and of the ones at or above a threshold, from 0 to 1.
        recall, precision: share of the ones, and share of ones among the rows, at or above a threshold.
        edges: edges of the bars of scores, from 0 on.
        zeros, ones: the share of the zeros, and of the ones, in every bar.
        contacted, gained: share of the rows of the highest scores, and the share of all ones among them.
        rate: the share of ones.
    """

    false_positives: list[float]
    true_positives: list[float]
    recall: list[float]
    precision: list[float]
    edges: list[float]
    zeros: list[float]
    ones: list[float]
    contacted: list[float]
    gained: list[float]
    rate: float


def curves(predicted: Predicted) -> dict[str, Curves]:
    """Return the curves of every probability that has labels of both classes, by output."""
    found = {}
    for output, judged in predicted.judged().items():
        if isinstance(judged.task, BinaryTask) and (drawn := _curves(judged)) is not None:
            found[output] = drawn
    return found


def _curves(judged: Judged) -> Curves | None:
    known = ~judged.labels.isnan()
    labels, scores = judged.labels[known].double().numpy(), judged.predictions[known].double().cpu().numpy()
    weights = np.ones_like(labels) if judged.weights is None else judged.weights[known].double().cpu().numpy()
    ones, total = labels @ weights, weights.sum()
    if not 0 < labels.sum() < len(labels):
        return None
    order = np.argsort(-scores, kind="stable")
    # rows of equal score are on the same side of any threshold: only the last of each counts
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    hits, rows = ((each * weights)[order].cumsum()[last] for each in (labels, np.ones_like(labels)))
    everything = np.array([0.0, *hits]), np.array([0.0, *rows])
    true = everything[0] / ones
    false = (everything[1] - everything[0]) / (total - ones)
    along = _thinned(true + false)
    steps = _thinned(hits)
    gains = _thinned(everything[1])
    edges = np.linspace(0, _highest(scores), BINS + 1)
    bars = [
        np.histogram(scores[of].clip(max=edges[-1]), edges, weights=weights[of])[0] for of in (labels == 0, labels == 1)
    ]
    zeros, of_ones = (bar / bar.sum() for bar in bars)
    return Curves(
        false_positives=false[along].tolist(),
        true_positives=true[along].tolist(),
        recall=(hits / ones)[steps].tolist(),
        precision=(hits / rows)[steps].tolist(),
        edges=edges.tolist(),
        zeros=zeros.tolist(),
        ones=of_ones.tolist(),
        contacted=(everything[1] / total)[gains].tolist(),
        gained=true[gains].tolist(),
        rate=float(ones / total),
    )


def _highest(scores: np.ndarray) -> float:
    """Return the upper end of the bars: almost all scores are below it, so that rare events fill the picture."""
    return float(min(1.0, max(1.25 * np.quantile(scores, 0.995), 1e-6)))


def _thinned(along: np.ndarray) -> np.ndarray:
    """Return the indices of at most about ``POINTS`` points, evenly spaced along a rising measure, with both ends."""
    if len(along) <= POINTS:
        return np.arange(len(along))
    places = np.searchsorted(along, np.linspace(along[0], along[-1], POINTS))
    return np.unique(np.concatenate([[0], places.clip(max=len(along) - 1), [len(along) - 1]]))
