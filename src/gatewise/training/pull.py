"""A pull towards the weights that a model had before it was trained further."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def pull_back(optimizer: torch.optim.Optimizer, strength: float) -> None:
    r"""Draw all parameters of an optimiser back to what they are now, after each of its steps.

    It is the decoupled form of an L2 penalty on the distance, as AdamW's decay is that of one on the weights:

    .. math:: w \leftarrow w - \eta \lambda (w - w_0)

    Of a parameter with a sparse gradient only the rows of the gradient move; a step that an optimiser leaves out, such
    as for an overflow in half precision, draws nothing back. The parameters are copied once.

    Args:
        optimizer: holds the parameters, before its first step.
        strength: lambda; a step takes the share ``lr * strength`` of the way back, and never more than all of it.
    """
    anchors = {p: p.detach().clone() for group in optimizer.param_groups for p in group["params"]}

    @torch.no_grad()
    def after_step(moved: torch.optim.Optimizer, *_: Any) -> None:
        for group in moved.param_groups:
            share = min(float(group["lr"]) * strength, 1.0)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    _draw_back(parameter, anchors[parameter], share)

    optimizer.register_step_post_hook(after_step)


def _draw_back(parameter: Tensor, anchor: Tensor, share: float) -> None:
    assert parameter.grad is not None
    if not parameter.grad.is_sparse:
        parameter.lerp_(anchor, share)
        return
    rows = parameter.grad._indices()[0]
    parameter[rows] = torch.lerp(parameter[rows], anchor[rows], share)
