"""Verdicts within slices of the test rows: for whom a contestant is better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gatewise.analysis.cuts import Cut
from gatewise.analysis.verdicts import Trained, Verdict, verdicts


class SliceVerdict(NamedTuple):
    """Whether a contestant beats the baseline on an output, in a slice.

    Attributes:
        column: the column of the slices, None for all rows.
        value: the name of the slice, None for all rows.
        rows: the number of rows.
        verdict: the verdict on these rows alone.
    """

    column: str | None
    value: str | None
    rows: int
    verdict: Verdict


def verdicts_by_slice(
    trained: Trained, baseline: str, cuts: Sequence[Cut], *, samples: int = 1000, level: float = 0.95, seed: int = 0
) -> list[SliceVerdict]:
    """Return the verdicts of :func:`verdicts` within each slice: by contestant and output, and then by slice.

    Each interval has its level by itself: of twenty verdicts where nothing differs, one is wrong on average at 95 %.

    Args:
        trained: every contestant's predictions for the test rows.
        baseline: the contestant that the others are compared with.
        cuts: the slices.
        samples: the number of resamples.
        level: the probability with which an interval should hold the true change.
        seed: of the draws.
    """
    found: list[SliceVerdict] = []
    for cut in cuts:
        inside = {who: [each.rows(cut.rows) for each in seeds] for who, seeds in trained.items()}
        rows = len(inside[baseline][0])
        within = verdicts(inside, baseline, samples=samples, level=level, seed=seed)
        found += [SliceVerdict(cut.column, cut.value, rows, verdict) for verdict in within]
    order = list(dict.fromkeys((each.verdict.contestant, each.verdict.output) for each in found))
    return sorted(found, key=lambda each: order.index((each.verdict.contestant, each.verdict.output)))
