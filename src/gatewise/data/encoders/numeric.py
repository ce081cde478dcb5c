"""Numeric columns: standardised, logarithmic, by quantile, or cut into buckets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.values import LARGEST, as_numbers
from gatewise.declare import Numeric, PiecewiseLinear
from gatewise.layout import NULL, RESERVED_ROWS

KNOTS = 1001
UNIFORM_STD = 12**-0.5
SMALLEST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Numbers:
    """A column as float64 numbers and a mask of nulls."""

    values: np.ndarray
    missing: np.ndarray


class NumericEncoder:
    """Encodes numbers with what was learnt of the training table's.

    Attributes:
        mean, std: of the (logarithmic) training values.
        knots: the training values' quantiles, or the inner edges of the buckets.
        edges: of the bins of a piecewise linear embedding, among the encoded training values.
        has_null: whether the training table had nulls, so that the model has a column that says so.
    """

    def __init__(
        self,
        feature: Numeric,
        *,
        mean: float = 0.0,
        std: float = 1.0,
        knots: Any = (),
        edges: Any = (),
        has_null: bool = False,
    ) -> None:
        self.feature = feature
        self.mean, self.std, self.has_null = mean, std, has_null
        self.knots = np.asarray(knots, dtype=np.float64)
        self.edges = np.asarray(edges, dtype=np.float32)

    @staticmethod
    def prepare(column: pa.Array, purpose: str) -> Numbers:
        """Check a raw column and bring it to float64."""
        return Numbers(*as_numbers(column, purpose))

    @classmethod
    def fit(cls, feature: Numeric, numbers: Numbers) -> NumericEncoder:
        """Learn the transform and the bins from a training column; nulls are left out."""
        has_null = bool(numbers.missing.any())
        known = numbers.values[~numbers.missing] if has_null else numbers.values
        encoder = cls._fit_transform(feature, known, has_null)
        if isinstance(feature.embedding, PiecewiseLinear):
            encoder.edges = _bin_edges(encoder._encode_known(known), feature.embedding.bins)
        return encoder

    @classmethod
    def _fit_transform(cls, feature: Numeric, known: np.ndarray, has_null: bool) -> NumericEncoder:
        if len(known) == 0:
            return cls(feature, has_null=has_null, knots=[0.0])
        if feature.transform == "bucket":
            edges = np.quantile(known, np.linspace(0, 1, feature.buckets + 1)[1:-1])
            return cls(feature, knots=np.unique(edges), has_null=has_null)
        if feature.transform == "quantile":
            return cls(feature, knots=np.quantile(known, np.linspace(0, 1, KNOTS)), has_null=has_null)
        known = _signed_log(known) if feature.transform == "log" else known
        std = float(known.std())
        # a constant column has rounding noise for a deviation
        constant = std <= max(1e-12 * abs(float(known.mean())), SMALLEST)
        return cls(feature, mean=float(known.mean()), std=1.0 if constant else std, has_null=has_null)

    @property
    def rows(self) -> int:
        """Rows of the buckets' embedding table."""
        return len(self.knots) + 1 + RESERVED_ROWS

    def encode_column(self, column: pa.Array, purpose: str) -> np.ndarray:
        """Encode a raw column."""
        return self.encode(self.prepare(column, purpose))

    def encode(self, numbers: Numbers) -> np.ndarray:
        """Return ``[row]`` int32 ids for buckets, else ``[row, 1 or 2]`` float32 values and null flags."""
        if self.feature.transform == "bucket":
            bucket = np.searchsorted(self.knots, numbers.values, side="right") + RESERVED_ROWS
            return np.where(numbers.missing, NULL, bucket).astype(np.int32)
        scaled = self._encode_known(numbers.values)
        scaled[numbers.missing] = 0.0
        columns = scaled[:, np.newaxis]
        return np.column_stack([columns, numbers.missing]) if self.has_null else columns

    def _encode_known(self, values: np.ndarray) -> np.ndarray:
        scaled = self._scaled(values)
        return scaled.clip(-LARGEST, LARGEST, out=scaled).astype(np.float32)

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        if self.feature.transform == "quantile":
            return self._quantile(values)
        values = _signed_log(values) if self.feature.transform == "log" else values
        scaled: np.ndarray = (values - self.mean) / self.std
        return scaled

    def _quantile(self, values: np.ndarray) -> np.ndarray:
        return (np.interp(values, *self.levels) - 0.5) / UNIFORM_STD

    @cached_property
    def levels(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct knots and the level, from 0 to 1, at each; a value that fills several gets the middle of theirs."""
        levels = np.linspace(0, 1, len(self.knots)) if len(self.knots) > 1 else np.array([0.5])
        knots, start, count = np.unique(self.knots, return_index=True, return_counts=True)
        return knots, (levels[start] + levels[start + count - 1]) / 2

    def state(self) -> dict[str, Any]:
        """Return what was learnt as JSON values."""
        learnt = {"mean": self.mean, "std": self.std, "has_null": self.has_null}
        return learnt | {"knots": self.knots.tolist(), "edges": self.edges.tolist()}


def _bin_edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Return the float32 edges of equally filled bins, fewer where values repeat and one at least."""
    if len(values) == 0:
        return np.array([0, 1], np.float32)
    # NOTE[DIFF]: each edge is a value: one between two that are equal but for rounding makes a bin of next to no width
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1), method="nearest"))
    if len(edges) == 1:
        # one bin, so wide that its edges differ however large the constant is
        edges = np.array([edges[0], edges[0] + max(1, abs(edges[0]))], np.float32)
    return edges


def _signed_log(values: np.ndarray) -> np.ndarray:
    logs: np.ndarray = np.sign(values) * np.log1p(np.abs(values))
    return logs
