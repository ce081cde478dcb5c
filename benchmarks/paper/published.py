"""What the paper published of 200 runs a model, and how far other results are from it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from models import KINDS
from points import Point

MEANS = {
    "mmoe": {0.5: 0.081, 0.9: 0.082, 1.0: 0.072},
    "omoe": {0.5: 0.147, 0.9: 0.119, 1.0: 0.079},
    "shared_bottom": {0.5: 0.256, 0.9: 0.222, 1.0: 0.200},
}
"""Mean final losses by cosine."""
SHARES = {
    "mmoe": {0.5: 6.0, 0.9: 6.5, 1.0: 4.5},
    "omoe": {0.5: 11.5, 0.9: 9.0, 1.0: 7.0},
    "shared_bottom": {0.5: 56.0, 0.9: 47.0, 1.0: 35.5},
}
"""Share of runs above 0.2, in percent."""


class Distance(NamedTuple):
    """How far points are from the published figures, the mean over models and cosines.

    Attributes:
        share: between the shares of runs above 0.2, in points of percent.
        factor: between the means, 1 where they agree.
    """

    share: float
    factor: float


def distance(points: Sequence[Point]) -> Distance:
    """Return how far points that differ in the cosine are from the published figures."""
    pairs = [
        (summary, MEANS[kind][point.at.cosine], SHARES[kind][point.at.cosine])
        for point in points
        for kind, summary in zip(KINDS, point.found, strict=True)
    ]
    share = statistics.mean(abs(summary.share - published) for summary, _, published in pairs)
    log = statistics.mean(abs(math.log(summary.mean / published)) for summary, published, _ in pairs)
    return Distance(share, math.exp(log))
