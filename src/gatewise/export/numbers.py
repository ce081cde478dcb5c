"""Numbers encoded by operations on tensors, as :class:`gatewise.data.NumericColumn` does it with NumPy.

All columns of one transform are encoded at once, so that the number of operations does not grow with the columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gatewise.data import LARGEST, UNIFORM_STD, NumericColumn
from gatewise.layout import NULL, RESERVED_ROWS


def encode_numbers(columns: Sequence[NumericColumn], x: Tensor) -> Tensor:
    """Return the encoded numbers of columns of one transform, without the marks of missing values.

    Shape:
        - x: ``[batch, column]`` float64, NaN: null
        - output: ``[batch, column]``, int64 ids of buckets or float32 values
    """
    missing = x.isnan()
    known = torch.where(missing, 0.0, x)
    if columns[0].feature.transform == "bucket":
        knots = _below_each_other([column.knots for column in columns], np.inf)
        bucket = torch.searchsorted(knots, known.T.contiguous(), right=True).T
        most = torch.tensor([len(column.knots) for column in columns])
        return torch.where(missing, NULL, torch.minimum(bucket, most) + RESERVED_ROWS)
    scaled = _scaled(columns, known).clamp(-LARGEST, LARGEST)
    of_null = [column.of_null for column in columns]
    return torch.where(missing, torch.tensor(of_null, dtype=torch.float64) if any(of_null) else 0.0, scaled).float()


def _scaled(columns: Sequence[NumericColumn], x: Tensor) -> Tensor:
    transform = columns[0].feature.transform
    if transform == "none":
        return x
    if transform == "quantile":
        return (_interpolated([column.levels for column in columns], x) - 0.5) / UNIFORM_STD
    if transform == "log":
        x = x.sign() * x.abs().log1p()
    mean, std = (torch.tensor([getattr(c, name) for c in columns], dtype=torch.float64) for name in ("mean", "std"))
    return (x - mean) / std


def _interpolated(levels: list[tuple[np.ndarray, np.ndarray]], x: Tensor) -> Tensor:
    """Return the levels ``[batch, column]`` at x, linear between a column's knots and constant outside."""
    levels = [(knots, level) if len(knots) > 1 else _flat(knots, level) for knots, level in levels]
    at = _below_each_other([knots for knots, _ in levels], np.inf)
    level = _below_each_other([level for _, level in levels], 0.0)
    first, last = (torch.tensor([knots[place] for knots, _ in levels]).unsqueeze(1) for place in (0, -1))
    most = torch.tensor([len(knots) - 2 for knots, _ in levels]).unsqueeze(1)
    # [column, batch]
    inside = torch.minimum(torch.maximum(x.T, first), last).contiguous()
    left = torch.minimum(torch.searchsorted(at, inside, right=True) - 1, most)
    start, low = at.gather(1, left), level.gather(1, left)
    share = (inside - start) / (at.gather(1, left + 1) - start)
    return (low + share * (level.gather(1, left + 1) - low)).T


def _flat(knots: np.ndarray, level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the level of a single knot at two knots, so that there is a line to interpolate."""
    return np.array([knots[0], np.nextafter(knots[0], np.inf)]), np.repeat(level, 2)


def _below_each_other(rows: Sequence[np.ndarray], filling: float) -> Tensor:
    """Return rows of different lengths as a matrix ``[row, longest]``, padded with ``filling``."""
    longest = max(map(len, rows))
    return torch.from_numpy(np.stack([np.pad(row, (0, longest - len(row)), constant_values=filling) for row in rows]))
