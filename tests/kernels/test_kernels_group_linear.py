from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from gatewise.kernels import group_linear
from gatewise.kernels.group_linear import NARROW
from gatewise.kernels.narrow_linear import _NarrowLinear

Both = Callable[[Callable[[], Any]], tuple[Any, Any]]


def draw(batch: int, groups: int, out: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(width)
    shapes = (batch, groups, width), (groups, out, width), (groups, out)
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)  # type: ignore[return-value]


def forward_and_backward(
    x: Tensor, weight: Tensor, bias: Tensor | None, *, rectify: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    leaves = [None if given is None else given.detach().requires_grad_() for given in (x, weight, bias)]
    y = group_linear(*leaves, rectify=rectify)
    (y * torch.arange(1.0, y.numel() + 1).view_as(y).sin()).sum().backward()
    return y.detach(), *[None if leaf is None else leaf.grad for leaf in leaves]


@pytest.mark.parametrize("rectify", [False, True])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize(
    ("batch", "groups", "out", "width"),
    # one row, none, and enough for several threads; lanes used wholly, partly and not at all
    [(1, 1, 1, 1), (0, 2, 8, 16), (5, 3, 7, 9), (9, 2, 1, 8), (33, 4, 17, 16), (2000, 2, 8, 16), (7, 1, 32, 32)],
)
def test_groups_of_linear_maps_and_their_gradients(
    batch: int, groups: int, out: int, width: int, with_bias: bool, rectify: bool, both: Both
) -> None:
    x, weight, bias = draw(batch, groups, out, width)
    compiled, in_torch = both(lambda: forward_and_backward(x, weight, bias if with_bias else None, rectify=rectify))
    expected = torch.einsum("bgi,goi->bgo", x.double(), weight.double()) + (bias.double() if with_bias else 0)
    for found in (compiled, in_torch):
        torch.testing.assert_close(found[0].double(), expected.relu() if rectify else expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(compiled, in_torch, atol=1e-4, rtol=1e-5)


def test_inputs_may_lie_anywhere(both: Both) -> None:
    x, weight, bias = draw(6, 2, 3, 8)
    by_group = x.transpose(0, 1).contiguous().transpose(0, 1)
    by_column = x.transpose(1, 2).contiguous().transpose(1, 2)
    for given in (by_group, by_column, x[:, :1].expand(-1, 2, -1)):
        expected = group_linear(given.clone(), weight, bias)
        for found in both(lambda given=given: group_linear(given, weight, bias)):
            torch.testing.assert_close(found, expected)


def test_the_gradient_that_is_given_stays_as_it_is(both: Both) -> None:
    x, weight, bias = draw(4, 2, 3, 8)
    given = torch.ones(4, 2, 3)

    def compute() -> Tensor:
        group_linear(x.clone().requires_grad_(), weight, bias, rectify=True).backward(given)
        return given.clone()

    for after in both(compute):
        assert torch.equal(after, torch.ones(4, 2, 3))


def test_what_is_not_a_number_stays_visible(both: Both) -> None:
    x, weight, bias = draw(3, 2, 4, 16)
    x[1, 0, 5] = torch.nan
    for found in both(lambda: forward_and_backward(x, weight, bias, rectify=True)):
        assert found[0].isnan().any(dim=2).nonzero().tolist() == [[1, 0]]
        assert found[2].isnan().any(dim=2).any(dim=1).tolist() == [True, False]


def test_the_loop_is_for_narrow_maps_in_full_precision(both: Both) -> None:
    def node_of(width: int, out: int, dtype: torch.dtype = torch.float32) -> str:
        x, weight, bias = (given.to(dtype).requires_grad_() for given in draw(2, 2, out, width))
        return type(group_linear(x, weight, bias).grad_fn).__name__

    compiled, in_torch = both(lambda: (node_of(16, 8), node_of(64, NARROW // 64 + 1), node_of(16, 8, torch.float64)))
    name = f"{_NarrowLinear.__name__}Backward"
    assert [found == name for found in compiled] == [True, False, False]
    assert name not in in_torch


def test_autocast_is_left_to_torch() -> None:
    x, weight, bias = draw(4, 2, 3, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert group_linear(x, weight, bias).dtype == torch.bfloat16
