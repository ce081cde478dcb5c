"""Which gradients the backward pass that runs asks for."""

from __future__ import annotations

from typing import Any

import torch


def asked_for(ctx: Any, tensor: int) -> bool:
    """Whether the backward pass that runs asks for the gradient of a function's input.

    ``ctx.needs_input_grad`` says whether any pass may. One that stops at a layer's input, as those that take the
    tasks' gradients at the representation do, needs no gradient of the layer's weights.

    Args:
        ctx: of the function whose backward runs.
        tensor: which of its inputs, other arguments than tensors not counted.
    """
    node, _ = ctx.next_functions[tensor]
    if node is None:
        return False
    try:
        return torch._C._will_engine_execute_node(node)
    except (AttributeError, RuntimeError):
        # what autograd.grad asks for by name is refused; the function may be missing from another torch
        return True
