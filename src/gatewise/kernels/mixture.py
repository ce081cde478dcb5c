"""The mixture of experts: every gate's weighted sum."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.kernels.calls import Kernels, apart
from gatewise.kernels.library import compiled


def mix(gates: Tensor, experts: Tensor, *, rectify: bool = False) -> Tensor:
    r"""Return every gate's weighted sum of the experts.

    .. math:: y_{bk} = \sum_e g_{bke} f_{be}, \quad \text{rectified:} \quad y_{bk} = \sum_e g_{bke} \max(f_{be}, 0)

    Args:
        gates: ``[batch, gate, expert]``.
        experts: ``[batch, expert, hidden]``.
        rectify: apply the experts' last activation on the way, which saves two passes over them.

    Raises:
        ShapeError: gates and experts differ in rows or experts.

    Shape:
        - output ``[batch, gate, hidden]``
    """
    if gates.dim() != 3 or experts.dim() != 3 or gates.shape[::2] != experts.shape[:2]:
        expected = f"[batch, gate, expert] for experts of shape {list(experts.shape)}"
        raise ShapeError(f"gates: expected weights {expected}, found {list(gates.shape)}")
    if torch.compiler.is_compiling():
        # torch.compile fuses this sum into one loop, but not batched products of small matrices
        experts = experts.relu() if rectify else experts
        return (gates.to(experts.dtype).unsqueeze(3) * experts.unsqueeze(1)).sum(dim=2)
    library = compiled(gates, experts)
    if library is None or experts.stride(2) != 1:
        return gates.to(experts.dtype) @ (experts.relu() if rectify else experts)
    experts = experts if apart(experts) else experts.contiguous()
    mixed: Tensor = _Mixture.apply(library, 0.0 if rectify else -math.inf, gates, experts)  # type: ignore[no-untyped-call]
    return mixed


class _Mixture(torch.autograd.Function):
    """The mixture in C: one pass over the experts per direction; batched products need three passes and a copy."""

    @staticmethod
    @override
    def forward(ctx: Any, kernels: Kernels, floor: float, gates: Tensor, experts: Tensor) -> Tensor:
        gates = gates.contiguous()
        ctx.kernels, ctx.floor = kernels, floor
        ctx.save_for_backward(gates, experts)
        return kernels.mix(gates, experts, floor)

    @staticmethod
    @override
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None, Tensor, Tensor]:
        gates, experts = ctx.saved_tensors
        return None, None, *ctx.kernels.mix_backward(gates, experts, ctx.floor, gradient.contiguous())
