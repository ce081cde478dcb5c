"""Linear maps of several groups, such as experts and towers, in the way that is fastest for their size."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.kernels.library import compiled, float32_on_cpu
from gatewise.kernels.narrow_linear import narrow_linear
from gatewise.kernels.wide_linear import wide_linear

# most weights per group for which the loop beats the batched product
NARROW = 1024
# least numbers in the output for which one product per group beats the batched product
WIDE = 2**20


def group_linear(x: Tensor, weight: Tensor, bias: Tensor | None, *, rectify: bool = False) -> Tensor:
    r"""Return every group's linear map.

    .. math:: y_{bg} = W_g x_{bg} + b_g, \quad \text{rectified:} \quad y_{bg} = \max(W_g x_{bg} + b_g, 0)

    Raises:
        ShapeError: the shapes do not match.

    Shape:
        - x: ``[batch, in]``, read by every group, or ``[batch, group, in]``
        - weight: ``[group, out, in]``
        - bias: ``[group, out]`` or None
        - output ``[batch, group, out]``
    """
    _check(x, weight, bias)
    groups, width, width_in = weight.shape
    if float32_on_cpu(x, weight) and not torch.is_autocast_enabled("cpu"):
        if len(x) * groups * width >= WIDE:
            return wide_linear(x, weight, bias, rectify=rectify)
        if x.dim() == 3 and width * width_in <= NARROW and (kernels := compiled()):
            return narrow_linear(kernels, x, weight, bias, rectify=rectify)
    mapped = _of_own_input(x, weight, bias) if x.dim() == 3 else _of_common_input(x, weight, bias)
    return mapped.relu() if rectify else mapped


def _check(x: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if weight.dim() != 3:
        raise ShapeError(f"weight: expected [group, out, in], found {list(weight.shape)}")
    groups, out, width = weight.shape
    if x.dim() not in (2, 3) or x.shape[-1] != width or (x.dim() == 3 and x.shape[1] != groups):
        raise ShapeError(f"x: expected [batch, {width}] or [batch, {groups}, {width}], found {list(x.shape)}")
    if bias is not None and bias.shape != (groups, out):
        raise ShapeError(f"bias: expected [{groups}, {out}], found {list(bias.shape)}")


def _of_common_input(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """[batch, in] x [in, group * out]: one product for all groups."""
    flat = torch.nn.functional.linear(x, weight.flatten(0, 1), None if bias is None else bias.flatten())
    return flat.view(x.shape[0], *weight.shape[:2])


def _of_own_input(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """[group, batch, in] x [group, in, out]: a batched product."""
    inputs, turned = x.transpose(0, 1), weight.transpose(1, 2)
    mapped = torch.bmm(inputs, turned) if bias is None else torch.baddbmm(bias[:, None], inputs, turned)
    return mapped.transpose(0, 1)
