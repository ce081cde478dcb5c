"""Times as seconds since 1970: of timestamps, dates, texts, and numbers that count seconds or write a date."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.plain_types import is_string

DAY = 86_400.0
TRIED = 100
"""Texts that are tried before all are read as times."""
SECONDS = (5e8, 4e9)
"""Seconds since 1970 of the years 1985 to 2096; milliseconds and smaller units are told by their size."""
UNITS = (1.0, 1e3, 1e6, 1e9)
DATES = (19_000_101, 21_001_231)
"""Dates that are written as a number, such as 20220503."""
YEARS = (1900, 2100)


def seconds_of(values: pa.Array) -> np.ndarray | None:
    """Return times as float64 seconds since 1970, NaN for null; None for texts that are not times."""
    if is_string(values.type):
        texts = values.drop_null()
        if not len(texts) or _cast(texts.slice(0, TRIED)) is None:
            return None
        times = _cast(values)
        if times is None:
            return None
        values = times
    if pa.types.is_date(values.type):
        values = values.cast(pa.date32()).cast(pa.timestamp("s"))
    counted = values.cast(pa.timestamp("us", tz=getattr(values.type, "tz", None)), safe=False).cast(pa.int64())
    return counted.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False) / 1e6


def _cast(texts: pa.Array) -> pa.Array | None:
    """Return texts such as 2024-05-01 12:30:00 as times; None where one is not such a text."""
    if not bool(pc.all(pc.match_substring_regex(texts, r"^\d{4}-\d\d-\d\d")).as_py()):
        return None
    for zone in (None, "UTC"):
        try:
            return texts.cast(pa.timestamp("us", tz=zone))
        except pa.ArrowInvalid:
            continue
    return None


def seconds_of_numbers(numbers: np.ndarray) -> np.ndarray | None:
    """Return whole numbers that count seconds (or milli-, micro-, nanoseconds) or write dates as seconds; else None.

    Args:
        numbers: ``[row]``, NaN for null.
    """
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return None
    least, greatest = float(known.min()), float(known.max())
    if DATES[0] <= least and greatest <= DATES[1]:
        return _of_dates(numbers)
    for unit in UNITS:
        if SECONDS[0] * unit <= least and greatest <= SECONDS[1] * unit:
            return numbers / unit
    return None


def is_a_year(numbers: np.ndarray) -> bool:
    """Whether all numbers are years between 1900 and 2100."""
    known = numbers[~np.isnan(numbers)]
    return bool(len(known)) and bool(YEARS[0] <= known.min() and known.max() <= YEARS[1])


def _of_dates(numbers: np.ndarray) -> np.ndarray | None:
    null = np.isnan(numbers)
    dates = np.where(null, 19_700_101, numbers).astype(np.int64)
    year, month, day = dates // 10_000, dates // 100 % 100, dates % 100
    if not bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all()):
        return None
    months = (year - 1970) * 12 + month - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1
    return np.where(null, np.nan, days * DAY)
