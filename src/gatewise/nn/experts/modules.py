"""Experts from any modules."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import lent
from gatewise.errors import ShapeError
from gatewise.nn.experts.experts import Experts


class ModuleExperts(Experts):
    """Experts of any kind, run one after the other.

    Args:
        modules: each from ``[batch, input_dim]`` to ``[batch, output_dim]``, with the same widths.
        input_dim: width of the input.

    Raises:
        ShapeError: ``modules`` is empty, or their outputs differ in width; names the expert.

    Shape:
        - input ``[batch, input_dim]`` or ``[batch, expert, input_dim]``
        - output ``[batch, expert, output_dim]``

    Example:
        >>> experts = ModuleExperts([nn.Linear(4, 3), nn.Sequential(nn.Linear(4, 3), nn.Tanh())], input_dim=4)
        >>> experts(torch.zeros(5, 4)).shape
        torch.Size([5, 2, 3])
    """

    def __init__(self, modules: Sequence[nn.Module], input_dim: int) -> None:
        super().__init__()
        if not modules:
            raise ShapeError("experts: expected one or more, found none")
        self.experts = nn.ModuleList(modules)
        self.num_experts = len(modules)
        widths = [output_width(module, input_dim, f"experts[{i}]") for i, module in enumerate(modules)]
        for i, width in enumerate(widths):
            if width != widths[0]:
                raise ShapeError(f"experts[{i}]: expected output width {widths[0]}, as experts[0] has, found {width}")
        self.output_dim = widths[0]

    @override
    def forward(self, x: Tensor) -> Tensor:
        inputs = x.unbind(1) if x.dim() == 3 else [x] * self.num_experts
        # a user's modules may draw random numbers, which they take from the global generator
        with lent():
            return torch.stack([expert(own) for expert, own in zip(self.experts, inputs, strict=True)], dim=1)

    @override
    def one(self, expert: int, x: Tensor) -> Tensor:
        output: Tensor = self.experts[expert](x)
        return output


@torch.no_grad()
def output_width(module: nn.Module, input_dim: int, name: str) -> int:
    """Return a module's output width, measured with two rows of zeros.

    Raises:
        ShapeError: the module does not accept ``[2, input_dim]``, or returns something other than ``[2, width]``.
    """
    like = next(module.parameters(), torch.empty(0))
    was_training = module.training
    try:
        found = module.eval()(like.new_zeros(2, input_dim))
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ShapeError(f"{name}: expected a module that takes [batch, {input_dim}]: {reason}") from None
    finally:
        module.train(was_training)
    if not isinstance(found, Tensor) or found.dim() != 2 or len(found) != 2:
        shape = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ShapeError(f"{name}: expected an output of shape [batch, width], found {shape} for a batch of 2")
    return found.shape[1]
