"""A device beside the CPU, for machines without an accelerator: tensors that say so, and refuse those of the CPU.

A tensor on it has the device ``meta``, and its values in a tensor of the CPU. As on an accelerator, an operation on
tensors of both devices is an error, but for copies between devices and for numbers of the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

OTHER = torch.device("meta")
JOINS = {torch.ops.aten.cat.default, torch.ops.aten.stack.default}
COPIES = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}


class OnOther(torch.Tensor):
    """A tensor on the other device."""

    @staticmethod
    def __new__(cls, values: torch.Tensor) -> OnOther:
        return torch.Tensor._make_wrapper_subclass(
            cls, values.shape, strides=values.stride(), dtype=values.dtype, device=OTHER, layout=values.layout
        )

    def __init__(self, values: torch.Tensor) -> None:
        self.values_on_cpu = values

    def tolist(self) -> Any:
        return self.values_on_cpu.tolist()

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, given: Any = (), named: Any = None) -> Any:
        return on_other(function, given, named or {})


def on_other(function: Any, given: Any, named: dict[str, Any]) -> Any:
    """Run an operation on the CPU, and return its result on the device on which it belongs."""
    tensors = [each for each in tree_flatten((given, named))[0] if isinstance(each, torch.Tensor)]
    there = [each for each in tensors if isinstance(each, OnOther)]
    wanted = named.get("device")
    other = bool(there) if wanted is None else torch.device(wanted) == OTHER
    if function not in COPIES and there:
        near = [each for each in tensors if not isinstance(each, OnOther) and (each.dim() or function in JOINS)]
        if near:
            raise RuntimeError(f"{function}: expected all tensors on one device, found a tensor of the CPU")
    if wanted is not None:
        named = {**named, "device": torch.device("cpu")}
    own = {id(each.values_on_cpu): each for each in there}

    def of(value: Any) -> Any:
        return value.values_on_cpu if isinstance(value, OnOther) else value

    found = function(*tree_map(of, given), **tree_map(of, named))
    if function is torch.ops.aten.copy_.default:
        other = isinstance(given[0], OnOther)

    def back(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        if id(value) in own:
            return own[id(value)]
        return OnOther(value) if other else value

    return tree_map(back, found)


class _FromNumbers(TorchFunctionMode):
    """Lets ``torch.tensor`` make tensors on the other device, which dispatch does not see."""

    def __torch_function__(self, function: Any, types: Any, given: Any = (), named: Any = None) -> Any:
        named = named or {}
        if function is torch.tensor and named.get("device") == OTHER:
            return OnOther(function(*given, **{**named, "device": "cpu"}))
        return function(*given, **named)


class _Dispatched(TorchDispatchMode):
    def __torch_dispatch__(self, function: Any, types: Any, given: Any = (), named: Any = None) -> Any:
        return on_other(function, given, named or {})


@contextmanager
def other_device() -> Iterator[torch.device]:
    """Give the other device, on which new tensors can be made within the block."""
    with _FromNumbers(), _Dispatched():
        yield OTHER
