"""A user's poolings: their output is checked."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import lent
from gatewise.errors import ShapeError
from gatewise.nn.sequences.padded import Padded


class GivenPooling(nn.Module):
    """A pooling from any module.

    Args:
        module: from :class:`Padded` to ``[batch, output_dim]``; a module without ``output_dim`` keeps an item's width.
        dim: width of an item.

    Raises:
        ShapeError: in a forward pass, if the output has another shape.

    Shape:
        - input: :class:`Padded`, and any further arguments
        - output ``[batch, output_dim]``
    """

    def __init__(self, module: nn.Module, dim: int) -> None:
        super().__init__()
        self.module, self.output_dim = module, int(getattr(module, "output_dim", dim))

    @override
    def forward(self, items: Padded, target: Tensor | None = None) -> Tensor:
        # the module may draw random numbers, which it takes from the global generator
        with lent():
            found = self.module(items)
        expected = (items.vectors.shape[0], self.output_dim)
        if not isinstance(found, Tensor) or found.shape != expected:
            shape = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
            kind = type(self.module).__name__
            raise ShapeError(f"pooling {kind}: expected [batch, output_dim] = {list(expected)}, found {shape}")
        return found
