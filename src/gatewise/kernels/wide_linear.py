"""Wide linear maps of several groups: one product per group, and no copies between layouts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.kernels.needed import needs_gradient

# rows over which a weight's gradient is summed at a time
BLOCK = 1024


def wide_linear(x: Tensor, weight: Tensor, bias: Tensor | None, *, rectify: bool = False) -> Tensor:
    r"""Return every group's linear map, without a change of layout.

    .. math:: y_{bg} = W_g x_{bg} + b_g, \quad \text{rectified:} \quad y_{bg} = \max(W_g x_{bg} + b_g, 0)

    A batched product needs the groups as the outer dimension, and its gradients would have to be copied back.

    Shape:
        - x: ``[batch, in]``, read by every group, or ``[batch, group, in]``
        - weight: ``[group, out, in]``
        - bias: ``[group, out]`` or None
        - output ``[batch, group, out]``
    """
    y: Tensor = _WideLinear.apply(x, weight, bias, rectify)  # type: ignore[no-untyped-call]
    return y


class _WideLinear(torch.autograd.Function):
    @staticmethod
    @override
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, rectify: bool) -> Tensor:
        groups, width, _ = weight.shape
        y = x.new_empty(len(x), groups, width)
        shift = y.new_zeros(groups, width) if bias is None else bias
        if x.dim() == 2:
            torch.addmm(shift.flatten(), x, weight.flatten(0, 1).t(), out=y.flatten(1))
        else:
            torch.baddbmm(shift[:, None], _by_group(x), weight.transpose(1, 2), out=_by_group(y))
        ctx.has_bias = bias is not None
        ctx.save_for_backward(x, weight, y.relu_() if rectify else None)
        return y

    @staticmethod
    @override
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x, weight, y = ctx.saved_tensors
        gradient = gradient.contiguous()
        if y is not None:
            gradient = torch.ops.aten.threshold_backward(gradient, y, 0)
        of_x = _to_input(gradient, weight, x) if needs_gradient(ctx, 0) else None
        of_weight = _to_weight(gradient, x) if needs_gradient(ctx, 1) else None
        of_bias = gradient.sum(dim=0) if ctx.has_bias and needs_gradient(ctx, 2) else None
        return of_x, of_weight, of_bias, None


def _to_input(gradient: Tensor, weight: Tensor, x: Tensor) -> Tensor:
    """Return the gradient of the input, in its layout."""
    of_x = torch.empty_like(x)
    if x.dim() == 2:
        return torch.mm(gradient.flatten(1), weight.flatten(0, 1), out=of_x)
    torch.bmm(_by_group(gradient), weight, out=_by_group(of_x))
    return of_x


def _to_weight(gradient: Tensor, x: Tensor) -> Tensor:
    """Return the gradient of the weight ``[group, out, in]``."""
    if x.dim() == 2:
        return _summed(gradient.flatten(1), x).view(*gradient.shape[1:], x.shape[1])
    return torch.bmm(_by_group(gradient).transpose(1, 2), _by_group(x))


def _by_group(x: Tensor) -> Tensor:
    """[batch, group, width] as [group, batch, width]: a view, which products read and write without a copy."""
    return x.transpose(0, 1)


def _summed(gradient: Tensor, x: Tensor) -> Tensor:
    """Return the weight's gradient ``[out, in]`` for common inputs; a sum over many rows is faster in blocks."""
    sums = gradient.new_zeros(gradient.shape[1], x.shape[1])
    for given, some in zip(torch.split(gradient, BLOCK), torch.split(x, BLOCK), strict=True):
        sums.addmm_(given.t(), some)
    return sums
