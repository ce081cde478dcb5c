"""The small parts of hidden layers: grouped linear maps, normalisation that works with one row, dropout."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import generator
from gatewise.errors import ShapeError, did_you_mean
from gatewise.kernels import group_linear

NORMS = ("none", "batch", "layer")


class GroupLinear(nn.Module):
    r"""Several linear maps of equal size as one batched product.

    .. math:: y_g = W_g x_g + b_g

    Args:
        groups: number of maps.
        in_features: width of every input.
        out_features: width of every output.
        bias: whether there is a bias.
        gain: initial weights are uniform with variance ``gain**2 / in_features``.

    Shape:
        - input ``[batch, in]``, read by every group, or ``[batch, group, in]``
        - output ``[batch, group, out]``

    Example:
        >>> GroupLinear(3, 4, 2)(torch.zeros(5, 4)).shape
        torch.Size([5, 3, 2])
    """

    def __init__(
        self,
        groups: int,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        gain: float = math.sqrt(2),
    ) -> None:
        super().__init__()
        self.gain = gain
        self.weight = nn.Parameter(torch.empty(groups, out_features, in_features))
        self.bias = nn.Parameter(torch.empty(groups, out_features)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights; biases are zero."""
        bound = self.gain * math.sqrt(3 / self.weight.shape[2])
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    @override
    def forward(self, x: Tensor, *, rectify: bool = False) -> Tensor:
        """Return the maps of x; with ``rectify``, after a ReLU."""
        return group_linear(x, self.weight, self.bias, rectify=rectify)

    def one(self, group: int, x: Tensor) -> Tensor:
        """Return one group's output ``[batch, out]`` for ``[batch, in]``."""
        return nn.functional.linear(x, self.weight[group], None if self.bias is None else self.bias[group])


class GroupNorm(nn.Module):
    """Batch or layer normalisation of grouped hidden units, each group with its own scale and shift.

    A single row has no variance: batch normalisation then uses the running statistics, in training too.

    Shape:
        - input and output ``[batch, group, width]``
    """

    def __init__(self, kind: str, groups: int, width: int, *, affine: bool = True, eps: float = 1e-5) -> None:
        super().__init__()
        self.batch = nn.BatchNorm1d(groups * width, eps, affine=affine) if kind == "batch" else None
        self.scale = nn.Parameter(torch.ones(groups, width)) if kind == "layer" else None
        self.shift = nn.Parameter(torch.zeros(groups, width)) if kind == "layer" else None

    @override
    def forward(self, x: Tensor) -> Tensor:
        if self.batch is None:
            assert self.scale is not None
            assert self.shift is not None
            return nn.functional.layer_norm(x, x.shape[-1:]) * self.scale + self.shift
        flat = x.flatten(1)
        if self.training and x.shape[0] > 1:
            normed = self.batch(flat)
        else:
            norm = self.batch
            normed = nn.functional.batch_norm(
                flat,
                norm.running_mean,
                norm.running_var,
                norm.weight,
                norm.bias,
                training=False,
                eps=norm.eps,
            )
        return normed.view(x.shape)

    def one(self, group: int, x: Tensor) -> Tensor:
        """Return one group's units ``[batch, width]``, normalised, in evaluation mode."""
        norm = self.batch
        if norm is None:
            assert self.scale is not None
            assert self.shift is not None
            return nn.functional.layer_norm(x, x.shape[-1:], self.scale[group], self.shift[group])
        own = slice(group * x.shape[1], (group + 1) * x.shape[1])
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale, shift = (norm.weight[own], norm.bias[own]) if norm.affine else (None, None)
        return nn.functional.batch_norm(x, norm.running_mean[own], norm.running_var[own], scale, shift, eps=norm.eps)


class Dropout(nn.Module):
    """Drops units with probability ``rate`` in training and scales the others up by ``1 / (1 - rate)``.

    On the CPU most of the time of dropout goes into drawing one number per unit: here four units share a 64-bit draw,
    which is three times faster. The probability is rounded to a multiple of 1/65,536, and the scale is exact for it.
    """

    LEVELS = 2**16

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.dropped_levels = round(rate * self.LEVELS)

    @override
    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if x.device.type != "cpu":
            return dropout(x, self.rate)
        draws = torch.empty((x.numel() + 3) // 4, dtype=torch.int64)
        draws.random_(-(2**63), None, generator=generator(x.device))
        levels = draws.view(torch.int16)[: x.numel()].view(x.shape)
        kept = levels >= self.dropped_levels - self.LEVELS // 2
        return x * (kept * (self.LEVELS / (self.LEVELS - self.dropped_levels))).to(x.dtype)


def dropout(x: Tensor, rate: float) -> Tensor:
    """Return x after ``torch.nn.functional.dropout`` in training, drawn from the current random stream."""
    kept = torch.empty_like(x).bernoulli_(1 - rate, generator=generator(x.device))
    return x * kept.div_(1 - rate)


def check_sizes(**sizes: int) -> None:
    """Refuse every value that is not a positive whole number; the error names the argument."""
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ShapeError(f"{name}: expected a positive whole number, found {size!r}")


def check_norm(name: str) -> None:
    """Refuse a name that no normalisation has."""
    if name not in NORMS:
        raise ShapeError(f"norm: expected one of {', '.join(NORMS)}, found {name!r}{did_you_mean(name, NORMS)}")
