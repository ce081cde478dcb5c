"""Numeric columns: standardised, logarithmic, by quantile, as they are, or cut into buckets."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from typing_extensions import TypedDict, override

from gatewise.data.absorbed import State
from gatewise.data.columns.column import FeatureColumn
from gatewise.data.columns.description import Description
from gatewise.data.columns.samples import with_nulls
from gatewise.data.layouts import LayoutBuilder
from gatewise.data.moments import BlockMoments
from gatewise.data.pieces import blocks
from gatewise.data.saved import STRICT, Positive, Rising
from gatewise.data.uniform_sample import UniformSample
from gatewise.data.values import LARGEST, as_numbers
from gatewise.data.vocabularies import Values
from gatewise.declare import Numeric, Periodic, PiecewiseLinear
from gatewise.layout import NULL, RESERVED_ROWS, NumberEmbedding, PeriodicNumber, PiecewiseLinearNumber

KNOTS = 1001
UNIFORM_STD = 12**-0.5
SMALLEST = float(np.finfo(np.float32).tiny)
EXACT = 2.0**53
"""Integers below this bound are exact in float64."""
NOTHING = type(None)


class Numbers(NamedTuple):
    """A column as float64 numbers and a mask of nulls."""

    values: np.ndarray
    missing: np.ndarray


class NumericState(TypedDict):
    """The saved state of a numeric column."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    mean: float
    std: Positive
    has_null: bool
    knots: Rising
    edges: Rising


class NumericColumn(FeatureColumn[Numeric, Numbers]):
    """A column of numbers, encoded with statistics of the training table.

    Attributes:
        mean, std: mean and standard deviation of the (logarithmic) training values.
        knots: quantiles of the training values, or inner edges of the buckets, learnt or declared.
        edges: edges of the bins of a piecewise linear embedding, in encoded training values.
        has_null: whether the training table had nulls; the model then has a column with null flags.
    """

    state_type = NumericState
    # float64 numbers are twice as large as a column of float32 or int32, and quickly made
    prepares_again = True

    def __init__(self, feature: Numeric) -> None:
        super().__init__(feature)
        self.mean, self.std, self.has_null = 0.0, 1.0, False
        self.knots, self.edges = np.zeros(0), np.zeros(0, np.float32)
        self._moments, self._sample = BlockMoments(), UniformSample()

    @property
    @override
    def text_type(self) -> pa.DataType:
        return pa.float64()

    @override
    def prepare(self, column: pa.Array) -> Numbers:
        """Return a picked column as float64 numbers, checked."""
        return Numbers(*as_numbers(column, self.purpose))

    @override
    def absorb(self, prepared: Numbers) -> None:
        """Add the moments of a piece; if quantiles are needed, keep its numbers, or a sample, until :meth:`learn`."""
        for rows in blocks(len(prepared.values)):
            self._absorb(prepared.values[rows], prepared.missing[rows])

    def _absorb(self, values: np.ndarray, missing: np.ndarray) -> None:
        some = bool(missing.any())
        self.has_null |= some
        known = values[~missing] if some else values
        if self.feature.transform in ("standard", "log", "none"):
            self._moments.add(_signed_log(known) if self.feature.transform == "log" else known)
        if self._has_quantiles or self._has_bins:
            self._sample.add(known)

    @override
    def absorbed(self) -> State:
        found: State = {"has_null": self.has_null, "moments": self._moments.absorbed()}
        return found | ({"sample": self._sample.absorbed()} if self._has_quantiles or self._has_bins else {})

    @override
    def merge(self, absorbed: State) -> None:
        self.has_null |= bool(absorbed["has_null"])
        self._moments.merge(absorbed["moments"])
        if self._has_quantiles or self._has_bins:
            self._sample.merge(absorbed["sample"])

    @property
    def _has_quantiles(self) -> bool:
        return self.feature.transform in ("bucket", "quantile") and self.feature.boundaries is None

    @property
    def _has_bins(self) -> bool:
        return isinstance(self.feature.embedding, PiecewiseLinear)

    @override
    def learn(self) -> None:
        """Learn the transform and the bins, without nulls."""
        known = self._sample.values()
        self._learn_transform(known)
        if isinstance(self.feature.embedding, PiecewiseLinear):
            self.edges = _bin_edges(self._encode_known(known), self.feature.embedding.bins)
        self._moments, self._sample = BlockMoments(), UniformSample()

    def _learn_transform(self, known: np.ndarray) -> None:
        moments = self._moments.total()
        if self.feature.boundaries is not None:
            self.knots = np.array(self.feature.boundaries, dtype=np.float64)
        elif not moments.count and not len(known):
            self.knots = np.zeros(1)
        elif self.feature.transform == "bucket":
            self.knots = np.unique(np.quantile(known, np.linspace(0, 1, self.feature.buckets + 1)[1:-1]))
        elif self.feature.transform == "quantile":
            self.knots = np.quantile(known, np.linspace(0, 1, KNOTS))
        else:
            self.mean, std = moments.mean, moments.std
            # the deviation of a constant column is rounding noise
            self.std = 1.0 if std <= max(1e-12 * abs(self.mean), SMALLEST) else std

    @property
    def rows(self) -> int:
        """Number of rows of the buckets' embedding table."""
        return len(self.knots) + 1 + RESERVED_ROWS

    @override
    def encode(self, prepared: Numbers) -> np.ndarray:
        """Return ``[row]`` int32 ids for buckets, else ``[row, 1 or 2]`` float32 values and null flags."""
        if self.feature.transform == "bucket":
            bucket = np.searchsorted(self.knots, prepared.values, side="right") + RESERVED_ROWS
            return np.where(prepared.missing, NULL, bucket).astype(np.int32)
        scaled = self._encode_known(prepared.values)
        scaled[prepared.missing] = self.of_null
        columns = scaled[:, np.newaxis]
        return np.column_stack([columns, prepared.missing]) if self.has_null else columns

    @override
    def encode_usual(self, values: Values) -> np.ndarray | None:
        """Return encoded integers that float64 holds exactly, fractions and None."""
        kinds = set(map(type, values))
        if not kinds <= {int, float, NOTHING}:
            return None
        nulls = NOTHING in kinds
        try:
            numbers = np.array([value or 0.0 for value in values] if nulls else values, dtype=np.float64)
        except OverflowError:
            return None
        # NaN fails this comparison too
        if len(numbers) and not np.abs(numbers).max() < EXACT:
            return None
        missing = np.array([value is None for value in values]) if nulls else np.zeros(len(values), dtype=bool)
        return self.encode(Numbers(numbers, missing))

    @property
    def of_null(self) -> float:
        """The encoded number of a null: the mean, which is 0 after a transform."""
        return self.mean if self.feature.transform == "none" else 0.0

    def _encode_known(self, values: np.ndarray) -> np.ndarray:
        scaled = self._scaled(values)
        return scaled.clip(-LARGEST, LARGEST, out=scaled).astype(np.float32)

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        if self.feature.transform == "none":
            return values.copy()
        if self.feature.transform == "quantile":
            return (np.interp(values, *self.levels) - 0.5) / UNIFORM_STD
        values = _signed_log(values) if self.feature.transform == "log" else values
        scaled: np.ndarray = (values - self.mean) / self.std
        return scaled

    @cached_property
    def levels(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct knots and their levels from 0 to 1; a repeated knot has the middle of its levels."""
        levels = np.linspace(0, 1, len(self.knots)) if len(self.knots) > 1 else np.array([0.5])
        knots, start, count = np.unique(self.knots, return_index=True, return_counts=True)
        return knots, (levels[start] + levels[start + count - 1]) / 2

    @override
    def lay_out(self, layout: LayoutBuilder) -> None:
        """Add an id column and its table for buckets, or float columns, with a null flag if there were nulls."""
        if self.feature.transform == "bucket":
            layout.table(self.name, self.rows, self.feature.dim)
            layout.ids(self.name, self.name)
        else:
            flag = [f"{self.name} is null"] if self.has_null else []
            layout.floats(self.name, [self.name, *flag], self._embedding())

    def _embedding(self) -> NumberEmbedding | None:
        """Return the number's embedding in the layout's form; None without one."""
        match self.feature.embedding:
            case PiecewiseLinear(dim=dim, beyond=beyond):
                return PiecewiseLinearNumber(tuple(self.edges.tolist()), dim, flat=beyond == "flat")
            case Periodic(frequencies=frequencies, sigma=sigma, dim=dim):
                return PeriodicNumber(frequencies, sigma, dim)
            case _:
                return None

    @override
    def description(self) -> Description:
        """Return a typical number of the training table."""
        return Description("number", "float64", example=self._near())

    def _near(self) -> float:
        if len(self.knots):
            return _short(self.knots[len(self.knots) // 2])
        logarithm = self.feature.transform == "log"
        return _short(np.sign(self.mean) * np.expm1(abs(self.mean)) if logarithm else self.mean)

    @override
    def sample(self, rows: int, rng: np.random.Generator) -> list[Any]:
        """Return numbers around the training values' mean, at the knots, and far outside."""
        about = self.mean + self.std * 2 * rng.standard_normal(rows)
        knots = self.knots if len(self.knots) else np.array([self.mean])
        far = np.array([0.0, *(self.mean + 30 * np.array([-1, 1]) * self.std), knots[0] - 1, knots[-1] + 1])
        between = rng.uniform(knots[0], knots[-1], rows)
        choices = np.stack([about, rng.choice(knots, rows), between, rng.choice(far, rows)])
        return with_nulls(choices[rng.choice(4, rows, p=[0.4, 0.2, 0.3, 0.1]), np.arange(rows)].tolist(), rng)

    @override
    def state(self) -> dict[str, Any]:
        """Return the learnt statistics as JSON values."""
        return {
            "mean": self.mean,
            "std": self.std,
            "has_null": self.has_null,
            "knots": self.knots.tolist(),
            "edges": self.edges.tolist(),
        }

    @override
    def restore(self, state: dict[str, Any]) -> None:
        """Restore a saved :meth:`state`."""
        self.mean, self.std, self.has_null = state["mean"], state["std"], state["has_null"]
        self.knots = np.asarray(state["knots"], dtype=np.float64)
        self.edges = np.asarray(state["edges"], dtype=np.float32)


def _bin_edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Return the float32 edges of equally filled bins: at least one bin, and fewer than ``bins`` if values repeat.

    Where fewer than half of the bins would be left, distinct values fill them: a column that is mostly one value has
    bins for the others.
    """
    if len(values) == 0:
        return np.array([0, 1], np.float32)
    edges = _quantiles(values, bins)
    if len(edges) - 1 < bins / 2:
        edges = np.union1d(edges, _quantiles(np.unique(values), bins - (len(edges) - 1)))
    if len(edges) == 1:
        # one bin, wide enough that its edges differ for any size of the constant
        edges = np.array([edges[0], edges[0] + max(1, abs(edges[0]))], np.float32)
    return edges.astype(np.float32, copy=False)


def _quantiles(values: np.ndarray, bins: int) -> np.ndarray:
    """Return the distinct edges of equally filled bins."""
    # NOTE[DIFF]: each edge is a value: an edge between two nearly equal values would make a bin of almost no width
    edges: np.ndarray = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1), method="nearest"))
    return edges


def _signed_log(values: np.ndarray) -> np.ndarray:
    logs: np.ndarray = np.sign(values) * np.log1p(np.abs(values))
    return logs


def _short(value: float) -> float:
    return float(f"{value:.4g}")
