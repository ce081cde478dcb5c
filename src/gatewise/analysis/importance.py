"""Which features a model leans on: metrics when one is shuffled."""

from __future__ import annotations

from typing import NamedTuple


class Importance(NamedTuple):
    """What an output's metric loses when the values of a feature are shuffled among the rows.

    Attributes:
        output: what is judged.
        feature: what is shuffled.
        metric: which it is judged by.
        value: the metric with the feature as it is; None where it is undefined.
        drop: the mean over repeats of how much worse the metric becomes, whichever its better direction: 0 for a
            feature without effect; None where it is undefined.
        low, high: the least and the greatest of the repeats. The median drop lies between them with a probability of
            1 - 2 / 2^repeats, 94% of five.
        by_repeat: the drop in every repeat.
    """

    output: str
    feature: str
    metric: str
    value: float | None
    drop: float | None
    low: float | None
    high: float | None
    by_repeat: tuple[float | None, ...]
