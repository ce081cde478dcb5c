"""Numbers encoded by operations on tensors, as :class:`gatewise.data.encoders.NumericEncoder` does it with NumPy."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gatewise.data.encoders import NumericEncoder
from gatewise.data.encoders.numeric import UNIFORM_STD
from gatewise.data.values import LARGEST
from gatewise.layout import NULL, RESERVED_ROWS


def encode_numbers(encoder: NumericEncoder, x: Tensor) -> Tensor:
    """Return what the encoder makes of numbers.

    Shape:
        - x: ``[batch]`` float64, NaN: null
        - output: ``[batch]`` int64 ids of buckets, or ``[batch, 1 or 2]`` float32 values and null flags
    """
    missing = x.isnan()
    known = torch.where(missing, 0.0, x)
    if encoder.feature.transform == "bucket":
        bucket = torch.searchsorted(torch.from_numpy(encoder.knots), known, right=True) + RESERVED_ROWS
        return torch.where(missing, NULL, bucket)
    scaled = _scaled(encoder, known).clamp(-LARGEST, LARGEST)
    columns = [torch.where(missing, 0.0, scaled)] + [missing.double()] * encoder.has_null
    return torch.stack(columns, dim=1).float()


def _scaled(encoder: NumericEncoder, x: Tensor) -> Tensor:
    if encoder.feature.transform == "quantile":
        return (_interpolated(*encoder.levels, x) - 0.5) / UNIFORM_STD
    if encoder.feature.transform == "log":
        x = x.sign() * x.abs().log1p()
    return (x - encoder.mean) / encoder.std


def _interpolated(knots: np.ndarray, levels: np.ndarray, x: Tensor) -> Tensor:
    """Return the levels ``[batch]`` at x, linear between knots and constant outside."""
    at, level = torch.from_numpy(knots), torch.from_numpy(levels)
    if len(knots) == 1:
        return level.expand(x.shape)
    inside = x.clamp(knots[0], knots[-1])
    left = (torch.searchsorted(at, inside, right=True) - 1).clamp(max=len(knots) - 2)
    share = (inside - at[left]) / (at[left + 1] - at[left])
    return level[left] + share * (level[left + 1] - level[left])
