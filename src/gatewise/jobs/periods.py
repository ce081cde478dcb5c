"""The periods of a recipe's tables, where it splits them by time."""

from __future__ import annotations

import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gatewise.declare import Data
from gatewise.jobs.tables import Tables

SINCE, UNTIL = 315_532_800, 4_102_444_800
"""Seconds from 1970 to 1980 and to 2100: whole numbers between them are shown as days; 20240131 is not among them."""


def periods_of(data: Data, tables: Tables) -> dict[str, tuple[str, str]]:
    """Return the earliest and the latest time of every part as text; empty where no time column is known."""
    time = None if data.split is None else data.split.time
    parts = {"training": tables.train, "validation": tables.valid, "test": tables.test}
    if time is None:
        return {}
    return {name: _period(part[time]) for name, part in parts.items() if isinstance(part, pa.Table)}


def periods_in_words(data: Data, tables: Tables) -> str:
    """Return one line with the period of every part; without a time column no text."""
    parts = [f"{part} {first} to {last}" for part, (first, last) in periods_of(data, tables).items()]
    return f"split by {data.split.time}: {', '.join(parts)}" if data.split is not None and parts else ""


def _period(times: pa.ChunkedArray) -> tuple[str, str]:
    ends = pc.min_max(times)
    return _as_text(ends["min"].as_py()), _as_text(ends["max"].as_py())


def _as_text(time: Any) -> str:
    """Return a time as text; a whole number that can only be seconds or milliseconds since 1970 as its day."""
    if isinstance(time, int):
        for unit in (1, 1000):
            if SINCE <= time / unit < UNTIL:
                return f"{datetime.datetime.fromtimestamp(time / unit, datetime.UTC):%Y-%m-%d}"
    return str(time)
