"""Narrow linear maps of several groups, such as towers, in one pass; batched products would need many."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.kernels.calls import Kernels
from gatewise.kernels.needed import needs_gradient


def narrow_linear(kernels: Kernels, x: Tensor, weight: Tensor, bias: Tensor | None, *, rectify: bool = False) -> Tensor:
    """Return every group's linear map of its own input; see :func:`gatewise.kernels.group_linear`.

    Shape:
        - x: ``[batch, group, in]``
        - weight: ``[group, out, in]``
        - bias: ``[group, out]`` or None
        - output ``[batch, group, out]``
    """
    y: Tensor = _NarrowLinear.apply(kernels, x, weight, bias, 0.0 if rectify else -math.inf)  # type: ignore[no-untyped-call]
    return y


class _NarrowLinear(torch.autograd.Function):
    @staticmethod
    @override
    def forward(ctx: Any, kernels: Kernels, x: Tensor, weight: Tensor, bias: Tensor | None, floor: float) -> Tensor:
        x = x if x.stride(2) == 1 else x.contiguous()
        weight = weight.contiguous()
        shift = weight.new_zeros(weight.shape[:2]) if bias is None else bias.contiguous()
        y = kernels.group_linear(x, weight, shift, floor)
        ctx.kernels, ctx.floor, ctx.has_bias = kernels, floor, bias is not None
        ctx.save_for_backward(x, weight, y)
        return y

    @staticmethod
    @override
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, Tensor | None, Tensor | None, None]:
        x, weight, y = ctx.saved_tensors
        of_weights = needs_gradient(ctx, 1) or (ctx.has_bias and needs_gradient(ctx, 2))
        of_x, of_weight, of_bias = ctx.kernels.group_linear_backward(
            x, weight, y, ctx.floor, gradient.contiguous(), of_weights=of_weights
        )
        return None, of_x, of_weight, of_bias if ctx.has_bias else None, None
