"""Points of the map: all kinds of models side by side."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from grid import BATCHES, COSINES, RATES, ROWS
from models import KINDS
from setting import Setting
from summary import Results, Summary, summed_up


@dataclass(frozen=True)
class Point:
    """The three kinds of models, trained alike.

    Attributes:
        at: one of the three settings.
        found: MMoE, OMoE, shared bottom.
    """

    at: Setting
    found: tuple[Summary, ...]

    @property
    def best(self) -> int | None:
        """The place of the kind that is below the next one by more than both standard errors together."""
        first, second = sorted(range(len(KINDS)), key=lambda place: self.found[place].mean)[:2]
        return first if self.found[first].below(self.found[second]) else None

    @property
    def spread(self) -> float:
        """Between the highest and the lowest mean."""
        means = [summary.mean for summary in self.found]
        return max(means) - min(means)


def point(at: Setting, results: Results) -> Point | None:
    """Return the kinds at a setting; None where one was not run."""
    found = tuple(summed_up(replace(at, kind=kind), results) for kind in KINDS)
    known = tuple(summary for summary in found if summary is not None)
    return Point(at, known) if len(known) == len(found) else None


def points(first: Setting, results: Results) -> list[Point]:
    """Return all points of the map whose models were run, panel by panel."""
    places = itertools.product(ROWS, BATCHES, RATES, COSINES)
    settings = (replace(first, rows=rows, batch=batch, lr=lr, cosine=cosine) for rows, batch, lr, cosine in places)
    return [found for at in settings if (found := point(at, results))]
