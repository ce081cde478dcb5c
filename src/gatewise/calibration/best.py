"""The calibration that does best on rows that it did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch import Tensor

from gatewise.calibration.calibrator import Calibrator, Fitter, labelled_rows
from gatewise.calibration.isotonic import Isotonic
from gatewise.calibration.platt import Platt
from gatewise.metrics import log_loss

FOLDS = 5
LEAST = 20
"""Fewest rows of either class with which folds say anything; with fewer a line is learnt, unseen."""
SEED = 0
CANDIDATES: Mapping[str, type[Platt] | type[Isotonic]] = {"platt": Platt, "isotonic": Isotonic}


class Best:
    """Chooses Platt's calibration, an isotonic one, or none, by the log loss on held-out folds.

    The rows are cut into five folds. Every method learns on four and is judged on the fifth; the one with the smallest
    log loss over all rows then learns from all. A method that is not better than the model as it is, is not used.
    """

    method: ClassVar[str] = "auto"

    def fit(self, probabilities: Tensor, labels: Tensor) -> Calibrator:
        """Return the chosen calibrator, fitted; see :meth:`gatewise.calibration.Calibrator.fit`."""
        rows = labelled_rows(self.method, probabilities, labels)
        if too_few(rows.targets):
            return Platt().fit(rows.predictions, rows.targets)
        losses = {name: held_out_loss(make, rows.predictions, rows.targets) for name, make in CANDIDATES.items()}
        best = min(losses, key=lambda name: losses[name])
        if losses[best] >= loss_of(rows.predictions, rows.targets):
            return Platt()
        return CANDIDATES[best]().fit(rows.predictions, rows.targets)


def doubt_of(make: Callable[[], Fitter], fitted: Calibrator, probabilities: Tensor, labels: Tensor) -> str | None:
    """Return what is to be doubted about a calibration of these rows, in words; None: it does better than none.

    Args:
        make: makes what learns the calibration.
        fitted: what it learnt from these rows.
        probabilities: ``[row]``, before calibration.
        labels: ``[row]``; rows whose label is NaN do not count.
    """
    rows = labelled_rows("calibration", probabilities, labels)
    if too_few(rows.targets):
        return None
    if isinstance(make(), Best):
        unchanged = isinstance(fitted, Platt) and fitted.changes_nothing
        return "no method does better than none on rows that it did not see: it stays as it is" if unchanged else None
    before = loss_of(rows.predictions, rows.targets)
    after = held_out_loss(make, rows.predictions, rows.targets)
    if after <= before:
        return None
    return f"does worse than none on rows that it did not see: log loss {after:.4f}, without {before:.4f}"


def too_few(labels: Tensor) -> bool:
    """Return whether either class has too few rows ``[row]`` for folds to say anything."""
    ones = int(labels.sum())
    return min(ones, len(labels) - ones) < LEAST


def held_out_loss(make: Callable[[], Fitter], probabilities: Tensor, labels: Tensor) -> float:
    """Return the log loss of calibrated probabilities ``[row]`` of rows that the calibrator did not learn from."""
    generator = torch.Generator().manual_seed(SEED)
    fold = torch.empty(len(labels), dtype=torch.long)
    # each class is spread over all folds
    for value in (0, 1):
        chosen = (labels == value).nonzero().squeeze(1)
        fold[chosen[torch.randperm(len(chosen), generator=generator)]] = torch.arange(len(chosen)) % FOLDS
    found = torch.empty_like(probabilities)
    for held in range(FOLDS):
        inside = fold == held
        found[inside] = make().fit(probabilities[~inside], labels[~inside])(probabilities[inside])
    return loss_of(found, labels)


def loss_of(probabilities: Tensor, labels: Tensor) -> float:
    """Return the log loss of rows with labels of both classes."""
    found = log_loss(labels, probabilities)
    assert found is not None
    return found
