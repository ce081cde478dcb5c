"""Ways of learning day after day beside each other: means over days, and which way to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gatewise.analysis.main_metrics import AnyMetric

Daily = Mapping[str, Mapping[str, Sequence[float | None]]]
"""By strategy and output, the output's metric on every judged day; None: undefined on that day."""
FEW_DAYS = 5
"""Judged days below which an advice says that they are few."""
NOTICED, LARGE = 0.001, 0.005
"""Losses that count: the first where it is beyond chance, the second in any case; of errors, shares of the error."""


class OverDays(NamedTuple):
    """A mean over days.

    Attributes:
        mean: the mean; None: no day has a value.
        low, high: the ends of its interval over days drawn anew with replacement; None: fewer than two days.
        days: the number of days with a value.
    """

    mean: float | None
    low: float | None
    high: float | None
    days: int


class Advice(NamedTuple):
    """Which strategy to use.

    Attributes:
        strategy: its name.
        sentence: the same with the reason, one sentence.
    """

    strategy: str
    sentence: str


def over_days(
    values: Sequence[float | None],
    beside: Sequence[float | None] | None = None,
    *,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> OverDays:
    """Return the mean over days of a metric, or of what it is above that of another strategy on the same days.

    Args:
        values: by day; None: undefined.
        beside: the other strategy's, which are subtracted day by day.
        samples: the number of resamples of days.
        level: the level of the interval.
        seed: of the draws.

    Example:
        >>> over_days([0.7, 0.8, None]).mean, over_days([0.7, 0.8], [0.6, 0.6]).days
        (0.75, 2)
    """
    found = np.array(values, dtype=np.float64)
    if beside is not None:
        found = found - np.array(beside, dtype=np.float64)
    known = found[~np.isnan(found)]
    if not len(known):
        return OverDays(None, None, None, 0)
    if len(known) == 1:
        return OverDays(float(known[0]), None, None, 1)
    drawn = np.random.default_rng(seed).integers(0, len(known), (samples, len(known)))
    low, high = np.quantile(known[drawn].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return OverDays(float(known.mean()), float(low), float(high), len(known))


def advise(daily: Daily, cost: Mapping[str, float], metrics: Mapping[str, AnyMetric]) -> Advice:
    """Return which strategy to use: the cheapest of those that are nowhere clearly worse than the best one.

    A strategy is clearly worse on an output if it loses 0.005 of its metric to the best strategy, or 0.001 and beyond
    chance over the days; of an error, such as RMSE, these shares of it. If every strategy is clearly worse somewhere,
    it is the one that is so on the fewest outputs.

    Args:
        daily: what was judged.
        cost: CPU seconds of learning, by strategy.
        metrics: of every output, the one it is judged by.
    """
    best = {output: _best(daily, output, metric) for output, metric in metrics.items()}
    lost = {name: _losses(daily, name, best, metrics) for name in daily}
    fine = [name for name, losses in lost.items() if not losses]
    chosen = min(fine or daily, key=lambda name: (len(lost[name]), cost[name], sum(lost[name].values())))
    days = max((len(values) for found in daily.values() for values in found.values()), default=0)
    few = f"; {days} judged days say little, take {FEW_DAYS} or more" if days < FEW_DAYS else ""
    reason = _reason(fine, lost[chosen], best) + _cheaper(chosen, cost)
    return Advice(chosen, f"Use {chosen}: over {days} judged day{'s' if days != 1 else ''} {reason}{few}.")


def _reason(fine: Sequence[str], lost: Mapping[str, float], best: Mapping[str, str]) -> str:
    if not lost:
        alone = "it alone is" if len(fine) == 1 else "it is"
        return f"{alone} nowhere clearly worse than the best"
    others = ", ".join(f"{output}, where {best[output]} is better by {loss:.4f}" for output, loss in lost.items())
    return f"it is clearly worse than the best on the fewest predictions: {others}"


def _cheaper(chosen: str, cost: Mapping[str, float]) -> str:
    dearest = max(cost, key=lambda name: cost[name])
    if dearest == chosen or not cost[dearest]:
        return ""
    return f", at {cost[chosen] / cost[dearest]:.0%} of the CPU time of {dearest}"


def _best(daily: Daily, output: str, metric: AnyMetric) -> str:
    def score(name: str) -> float:
        mean = over_days(daily[name][output]).mean
        return -np.inf if mean is None else _sign(metric) * mean

    return max(daily, key=score)


def _sign(metric: AnyMetric) -> float:
    return -1.0 if metric.greater_is_better is False else 1.0


def _losses(daily: Daily, name: str, best: Mapping[str, str], metrics: Mapping[str, AnyMetric]) -> dict[str, float]:
    """Return by how much a strategy's metric is worse than the best one's, of the outputs where that counts."""
    found = {}
    for output, metric in metrics.items():
        values, reference = daily[name][output], daily[best[output]][output]
        change = over_days(values, reference)
        loss = -_sign(metric) * (change.mean or 0.0)
        beyond = change.low is not None and change.high is not None and not change.low <= 0 <= change.high
        unit = abs(over_days(reference).mean or 1.0) if metric.greater_is_better is False else 1.0
        if loss > LARGE * unit or (beyond and loss > NOTICED * unit):
            found[output] = loss
    return found
