"""From ranges of options to what Optuna draws from, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gatewise.declare import Between, Range

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

DIGITS = 4
"""Digits of a drawn number, so that the written recipe holds what was tried."""


def distribution(given: Range) -> BaseDistribution:
    """Return Optuna's distribution of a range; values of any type are drawn as JSON."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(given, Between):
        return CategoricalDistribution([json.dumps(value) for value in given.values])
    if given.whole:
        return IntDistribution(int(given.low), int(given.high), log=given.log)
    return FloatDistribution(given.low, given.high, log=given.log)


def encoded(given: Range, value: Any) -> Any:
    """Return what would have been drawn for an option's value; None: it is not in the range."""
    if not isinstance(given, Between):
        return json.dumps(value) if value in given.values else None
    if isinstance(value, (bool, str)) or value is None or isinstance(value, list):
        return None
    return value if given.low <= value <= given.high and (not given.whole or value == int(value)) else None


def decoded(given: Range, drawn: Any) -> Any:
    """Return the option's value of what was drawn; numbers are rounded to a few digits, within the range."""
    if not isinstance(given, Between):
        return json.loads(drawn)
    if given.whole:
        return int(drawn)
    return min(max(float(f"{drawn:.{DIGITS}g}"), given.low), given.high)
