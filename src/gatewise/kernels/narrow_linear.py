"""Narrow linear maps of several groups, such as towers: one pass, where batched products of small ones make many."""

from __future__ import annotations

import math
from ctypes import CDLL
from typing import Any

import torch
from torch import Tensor

from gatewise.kernels.asked import asked_for


def narrow_linear(kernels: CDLL, x: Tensor, weight: Tensor, bias: Tensor | None, *, rectify: bool = False) -> Tensor:
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
    def forward(ctx: Any, kernels: CDLL, x: Tensor, weight: Tensor, bias: Tensor | None, floor: float) -> Tensor:
        x = x if x.stride(2) == 1 else x.contiguous()
        weight = weight.contiguous()
        shift = weight.new_zeros(weight.shape[:2]) if bias is None else bias.contiguous()
        y = torch.empty(len(x), *weight.shape[:2])
        _checked(kernels.group_linear(*_inputs(x, weight), shift.data_ptr(), floor, y.data_ptr(), *_sizes(x, weight)))
        ctx.kernels, ctx.floor, ctx.has_bias = kernels, floor, bias is not None
        ctx.save_for_backward(x, weight, y)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, Tensor | None, Tensor | None, None]:
        x, weight, y = ctx.saved_tensors
        gradient = gradient.contiguous()
        of_x, of_weight, of_bias = torch.empty(x.shape), None, None
        if asked_for(ctx, 1) or (ctx.has_bias and asked_for(ctx, 2)):
            of_weight, of_bias = torch.zeros(weight.shape), torch.zeros(weight.shape[:2])
        pointers = (None if tensor is None else tensor.data_ptr() for tensor in (gradient, of_x, of_weight, of_bias))
        _checked(
            ctx.kernels.group_linear_backward(
                *_inputs(x, weight), y.data_ptr(), ctx.floor, *pointers, *_sizes(x, weight)
            )
        )
        return None, of_x, of_weight, of_bias if ctx.has_bias else None, None


def _inputs(x: Tensor, weight: Tensor) -> tuple[int, ...]:
    return x.data_ptr(), x.stride(0), x.stride(1), weight.data_ptr()


def _sizes(x: Tensor, weight: Tensor) -> tuple[int, ...]:
    return len(x), *weight.shape, torch.get_num_threads()


def _checked(result: int) -> None:
    if result < 0:
        raise MemoryError("no memory left for a layer's weights")
