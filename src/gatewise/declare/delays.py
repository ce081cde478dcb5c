"""Delays of labels: texts such as ``3d``, or numbers in the unit of a column of times."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any

from pydantic import BeforeValidator

SECONDS = {"s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
"""Seconds of every unit."""
FORM = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h|d|w)")


def _delay(value: Any) -> Any:
    if isinstance(value, datetime.timedelta):
        value = f"{value.total_seconds():g}s"
    if isinstance(value, str):
        match = FORM.fullmatch(value.strip())
        if match is None or not float(match[1]) > 0:
            raise ValueError(f"expected a number above 0 and one of s, min, h, d and w, such as '3d', found {value!r}")
        return match[1] + match[2]
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError(f"expected a text such as '3d', or a number above 0 in the unit of 'time', found {value!r}")
    return value


Delay = Annotated[str | float, BeforeValidator(_delay)]
"""A length of time above 0: ``30min``, ``12h``, ``3d``, ``1w``; or a number, for a column of times that are numbers."""

Instant = int | float | str | datetime.date
"""A moment: a date, a time, a text such as ``2026-05-04 12:00``, or a number of the unit of a column of times."""


def length_of(delay: str | float) -> float:
    """Return a delay in seconds; a number stays as it is.

    Example:
        >>> length_of("3d"), length_of(40)
        (259200.0, 40.0)
    """
    if not isinstance(delay, str):
        return float(delay)
    match = FORM.fullmatch(delay)
    assert match is not None
    return float(match[1]) * SECONDS[match[2]]
