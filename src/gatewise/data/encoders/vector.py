"""Vector columns: a fixed number of floats a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.arrays import null_mask
from gatewise.data.plain_types import is_list
from gatewise.data.values import as_numbers
from gatewise.declare import Vector
from gatewise.errors import TableError


class VectorEncoder:
    """Passes vectors on as they are, zeros and a flag where there is none.

    Attributes:
        has_null: whether the training table had nulls, so that the model has a column that says so.
    """

    def __init__(self, feature: Vector, *, has_null: bool = False) -> None:
        self.feature = feature
        self.has_null = has_null

    @staticmethod
    def prepare(feature: Vector, column: pa.Array, purpose: str) -> np.ndarray:
        """Return ``[row, size + 1]`` float64 numbers, the last column flagging nulls.

        Raises:
            TableError: no list column, a list of another length, a null, NaN or infinity inside a list.
        """
        if not is_list(column.type) and not pa.types.is_null(column.type):
            raise TableError(f"{purpose}: expected lists of {feature.size} numbers, found {column.type}")
        missing = null_mask(column)
        present = column.drop_null()
        matrix = np.zeros((len(column), feature.size + 1))
        matrix[:, -1] = missing
        if len(present):
            row_of = np.flatnonzero(~missing)
            lengths = pc.list_value_length(present).to_numpy(zero_copy_only=False)
            wrong = np.flatnonzero(lengths != feature.size)
            if len(wrong):
                found = f"{lengths[wrong[0]]} numbers in row {row_of[wrong[0]]}"
                raise TableError(f"{purpose}: found {found}, expected {feature.size}")
            numbers, nulls = as_numbers(
                present.flatten(), f"{purpose}, an item", lambda item: int(row_of[item // feature.size])
            )
            if nulls.any():
                found = f"a null in the list of row {row_of[np.argmax(nulls) // feature.size]}"
                raise TableError(f"{purpose}: found {found}, expected {feature.size} numbers")
            matrix[~missing, :-1] = numbers.reshape(-1, feature.size)
        return matrix

    @classmethod
    def fit(cls, feature: Vector, matrix: np.ndarray) -> VectorEncoder:
        """Learn whether there are nulls."""
        return cls(feature, has_null=bool(matrix[:, -1].any()))

    def encode_column(self, column: pa.Array, purpose: str) -> np.ndarray:
        """Encode a raw column."""
        return self.encode(self.prepare(self.feature, column, purpose))

    def encode(self, matrix: np.ndarray) -> np.ndarray:
        """Return ``[row, size or size + 1]`` float32."""
        return (matrix if self.has_null else matrix[:, :-1]).astype(np.float32)

    def state(self) -> dict[str, Any]:
        """Return what was learnt as JSON values."""
        return {"has_null": self.has_null}
