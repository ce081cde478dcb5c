"""Operations on Arrow arrays that return at once if there is nothing to do, for speed on small tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def as_type(array: pa.Array, dtype: pa.DataType, *, safe: bool = True) -> pa.Array:
    """Return the array as another type; ``safe`` refuses values that the type does not hold exactly."""
    return array if array.type == dtype else array.cast(dtype, safe=safe)


def filled(array: pa.Array, value: Any) -> np.ndarray:
    """Return the array for NumPy, with ``value`` in place of nulls; the result may be read-only."""
    return (array.fill_null(value) if array.null_count else array).to_numpy(zero_copy_only=False)


def null_mask(array: pa.Array) -> np.ndarray:
    """Return the mask of nulls."""
    if array.null_count == 0:
        return np.zeros(len(array), dtype=bool)
    return array.is_null().to_numpy(zero_copy_only=False)


def nan_to_null(array: pa.Array) -> pa.Array:
    """Return a floating array with null in place of NaN."""
    return pa.array(array.to_numpy(zero_copy_only=False), from_pandas=True)
