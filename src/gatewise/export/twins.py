"""Replacements for modules that cannot be traced as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn import Padded, RecurrentPooling, TransformerPooling

# which part of PyTorch's weights ONNX has first, second ...: input, output, forget, cell; and update, reset, new
ORDERS = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)}

Kind = TypeVar("Kind", bound=nn.Module)

torch.library.define("gatewise::recurrent", "(Tensor x, Tensor w, Tensor r, Tensor b, str cell) -> Tensor")


@torch.library.register_fake("gatewise::recurrent")  # type: ignore[untyped-decorator]
def _shape_of_recurrent(x: Tensor, w: Tensor, r: Tensor, b: Tensor, cell: str) -> Tensor:  # noqa: ARG001
    return x.new_empty(*x.shape[:2], r.shape[2])


class RecurrentTwin(nn.Module):
    """An LSTM or GRU layer as one operation of any length, for tracing only: the layer cannot be run.

    PyTorch traces a recurrent network step by step, which would fix its length.

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
    """A pooling that gets one more row, without items, because ONNX Runtime fails on an empty batch.

    Shape:
        - input: :class:`gatewise.nn.Padded`, and the pooling's other arguments
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
    """Return a copy of a module that shares all its tensors; the given module does not change.

    Args:
        module: any module.
        twin_of: returns the replacement of a module, for the module itself and every module inside.
    """
    twin = module.__class__.__new__(module.__class__)
    twin.__dict__ = module.__dict__.copy()
    twin._modules = {
        name: None if child is None else with_twins(child, twin_of) for name, child in module._modules.items()
    }
    return cast("Kind", twin_of(twin))


def for_any_batch(module: nn.Module) -> nn.Module:
    """Replace poolings that fail on an empty batch."""
    return NeverEmpty(module) if isinstance(module, (RecurrentPooling, TransformerPooling)) else module


def for_onnx(module: nn.Module) -> nn.Module:
    """Replace recurrent layers, and poolings that fail on an empty batch, for export to ONNX."""
    return RecurrentTwin(module) if isinstance(module, (nn.LSTM, nn.GRU)) else for_any_batch(module)
