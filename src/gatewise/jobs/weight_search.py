"""The search for an expression's weights, by Optuna."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from gatewise.declare import Fusion
from gatewise.errors import DeclarationError, MissingExtraError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import FloatDistribution

FACTOR = 10.0
"""By default a weight is searched from a tenth to ten times its value."""
DIGITS = 4
"""Digits of a candidate's weights, so that the written expression is exactly the judged one."""

Tried = tuple[float, ...] | None
"""The value of every goal, greater is better; None if any value is undefined."""


class Range(NamedTuple):
    """The range of a weight, from low to high; searched by ratio, or evenly if 0 lies between."""

    low: float
    high: float

    def distribution(self) -> FloatDistribution:
        """Return Optuna's distribution of the range; a negative range without its sign."""
        from optuna.distributions import FloatDistribution

        if self.low <= 0 <= self.high:
            return FloatDistribution(self.low, self.high)
        low, high = sorted((abs(self.low), abs(self.high)))
        return FloatDistribution(low, high, log=True)

    def weight(self, drawn: float) -> float:
        """Return the weight of a drawn value, rounded to a few digits."""
        signed = -drawn if self.high < 0 else drawn
        return min(max(float(f"{signed:.{DIGITS}g}"), self.low), self.high)

    def drawn(self, weight: float) -> float:
        """Return the drawn value of a weight."""
        return -weight if self.high < 0 else weight


def ranges_of(fusion: Fusion, given: Mapping[int, tuple[float, float]]) -> dict[int, Range]:
    """Return the range of every weight, by position from 0; both ends of a fixed weight are equal.

    Raises:
        DeclarationError: a range is that of no weight or not valid, or all weights are fixed.
    """
    weights = fusion.weights
    for place, (low, high) in given.items():
        if not 1 <= place <= len(weights):
            raise DeclarationError(f"range of weight {place}: expected 1 to {len(weights)}, the weights of {fusion}")
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise DeclarationError(f"range of weight {place}: expected LOW:HIGH, found {low:g}:{high:g}")
    found = {position: Range(*given.get(position + 1, _around(weight))) for position, weight in enumerate(weights)}
    if all(low == high for low, high in found.values()):
        raise DeclarationError(f"fuse: expected a weight to look for, such as in 2 * click + 3 * buy, found {fusion}")
    return found


def _around(weight: float) -> tuple[float, float]:
    low, high = sorted((weight / FACTOR, weight * FACTOR))
    return low, high


def search(
    fusion: Fusion,
    values: tuple[float, ...],
    judge: Callable[[Fusion], Tried],
    ranges: Mapping[int, Range],
    trials: int,
    seed: int,
    tell: Callable[[int, float | None], None],
) -> bool:
    """Search for weights of an expression; return whether Ctrl-C ended the search.

    Args:
        fusion: the expression, with the weights to start from.
        values: the goals' values for these weights.
        judge: returns the goals' values of a candidate.
        ranges: the range of every weight.
        trials: the number of candidates.
        seed: of the draws.
        tell: receives the number of candidates left, and the estimated seconds.
    """
    if not trials:
        return False
    began = time.monotonic()
    with _study(len(values), seed) as study:
        free = {str(position): each.distribution() for position, each in ranges.items() if each.low < each.high}
        _start(study, fusion, values, ranges, free)
        try:
            for done in range(1, trials + 1):
                _step(study, fusion, judge, ranges, free)
                tell(trials - done, (time.monotonic() - began) / done * (trials - done))
        except KeyboardInterrupt:
            return True
    return False


def _start(
    study: Study,
    fusion: Fusion,
    values: tuple[float, ...],
    ranges: Mapping[int, Range],
    free: dict[str, FloatDistribution],
) -> None:
    """Add the current weights to the study, if they lie within the ranges."""
    from optuna.trial import create_trial

    drawn = {name: ranges[int(name)].drawn(fusion.weights[int(name)]) for name in free}
    if all(each.low <= drawn[name] <= each.high for name, each in free.items()):
        study.add_trial(create_trial(params=drawn, distributions=dict(free), values=values))


def _step(
    study: Study,
    fusion: Fusion,
    judge: Callable[[Fusion], Tried],
    ranges: Mapping[int, Range],
    free: dict[str, FloatDistribution],
) -> None:
    from optuna.trial import TrialState

    trial = study.ask(dict(free))
    weights = [each.weight(trial.params.get(str(position), each.drawn(each.low))) for position, each in ranges.items()]
    values = judge(fusion.with_weights(weights))
    if values is None:
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, values)


def import_optuna() -> Any:
    """Return the module Optuna.

    Raises:
        MissingExtraError: Optuna is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError:
        raise MissingExtraError("tune", "looking for the weights of a fusion") from None
    return optuna


@contextmanager
def _study(goals: int, seed: int) -> Iterator[Study]:
    """Yield a study whose log is silent."""
    optuna = import_optuna()
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield optuna.create_study(directions=["maximize"] * goals, sampler=optuna.samplers.TPESampler(seed=seed))
    finally:
        optuna.logging.set_verbosity(verbosity)
