"""Metrics with intervals, of slices, and the reliability of probabilities as tables of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from gatewise.analysis.tables import ACROSS
from gatewise.grids import Grid, number

if TYPE_CHECKING:
    from gatewise.analysis.intervals import Estimates
    from gatewise.analysis.reliability import ReliabilityBin
    from gatewise.analysis.slices import Slice


def intervals_grids(found: Estimates) -> list[Grid]:
    """Return a table of one line per prediction and metric, with the ends of the interval."""
    rows = [
        ["" if place else output, name, *(number(value) for value in (each.value, each.low, each.high))]
        for output, values in found.items()
        for place, (name, each) in enumerate(values.items())
    ]
    first = next((each for values in found.values() for each in values.values()), None)
    note = "" if first is None else f"low, high: bootstrap intervals of {first.level:.0%}, {first.samples:,} resamples"
    return [Grid(["prediction", "metric", "value", "low", "high"], rows, note=note)] if rows else []


def slices_grids(found: Mapping[str, Sequence[Slice]]) -> list[Grid]:
    """Return tables of one line per slice for every prediction; many metrics are several tables."""
    return [grid for output, parts in found.items() for grid in _of_slices(output, parts)]


def _of_slices(output: str, parts: Sequence[Slice]) -> Iterator[Grid]:
    names = list(parts[0].metrics) if parts else []
    for start in range(0, len(names), ACROSS):
        chosen = names[start : start + ACROSS]
        rows = [
            [
                "" if place else column,
                part.value,
                f"{part.rows:,}",
                *(number(part.metrics[name]) for name in chosen),
            ]
            for column, members in groupby(parts, key=lambda part: part.column)
            for place, part in enumerate(members)
        ]
        yield Grid(["column", "slice", "rows", *chosen], rows, output)


def reliability_grids(found: Mapping[str, Sequence[ReliabilityBin]]) -> list[Grid]:
    """Return a table per probability, and per slice where there are slices: one line per bin."""
    grids = []
    for output, bins in found.items():
        for (column, value), members in groupby(bins, key=lambda each: (each.column, each.value)):
            where = "" if column is None else f", {column} {value}"
            rows = [
                [f"{each.rows:,}", *map(number, (each.prediction, each.share, each.low, each.high)), _off(each)]
                for each in members
            ]
            headings = ["rows", "prediction", "share of ones", "low", "high", ""]
            grids.append(Grid(headings, rows, f"{output}{where}: mean prediction and share of ones, by bin"))
    return grids


def _off(each: ReliabilityBin) -> str:
    """Return in a word where a mean prediction lies, if it is outside the interval of its share."""
    return "too low" if each.prediction < each.low else "too high" if each.prediction > each.high else ""
