from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from gatewise.kernels import mix

Both = Callable[[Callable[[], Any]], tuple[Any, Any]]


def draw(batch: int, gates: int, experts: int, width: int, *, grouped: bool) -> tuple[Tensor, Tensor]:
    """Return gates and experts; grouped: the experts lie one after the other in memory."""
    generator = torch.Generator().manual_seed(width)
    weights = torch.randn(batch, gates, experts, generator=generator).softmax(dim=2)
    outputs = torch.randn(batch, experts, width, generator=generator)
    return weights, outputs.transpose(0, 1).contiguous().transpose(0, 1) if grouped else outputs


def forward_and_backward(gates: Tensor, experts: Tensor, rectify: bool) -> tuple[Tensor, Tensor, Tensor]:
    gates, experts = gates.clone().requires_grad_(), experts.detach().requires_grad_()
    mixed = mix(gates, experts, rectify=rectify)
    (mixed * torch.arange(1.0, mixed.numel() + 1).view_as(mixed).sin()).sum().backward()
    return mixed.detach(), gates.grad, experts.grad


@pytest.mark.parametrize("rectify", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(
    ("batch", "gates", "experts", "width"), [(1, 1, 1, 1), (5, 2, 8, 16), (9, 3, 4, 7), (33, 1, 3, 64), (0, 2, 3, 4)]
)
def test_mixture_and_its_gradients(
    batch: int, gates: int, experts: int, width: int, grouped: bool, rectify: bool, both: Both
) -> None:
    drawn = draw(batch, gates, experts, width, grouped=grouped)
    compiled, in_torch = both(lambda: forward_and_backward(*drawn, rectify))
    expected = torch.einsum("bke,beh->bkh", drawn[0], drawn[1].relu() if rectify else drawn[1])
    for found in (compiled, in_torch):
        torch.testing.assert_close(found[0], expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(compiled, in_torch, atol=1e-5, rtol=1e-5)


def test_gradients_by_finite_differences(both: Both) -> None:
    gates, experts = draw(3, 2, 4, 5, grouped=False)
    weight = torch.randn(3, 2, 5)

    def change(of: Tensor, gradient: Tensor, direction: Tensor) -> tuple[float, float]:
        def objective(step: float) -> float:
            moved = of + step * direction
            pair = (moved, experts) if of is gates else (gates, moved)
            return float((mix(*pair) * weight).sum())

        return (objective(0.5) - objective(-0.5)), float((gradient * direction).sum())

    def compute() -> list[tuple[float, float]]:
        leaves = gates.clone().requires_grad_(), experts.clone().requires_grad_()
        (mix(*leaves) * weight).sum().backward()
        draw_direction = torch.Generator().manual_seed(3)
        return [
            change(of, leaf.grad, torch.randn(of.shape, generator=draw_direction))
            for of, leaf in zip((gates, experts), leaves, strict=True)
        ]

    for pairs in both(compute):
        for measured, predicted in pairs:
            # the mixture is linear in either, so a difference is exact but for rounding
            assert measured == pytest.approx(predicted, abs=1e-4)


def test_half_precision_is_left_to_torch() -> None:
    gates, experts = draw(4, 2, 3, 5, grouped=False)
    mixed = mix(gates, experts.bfloat16())
    assert mixed.dtype == torch.bfloat16
    torch.testing.assert_close(mixed.float(), gates @ experts, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("rectify", [False, True])
def test_what_is_not_a_number_stays_visible(rectify: bool, both: Both) -> None:
    gates, experts = draw(3, 2, 4, 16, grouped=False)
    experts[1, 2, 5] = torch.nan
    for mixed, of_gates, _ in both(lambda: forward_and_backward(gates, experts, rectify)):
        assert mixed.isnan().nonzero().tolist() == [[1, 0, 5], [1, 1, 5]]
        assert of_gates.isnan().nonzero().tolist() == [[1, 0, 2], [1, 1, 2]]


def test_nothing_passes_where_an_expert_is_exactly_zero(both: Both) -> None:
    gates, experts = torch.ones(1, 1, 1), torch.tensor([[[-1.0, 0.0, 2.0, -0.0]]])
    for _, _, of_experts in both(lambda: forward_and_backward(gates, experts, True)):
        assert of_experts.ne(0).tolist() == [[[False, False, True, False]]]
