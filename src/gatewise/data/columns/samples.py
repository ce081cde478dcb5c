"""What kinds of features draw made-up values with."""

from __future__ import annotations

from typing import Any

import numpy as np

NULLS = 0.1
"""Share of made-up values that are null."""
LONGEST = 12
"""Length of made-up lists whose declaration allows any."""


def with_nulls(values: list[Any], rng: np.random.Generator) -> list[Any]:
    """Return the values with None in the place of some."""
    return [None if null else value for value, null in zip(values, rng.random(len(values)) < NULLS, strict=True)]
