"""A backward pass takes the gradients that it is asked for, and no others."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gatewise.kernels import group_linear
from gatewise.kernels.group_linear import WIDE

Both = Callable[[Callable[[], Any]], tuple[Any, Any]]
# [batch, in] and [batch, group, in] of wide maps, [batch, group, in] of narrow ones
SHAPES = {
    "wide, common input": ((2**14, 5), (4, 17, 5)),
    "wide, own inputs": ((2**14, 4, 5), (4, 17, 5)),
    "narrow": ((6, 4, 5), (4, 17, 5)),
}


def drawn(shapes: str) -> list[Tensor]:
    x, weight = SHAPES[shapes]
    assert (x[0] * weight[0] * weight[1] >= WIDE) == shapes.startswith("wide")
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in (x, weight, weight[:2])]


def loss_of(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    # what is asked for may be a leaf of the graph or not
    y = group_linear(x, weight * 1, bias, rectify=True)
    return (y * torch.arange(1.0, y.numel() + 1).view_as(y).sin()).sum()


def _tensors(tree: Any) -> list[Tensor]:
    return [part for part in tree_leaves(tree) if isinstance(part, Tensor)]


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


@contextmanager
def sizes_made() -> Iterator[list[int]]:
    """Give the sizes of all tensors that operators make meanwhile; a view of what there was is not made."""
    found: list[int] = []

    class Noting(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            result = func(*args, **(kwargs or {}))
            known = {_memory(part) for part in _tensors((args, kwargs))}
            found.extend(part.numel() for part in _tensors(result) if _memory(part) not in known)
            return result

    with Noting():
        yield found


@pytest.mark.parametrize("shapes", SHAPES)
def test_gradients_are_the_same_whichever_are_asked_for(shapes: str, both: Both) -> None:
    def compute() -> list[Tensor]:
        leaves = drawn(shapes)
        loss = loss_of(*leaves)
        loss.backward(retain_graph=True)
        expected = [leaf.grad for leaf in leaves]
        for count in (1, 2, 3):
            for some in itertools.combinations(range(3), count):
                found = torch.autograd.grad(loss, [leaves[i] for i in some], retain_graph=True)
                torch.testing.assert_close(list(found), [expected[i] for i in some], atol=1e-5, rtol=1e-5)
        return expected

    torch.testing.assert_close(*both(compute), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("shapes", SHAPES)
def test_nobody_asks_for_the_weights_gradient_and_nobody_takes_it(shapes: str, both: Both) -> None:
    def compute() -> None:
        x, weight, bias = drawn(shapes)
        loss = loss_of(x, weight, bias)
        with sizes_made() as found:
            torch.autograd.grad(loss, x, retain_graph=True)
        assert x.numel() in found
        assert weight.numel() not in found
        with sizes_made() as found:
            torch.autograd.grad(loss, weight)
        assert weight.numel() in found
        assert shapes == "narrow" or x.numel() not in found

    both(compute)


@pytest.mark.parametrize("shapes", SHAPES)
def test_what_needs_no_gradient_gets_none(shapes: str, both: Both) -> None:
    def compute() -> list[Tensor]:
        leaves = drawn(shapes)
        loss_of(*leaves).backward()
        frozen = [drawn(shapes) for _ in leaves]
        for i, one in enumerate(frozen):
            one[i].requires_grad_(False)
            loss_of(*one).backward()
            assert one[i].grad is None
            others = [j for j in range(3) if j != i]
            torch.testing.assert_close([one[j].grad for j in others], [leaves[j].grad for j in others])
        return [leaf.grad for leaf in leaves]

    torch.testing.assert_close(*both(compute), atol=1e-3, rtol=1e-4)
