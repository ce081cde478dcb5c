"""y as named columns."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import check_array

from gatewise.data import read_table
from gatewise.sklearn.inputs import columns_of_frame, is_frame


class Targets(NamedTuple):
    """The columns of y.

    Attributes:
        names: their names: those of a frame or a series, or else ``y``, or ``y0``, ``y1`` and so on.
        values: per target an array ``[row]``.
        flat: whether y has one dimension, as predictions then have.
    """

    names: list[str]
    values: list[np.ndarray]
    flat: bool


def targets_of(estimator: Any, y: Any, taken: list[str], *, numeric: bool) -> Targets:
    """Return y after scikit-learn's checks; one column of a matrix is taken for a vector, with a warning.

    Args:
        estimator: named in errors.
        y: ``[row]`` or ``[row, target]``, without missing values.
        taken: names that no target can have, those of X.
        numeric: whether y is converted to numbers.

    Raises:
        ValueError: y is absent, empty, of more than two dimensions, or has missing or infinite values.
    """
    refuse_none(estimator, y)
    dtype = np.float64 if numeric else None
    values = check_array(y, ensure_2d=False, dtype=dtype, ensure_min_samples=1, input_name="y", estimator=estimator)
    if values.ndim == 2 and values.shape[1] == 1:
        text = "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples,)"
        warnings.warn(text, DataConversionWarning, stacklevel=4)
        values = values[:, 0]
    flat = values.ndim == 1
    wide = values[:, np.newaxis] if flat else values
    names = names_of(y, wide.shape[1], taken)
    return Targets(names, [_of_one_type(name, column) for name, column in zip(names, wide.T, strict=True)], flat)


def labels_of(estimator: Any, y: Any, taken: list[str]) -> tuple[pa.Table, bool]:
    """Return y as a table whose columns keep their types, and whether y has one dimension.

    Missing values mean: not in this task's sample.

    Raises:
        ValueError: y is absent or empty.
        TableError: a column cannot be read; names it.
    """
    refuse_none(estimator, y)
    if is_frame(y):
        given = [str(name) for name in columns_of_frame(y)]
        return read_table(y, given).select(given).rename_columns(names_of(y, len(given), taken)), False
    options = {"ensure_2d": False, "ensure_all_finite": False, "input_name": "y", "estimator": estimator}
    values = check_array(y, dtype=None, **options)
    wide = values[:, np.newaxis] if values.ndim == 1 else values
    return read_table(dict(zip(names_of(y, wide.shape[1], taken), wide.T, strict=True))), values.ndim == 1


def refuse_none(estimator: Any, y: Any) -> None:
    """Refuse an absent y in scikit-learn's words.

    Raises:
        ValueError: y is None.
    """
    if y is None:
        found = "requires y to be passed, but the target y is None"
        raise ValueError(f"This {type(estimator).__name__} estimator {found}.")


def names_of(y: Any, count: int, taken: list[str]) -> list[str]:
    """Return names of y's columns, which no column of X has."""
    own = [getattr(y, "name", None)] if count == 1 else [None] * count
    named = columns_of_frame(y) if is_frame(y) else own
    names: list[str] = []
    for place, name in enumerate(named):
        plain = name if isinstance(name, str) and name else "y" if count == 1 else f"y{place}"
        names.append(free_name(plain, [*taken, *names]))
    return names


def free_name(name: str, taken: Collection[str]) -> str:
    """Return a name that is not taken: the name itself, or with underscores behind."""
    while name in taken:
        name += "_"
    return name


def _of_one_type(name: str, values: np.ndarray) -> np.ndarray:
    """Return values of objects as an array of their type, such as a column of a frame of texts and numbers.

    Raises:
        ValueError: a value is missing; names the row.
    """
    if values.dtype != object:
        return values
    listed = values.tolist()
    for row, value in enumerate(listed):
        if value is None or value != value:
            raise ValueError(f"y: target {name!r} has a missing value in row {row}: leave such rows out")
    return np.array(listed) if len({type(value) for value in listed}) == 1 else values
