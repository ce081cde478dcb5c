"""Steps on Arrow arrays that cost nothing where there is nothing to do: small tables are made of such steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def as_type(array: pa.Array, dtype: pa.DataType, *, safe: bool = True) -> pa.Array:
    """Return the array as another type; ``safe`` refuses what the type does not hold exactly."""
    return array if array.type == dtype else array.cast(dtype, safe=safe)


def filled(array: pa.Array, value: Any) -> np.ndarray:
    """Return the array for NumPy, with a value in the place of nulls; it may be read-only."""
    return (array.fill_null(value) if array.null_count else array).to_numpy(zero_copy_only=False)


def null_mask(array: pa.Array) -> np.ndarray:
    """Return where the array is null."""
    if array.null_count == 0:
        return np.zeros(len(array), dtype=bool)
    return array.is_null().to_numpy(zero_copy_only=False)


def nan_to_null(array: pa.Array) -> pa.Array:
    """Return a floating array with null in the place of NaN."""
    return pa.array(array.to_numpy(zero_copy_only=False), from_pandas=True)
