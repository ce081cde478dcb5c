"""The map in words: every figure in the sentences is counted in the results."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterable, Sequence

from models import KINDS
from points import Point
from published import distance
from setting import Setting
from summary import FAILED

NAMES = {"mmoe": "MMoE", "omoe": "OMoE", "shared_bottom": "shared bottom"}
CLOSE = 0.02
MMOE, OMOE, SHARED = range(len(KINDS))


def reading(points: Sequence[Point]) -> str:
    """Return paragraphs on what differs where."""
    if not points:
        return "No point of the map was run with all models."
    fresh, repeated = ([point for point in points if (point.at.rows is None) is wanted] for wanted in (True, False))
    return "\n".join(f"- {text}" for text in (_failures(points, fresh), *_orders(fresh, repeated), _like_paper(points)))


def _failures(points: Sequence[Point], fresh: Sequence[Point]) -> str:
    shares = ", ".join(f"{_share(fresh, place):.0f} % of {NAMES[kind]}" for place, kind in enumerate(KINDS))
    never = sum(all(summary.failed == 0 for summary in point.found) for point in points)
    always = sum(all(summary.failed == len(summary.losses) for summary in point.found) for point in points)
    return (
        f"**How often runs fail.** At {never} of {len(points)} points no run of any model ends above {FAILED}, at "
        f"{always} every run of all three does. With fresh rows these runs fail: {shares}."
    )


def _share(points: Sequence[Point], place: int) -> float:
    losses = [loss for point in points for loss in point.found[place].losses]
    return 100 * sum(loss > FAILED for loss in losses) / max(len(losses), 1)


def _orders(fresh: Sequence[Point], repeated: Sequence[Point]) -> list[str]:
    close = [point for point in fresh if point.spread < CLOSE]
    best, turned = (lambda point: point.best == MMOE), (lambda point: point.best == SHARED)
    ahead = [point for point in fresh if point.found[MMOE].below(point.found[SHARED])]
    lines = [
        f"**Where nothing differs.** At {len(close)} of {len(fresh)} points with fresh rows the three means lie within "
        f"{CLOSE} of one another: {_places(close)}.",
        f"**Where MMoE is ahead.** With fresh rows its mean is below shared bottom's by more than both errors at "
        f"{len(ahead)} of {len(fresh)} points, and the lowest of the three at {_count(fresh, best)}: "
        f"{_places(filter(best, fresh))}. OMoE is the lowest at {_count(fresh, lambda point: point.best == OMOE)}.",
    ]
    if repeated:
        lines.append(
            f"**Where the order turns round.** Where rows are repeated shared bottom is the lowest at "
            f"{_count(repeated, turned)}, MMoE at {_count(repeated, best)}; with fresh rows shared bottom is the "
            f"lowest at {_count(fresh, turned)}. {_passes(repeated)}"
        )
    return lines


def _passes(repeated: Sequence[Point]) -> str:
    seen = sorted({point.at.steps * point.at.batch / (point.at.rows or 1) for point in repeated})
    return f"A row is seen {' or '.join(f'{times:.0f}' for times in seen)} times there."


def _like_paper(points: Sequence[Point]) -> str:
    def training(point: Point) -> tuple[int, int, float]:
        return point.at.rows or 0, point.at.batch, point.at.lr

    groups = [list(group) for _, group in itertools.groupby(points, training)]
    nearest = min(groups, key=lambda group: distance(group).share)
    found, at = distance(nearest), nearest[0].at
    around = [group for group in groups if (group[0].at.rows, group[0].at.batch) == (at.rows, at.batch)]
    failing = ", ".join(f"{_failed(group):.0f} % at {group[0].at.lr:g}" for group in around)
    return (
        f"**What looks like the paper.** Shares of failed runs are nearest to the published ones with {place(at)}: in "
        f"the mean over models and cosines {found.share:.0f} percentage points apart, and the mean losses a factor of "
        f"{found.factor:.2f}. The region is narrow; by the rate alone, of all models' runs fail {failing}."
    )


def _failed(points: Sequence[Point]) -> float:
    return statistics.mean(_share(points, position) for position in range(len(KINDS)))


def _count(points: Sequence[Point], holds: Callable[[Point], bool]) -> str:
    return f"{sum(map(holds, points))} of {len(points)}"


def _places(points: Iterable[Point]) -> str:
    """Name points, those that differ in the cosine alone together."""
    groups = itertools.groupby(points, lambda point: place(point.at))
    named = [f"{name} (cosine {', '.join(f'{point.at.cosine:g}' for point in group)})" for name, group in groups]
    return "; ".join(named) or "none"


def place(at: Setting) -> str:
    """Name a setting, but for its model and cosine."""
    data = "" if at.rows is None else f", {at.rows:,} rows"
    return f"batches of {at.batch} at rate {at.lr:g}{data}"
