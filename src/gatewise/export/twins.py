"""Modules in the place of those that cannot be traced as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.sequences import Padded, RecurrentPooling, TransformerPooling

# which part of PyTorch's weights ONNX has first, second ...: input, output, forget, cell; and update, reset, new
ORDERS = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)}

Kind = TypeVar("Kind", bound=nn.Module)

torch.library.define("gatewise::recurrent", "(Tensor x, Tensor w, Tensor r, Tensor b, str cell) -> Tensor")


@torch.library.register_fake("gatewise::recurrent")  # type: ignore[untyped-decorator]
def _shape_of_recurrent(x: Tensor, w: Tensor, r: Tensor, b: Tensor, cell: str) -> Tensor:  # noqa: ARG001
    return x.new_empty(*x.shape[:2], r.shape[2])


class RecurrentTwin(nn.Module):
    """A layer of LSTM or GRU that is one operation, whatever the length: traced only, it cannot be run.

    PyTorch traces a recurrent network step by step, so that its length would be fixed.

    Shape:
        - input ``[batch, length, input_dim]``
        - output: states ``[batch, length, dim]``, and None
    """

    def __init__(self, cell: nn.LSTM | nn.GRU) -> None:
        super().__init__()
        self.kind = cell.mode
        w, r, of_input, of_state = (self._ordered(weight.detach()) for weight in cell.all_weights[0])
        self.register_buffer("w", w.unsqueeze(0))
        self.register_buffer("r", r.unsqueeze(0))
        self.register_buffer("b", torch.cat([of_input, of_state]).unsqueeze(0))

    def _ordered(self, weight: Tensor) -> Tensor:
        order = ORDERS[self.kind]
        parts = weight.chunk(len(order))
        return torch.cat([parts[place] for place in order])

    @override
    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return torch.ops.gatewise.recurrent(x, self.w, self.r, self.b, self.kind), None


class NeverEmpty(nn.Module):
    """A pooling that is given one row more, of no items: ONNX Runtime fails at a batch of no rows.

    Shape:
        - input: :class:`gatewise.nn.Padded`, and anything beside it
        - output ``[batch, dim]``
    """

    def __init__(self, pooling: RecurrentPooling | TransformerPooling) -> None:
        super().__init__()
        self.pooling, self.output_dim = pooling, pooling.output_dim

    @override
    def forward(self, items: Padded, target: Tensor | None = None) -> Tensor:
        more = (torch.cat([part, part.new_zeros(1, *part.shape[1:])]) for part in items)
        pooled: Tensor = self.pooling(Padded(*more))
        return pooled[:-1]


def with_twins(module: Kind, twin_of: Callable[[nn.Module], nn.Module] = lambda module: module) -> Kind:
    """Return a module that shares all tensors with this one, which stays as it is.

    Args:
        module: any.
        twin_of: returns what is to stand in the place of a module inside it, or of itself.
    """
    twin = module.__class__.__new__(module.__class__)
    twin.__dict__ = module.__dict__.copy()
    twin._modules = {
        name: None if child is None else with_twins(child, twin_of) for name, child in module._modules.items()
    }
    return cast("Kind", twin_of(twin))


def for_any_batch(module: nn.Module) -> nn.Module:
    """Return what stands in a module's place in what takes a batch of no rows, too."""
    return NeverEmpty(module) if isinstance(module, (RecurrentPooling, TransformerPooling)) else module


def for_onnx(module: nn.Module) -> nn.Module:
    """Return what stands in a module's place in a model that becomes one of ONNX."""
    return RecurrentTwin(module) if isinstance(module, (nn.LSTM, nn.GRU)) else for_any_batch(module)
