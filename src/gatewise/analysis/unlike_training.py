"""Problems that features of some rows tell of beside the training rows: unseen values, missing values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gatewise.analysis.drift import FeatureDrift
from gatewise.analysis.problems import Problem

FAR = 0.2
"""By how much a share of rows is above the training's if it is far above."""
TIMES = 2.0
"""How many times the training's share it is then, at least."""


def unlike_training(drifts: Sequence[FeatureDrift]) -> list[Problem]:
    """Return the features with far more unseen values, or far more nulls, than in the training rows, as problems.

    Far more are .2 of the rows more, and twice as many.

    Args:
        drifts: every feature beside the training table, see :func:`gatewise.analysis.feature_drift`.
    """
    return [problem for drift in drifts for problem in (*_unseen(drift), *_nulls(drift))]


def _unseen(drift: FeatureDrift) -> Iterator[Problem]:
    if drift.unseen is None or not _far_above(drift.unseen, drift.unseen_before):
        return
    before = f" (of the training rows {drift.unseen_before:.0%})" if drift.unseen_before else ""
    found = (
        f"{drift.unseen:.0%} of these rows{before} have a value of feature {drift.feature!r} that was not learnt: "
        "to the model all of them are the same"
    )
    remedy = (
        "training rows as new as these, features that describe such values, such as a category beside an id, and the "
        "same spelling and type of values in both tables"
    )
    yield Problem("unseen values", None, (drift.feature,), found, remedy)


def _nulls(drift: FeatureDrift) -> Iterator[Problem]:
    if drift.nulls_before is None or not _far_above(drift.nulls, drift.nulls_before):
        return
    found = (
        f"feature {drift.feature!r} is null in {drift.nulls:.0%} of these rows, and in {drift.nulls_before:.0%} of the "
        "training rows"
    )
    remedy = (
        "a look at the join that brings the column; what is not there yet when the model is asked must be missing in "
        "training as often"
    )
    yield Problem("missing values", None, (drift.feature,), found, remedy)


def _far_above(share: float, before: float) -> bool:
    return share - before >= FAR and share >= TIMES * before
