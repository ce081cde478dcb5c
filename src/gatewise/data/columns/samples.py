"""Helpers for made-up values."""

from __future__ import annotations

from typing import Any

import numpy as np

NULLS = 0.1
"""Share of made-up values that are null."""
LONGEST = 12
"""Largest length of made-up lists without a declared length."""


def with_nulls(values: list[Any], rng: np.random.Generator) -> list[Any]:
    """Return the values, some of them replaced by None."""
    return [None if null else value for value, null in zip(values, rng.random(len(values)) < NULLS, strict=True)]
