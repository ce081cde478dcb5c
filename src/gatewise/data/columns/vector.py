"""Vector columns: a fixed number of floats per row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import TypedDict, override

from gatewise.data.absorbed import State
from gatewise.data.arrays import null_mask
from gatewise.data.columns.column import FeatureColumn
from gatewise.data.columns.description import Description
from gatewise.data.columns.samples import with_nulls
from gatewise.data.layouts import LayoutBuilder
from gatewise.data.plain_types import is_list
from gatewise.data.saved import STRICT
from gatewise.data.values import as_numbers
from gatewise.declare import Vector
from gatewise.errors import TableError


class VectorState(TypedDict):
    """The saved state of a vector column."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    has_null: bool


class VectorColumn(FeatureColumn[Vector, np.ndarray]):
    """A column of vectors, passed on unchanged; a null gives zeros and a flag.

    Attributes:
        has_null: whether the training table had nulls; the model then has a column with null flags.
    """

    state_type = VectorState

    def __init__(self, feature: Vector) -> None:
        super().__init__(feature)
        self.has_null = False

    @override
    def prepare(self, column: pa.Array) -> np.ndarray:
        """Return ``[row, size + 1]`` float64 numbers; the last column flags nulls.

        Raises:
            TableError: not a list column, a list of another length, or null, NaN or infinity inside a list.
        """
        feature, purpose = self.feature, self.purpose
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

    @override
    def absorb(self, prepared: np.ndarray) -> None:
        """Note whether the piece has nulls."""
        self.has_null |= bool(prepared[:, -1].any())

    @override
    def absorbed(self) -> State:
        return {"has_null": self.has_null}

    @override
    def merge(self, absorbed: State) -> None:
        self.has_null |= bool(absorbed["has_null"])

    @override
    def encode(self, prepared: np.ndarray) -> np.ndarray:
        """Return ``[row, size or size + 1]`` float32."""
        return (prepared if self.has_null else prepared[:, :-1]).astype(np.float32)

    @override
    def lay_out(self, layout: LayoutBuilder) -> None:
        """Add one float column per number, and a flag if there were nulls."""
        flag = [f"{self.name} is null"] if self.has_null else []
        layout.floats(self.name, [*(f"{self.name}[{i}]" for i in range(self.feature.size)), *flag])

    @override
    def description(self) -> Description:
        """Return a list of zeros."""
        return Description("list", "float64", (self.feature.size,), [0.0] * self.feature.size)

    @override
    def sample(self, rows: int, rng: np.random.Generator) -> list[Any]:
        """Return vectors of normal numbers."""
        return with_nulls(rng.normal(size=(rows, self.feature.size)).tolist(), rng)

    @override
    def state(self) -> dict[str, Any]:
        """Return the learnt state as JSON values."""
        return {"has_null": self.has_null}

    @override
    def restore(self, state: dict[str, Any]) -> None:
        """Restore a saved :meth:`state`."""
        self.has_null = state["has_null"]
