"""Numbers as cells of tables."""

from __future__ import annotations

import math


def defined(value: float | None) -> float | None:
    """Return a number, or None if it is undefined."""
    return None if value is None or math.isnan(value) else float(value)
