"""The gradients that a running backward pass asks for."""

from __future__ import annotations

from typing import Any

import torch


def needs_gradient(ctx: Any, tensor: int) -> bool:
    """Whether the running backward pass asks for the gradient of a function's input.

    ``ctx.needs_input_grad`` says whether any pass may ask for this gradient. A pass that stops at a layer's input, such
    as for the tasks' gradients at the representation, does not need the gradient of the layer's weights.

    Args:
        ctx: the context of the function whose backward runs.
        tensor: the position of the input, counting tensors only.
    """
    node, _ = ctx.next_functions[tensor]
    if node is None:
        return False
    try:
        return torch._C._will_engine_execute_node(node)
    except (AttributeError, RuntimeError):
        # torch refuses the question for inputs of autograd.grad; other versions of torch may lack the function
        return True
