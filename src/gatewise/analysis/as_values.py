"""From results to JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def json_values(value: Any) -> Any:
    """Return a result as JSON values: named tuples as mappings, arrays as lists, numbers that are not finite as None.

    Example:
        >>> from gatewise.analysis import Problem
        >>> json_values(Problem("dead expert", "experts", ("expert 1",), "expert 1 is dead", "fewer experts"))["who"]
        ['expert 1']
        >>> json_values({"cka": np.array([[1.0, np.nan]])})
        {'cka': [[1.0, None]]}
    """
    if isinstance(value, np.ndarray):
        return json_values(value.tolist())
    if isinstance(value, np.generic):
        return json_values(value.item())
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return json_values(value._asdict())
    if isinstance(value, Mapping):
        return {str(name): json_values(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_values(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
