"""Hours, weekdays and dates of timestamps, as whole columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]

HOUR = 3600
DAY = 24 * HOUR
_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday


def hour_and_weekday(seconds: Whole) -> dict[str, Whole]:
    """Return ``hour``, 0 to 23, and ``weekday``, 0 (Monday) to 6, of seconds since 1970 in local time.

    Example:
        >>> {name: int(value[0]) for name, value in hour_and_weekday(np.array([951782400])).items()}
        {'hour': 0, 'weekday': 1}
    """
    return {"hour": seconds // HOUR % 24, "weekday": (seconds // DAY + _EPOCH_WEEKDAY) % 7}


def date_numbers(seconds: Whole) -> Whole:
    """Return dates as numbers such as 20220503.

    Example:
        >>> date_numbers(np.array([951782400])).tolist()
        [20000229]
    """
    day = (seconds // DAY).astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    year = month.astype("datetime64[Y]")
    parts = (year.astype(np.int64) + 1970, (month - year).astype(np.int64) + 1, (day - month).astype(np.int64) + 1)
    return parts[0] * 10_000 + parts[1] * 100 + parts[2]
