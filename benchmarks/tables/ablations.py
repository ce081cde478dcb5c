"""What each part of the default gains: the default beside the default less that part, on the same rows and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from tables.collection import HELD_OUT
from tables.summary import Found

DRAWS = 2000
"""Bootstrap samples of tables."""
LEVEL = 0.002
"""Means of tables that differ by less count as level."""


def gains(found: Mapping[str, Found], less: str, default: str = "default") -> dict[str, float]:
    """Return by table how much greater the default's metrics are than those of the default less a part: the mean."""
    return {
        name: fmean(scores[default] - scores[less] for scores in table.means.values()) for name, table in found.items()
    }


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean over tables, which are drawn anew with replacement."""
    rng = np.random.default_rng(0)
    drawn = np.asarray(values)[rng.integers(len(values), size=(DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def ablations(found: Mapping[str, Found], parts: Sequence[str]) -> str:
    """Return a table of what the default gains over itself less each part, with intervals over tables."""
    lines = [
        "| the default over itself with | tables of choices | better, level, worse | held out | better, level, worse |"
        " CPU seconds of the default, of it |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    halves = [[n for n in found if n not in HELD_OUT], [n for n in found if n in HELD_OUT]]
    for less in parts:
        cells = [less]
        for half in halves:
            cells += _cells(list(gains({name: found[name] for name in half}, less).values()))
        seconds = [sum(table.seconds[who] for table in found.values()) for who in ("default", less)]
        lines.append(f"| {' | '.join(cells)} | {seconds[0]:,.0f}, {seconds[1]:,.0f} |")
    return "\n".join(lines)


def _cells(values: Sequence[float]) -> list[str]:
    if not values:
        return ["-", "-"]
    low, high = interval(values)
    better, worse = sum(value > LEVEL for value in values), sum(value < -LEVEL for value in values)
    return [f"{fmean(values):+.4f} [{low:+.4f}, {high:+.4f}]", f"{better}, {len(values) - better - worse}, {worse}"]
