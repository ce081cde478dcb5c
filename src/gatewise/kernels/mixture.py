"""The mixture of experts: what every gate makes of them."""

from __future__ import annotations

import math
from ctypes import CDLL
from typing import Any

import torch
from torch import Tensor

from gatewise.kernels.library import compiled


def mix(gates: Tensor, experts: Tensor, *, rectify: bool = False) -> Tensor:
    r"""Return every gate's weighted sum of the experts.

    .. math:: y_{bk} = \sum_e g_{bke} f_{be}, \quad \text{rectified:} \quad y_{bk} = \sum_e g_{bke} \max(f_{be}, 0)

    Args:
        gates: ``[batch, gate, expert]``.
        experts: ``[batch, expert, hidden]``.
        rectify: apply the experts' last activation on the way, which saves two passes over them.

    Shape:
        - output ``[batch, gate, hidden]``
    """
    if torch.compiler.is_compiling():
        # one loop, which batched products of small matrices would not become
        experts = experts.relu() if rectify else experts
        return (gates.to(experts.dtype).unsqueeze(3) * experts.unsqueeze(1)).sum(dim=2)
    library = compiled(gates, experts)
    if library is None or experts.stride(2) != 1:
        return gates.to(experts.dtype) @ (experts.relu() if rectify else experts)
    mixed: Tensor = _Mixture.apply(library, 0.0 if rectify else -math.inf, gates, experts)  # type: ignore[no-untyped-call]
    return mixed


class _Mixture(torch.autograd.Function):
    """One pass over the experts in each direction, where batched products make three and a copy."""

    @staticmethod
    def forward(ctx: Any, library: CDLL, floor: float, gates: Tensor, experts: Tensor) -> Tensor:
        gates = gates.contiguous()
        ctx.library, ctx.floor = library, floor
        ctx.save_for_backward(gates, experts)
        out = torch.empty(gates.shape[0], gates.shape[1], experts.shape[2])
        library.mix(*_arguments(gates, experts), floor, out.data_ptr(), *_sizes(gates, experts))
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None, Tensor, Tensor]:
        gates, experts = ctx.saved_tensors
        gradient = gradient.contiguous()
        # of the same strides, so that the gradient has the layout of the experts
        of_gates, of_experts = torch.empty_like(gates), torch.empty_strided(experts.shape, experts.stride())
        pointers = (gradient.data_ptr(), of_gates.data_ptr(), of_experts.data_ptr())
        ctx.library.mix_backward(*_arguments(gates, experts), ctx.floor, *pointers, *_sizes(gates, experts))
        return None, None, of_gates, of_experts


def _arguments(gates: Tensor, experts: Tensor) -> tuple[int, ...]:
    return gates.data_ptr(), experts.data_ptr(), experts.stride(0), experts.stride(1)


def _sizes(gates: Tensor, experts: Tensor) -> tuple[int, ...]:
    return *gates.shape, experts.shape[2], torch.get_num_threads()
