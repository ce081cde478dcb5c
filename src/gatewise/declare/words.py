"""Declarations in a few words, for printing and for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gatewise.declare.base import to_dict
from gatewise.errors import shown
from gatewise.grids import Grid

FIRST = 5
"""Most names of features or tasks in one line."""
MOST = 100
"""Most lines of a table."""
SAID = ("name", "kind", "column")
"""Options that have a column of their own."""


def line_of(features: Sequence[Any], tasks: Sequence[Any]) -> str:
    """Return one line about features and tasks: their number and the first names."""
    count = "1 feature" if len(features) == 1 else f"{len(features)} features"
    return f"{count}: {shown((f.name for f in features), FIRST)}; tasks: {shown((t.name for t in tasks), FIRST)}"


def declared_grid(headings: Sequence[str], declared: Sequence[tuple[Any, Sequence[str]]], note: str = "") -> Grid:
    """Return a table of declarations: name, kind, columns that are read, and the options that were given.

    Args:
        headings: of the four columns.
        declared: declarations, each with its columns.
        note: a line below.
    """
    rows = [[each.name, each.kind, ", ".join(columns), _given(each)] for each, columns in declared[:MOST]]
    rest = f"and {len(declared) - MOST:,} more" if len(declared) > MOST else ""
    return Grid(headings, rows, note="; ".join(filter(None, [rest, note])))


def _given(declared: Any) -> str:
    options = to_dict(declared, defaults=False)
    return ", ".join(f"{name}={value!r}" for name, value in options.items() if name not in SAID)
