"""From a matrix or a data frame to a table with named columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.utils.validation import validate_data

from gatewise.data import read_table
from gatewise.errors import TableError


def is_frame(X: Any) -> bool:
    """Whether X has columns with names and types of their own: pandas, polars or pyarrow."""
    return isinstance(X, pa.Table) or (hasattr(X, "columns") and hasattr(X, "dtypes"))


def columns_of_frame(X: Any) -> list[Any]:
    """Return the names of a frame's columns, which in pandas may be numbers."""
    return list(X.column_names if isinstance(X, pa.Table) else X.columns)


def table_of(estimator: Any, X: Any, *, fitting: bool) -> pa.Table:
    """Return X as a table, after scikit-learn's checks of its shape and names.

    The columns of a matrix are called ``x0``, ``x1`` and so on. When predicting, columns have the names of the
    columns that stood at their place when fitting.

    Args:
        estimator: gets ``n_features_in_`` and, of a frame, ``feature_names_in_`` when fitting, and has both otherwise.
        X: ``[row, feature]``; NaN is a missing value.
        fitting: whether the estimator learns the names of columns.

    Raises:
        ValueError: X has no rows, other columns than when fitting, infinite numbers, or is not two-dimensional.
        TableError: a column holds values of a type that cannot be read; names it.
    """
    least = 2 if fitting else 1
    if not is_frame(X):
        matrix = _checked(estimator, X, fitting, least)
        return pa.table({name: _column(name, matrix[:, place]) for place, name in enumerate(_names(estimator))})
    validate_data(estimator, X, reset=fitting, skip_check_array=True)
    if X.shape[0] < least or X.shape[1] < 1:
        raise ValueError(f"X: expected {least} rows or more of one column or more, found the shape {tuple(X.shape)}")
    given = [str(name) for name in columns_of_frame(X)]
    table = read_table(X, given).select(given).rename_columns(_names(estimator))
    return pa.table({name: _finite(name, table.column(name)) for name in table.column_names})


def _names(estimator: Any) -> list[str]:
    named = getattr(estimator, "feature_names_in_", None)
    return [f"x{place}" for place in range(estimator.n_features_in_)] if named is None else [str(n) for n in named]


def _checked(estimator: Any, X: Any, fitting: bool, least: int) -> np.ndarray:
    """Return a matrix of numbers, or of objects where some column holds texts."""
    numeric = {"reset": fitting, "ensure_all_finite": "allow-nan", "ensure_min_samples": least}
    kind = getattr(getattr(X, "dtype", None), "kind", "")
    if kind not in ("O", "U", "S", "T"):
        return validate_data(estimator, X, dtype="numeric", **numeric)
    # a column of texts is categorical, which a check of the whole matrix as numbers would refuse
    return validate_data(estimator, X, dtype=object, **numeric | {"ensure_all_finite": False})


def _column(name: str, values: np.ndarray) -> pa.Array | pa.ChunkedArray:
    """Return a column of a matrix: numbers if all are, or else texts and other values as they are."""
    try:
        numbers = values.astype(np.float64)
    except ValueError:
        return read_table({name: [None if value != value else value for value in values.tolist()]}).column(name)
    if np.isinf(numbers).any():
        raise ValueError(f"X: feature {name!r} has infinity in row {int(np.isinf(numbers).argmax())}")
    return pa.array(numbers, from_pandas=True)


def _finite(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of a frame with null for NaN, as it means in scikit-learn."""
    if not pa.types.is_floating(column.type):
        return column
    numbers = column.to_numpy().astype(np.float64)
    if np.isinf(numbers).any():
        raise TableError(f"X: feature {name!r} has infinity in row {int(np.isinf(numbers).argmax())}")
    return pa.chunked_array([pa.array(numbers, from_pandas=True)])
