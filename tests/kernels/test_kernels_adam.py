from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gatewise.kernels import AdamStep, update_adam, update_adam_rows

Both = Callable[[Callable[[], Any]], tuple[Any, Any]]
BETAS, EPS = (0.9, 0.999), 1e-8


def of_torch(weight: Tensor, gradients: list[Tensor], decay: float, decoupled: bool) -> Tensor:
    parameter = nn.Parameter(weight.clone())
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    optimizer = kind([parameter], lr=0.01, weight_decay=decay)
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
    return parameter.detach()


def of_kernel(
    weight: Tensor, gradients: list[Tensor], decay: float, decoupled: bool, rows: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    weight, first, second = weight.clone(), torch.zeros_like(weight), torch.zeros_like(weight)
    for count, gradient in enumerate(gradients, start=1):
        step = AdamStep(count, 0.01, BETAS, EPS, decay, decoupled)
        if rows is None:
            update_adam([weight], [gradient], [(first, second)], step)
        else:
            update_adam_rows(weight, rows, gradient[rows], (first, second), step)
    return weight, first, second


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(5,), (7, 3), (4, 16), (300, 64), (2, 3, 5), (0, 4)])
def test_all_rows_as_torch_does_it(shape: tuple[int, ...], decay: float, decoupled: bool, both: Both) -> None:
    weight = torch.randn(shape)
    gradients = [torch.randn(shape) for _ in range(5)]
    expected = of_torch(weight, gradients, decay, decoupled)
    for found, _, _ in both(lambda: of_kernel(weight, gradients, decay, decoupled)):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("dim", [1, 4, 16, 19])
def test_some_rows_move_and_the_others_stay(dim: int, decoupled: bool, both: Both) -> None:
    weight, rows = torch.randn(40, dim), torch.tensor([31, 2, 5, 17])
    gradients = [torch.randn(40, dim) for _ in range(5)]
    expected = of_torch(weight[rows], [gradient[rows] for gradient in gradients], 0.1, decoupled)
    others = torch.ones(40, dtype=torch.bool).index_fill(0, rows, False)
    for found, first, second in both(lambda: of_kernel(weight, gradients, 0.1, decoupled, rows)):
        torch.testing.assert_close(found[rows], expected, atol=1e-6, rtol=1e-5)
        assert torch.equal(found[others], weight[others])
        assert not first[others].any()
        assert not second[others].any()


def test_a_matrix_that_is_not_contiguous(both: Both) -> None:
    weight, gradients = torch.randn(6, 4), [torch.randn(6, 4)]
    expected = of_torch(weight, gradients, 0.0, False)

    def transposed() -> Tensor:
        some = weight.t().contiguous().t()
        moments = torch.zeros_like(some), torch.zeros_like(some)
        update_adam([some], gradients, [moments], AdamStep(1, 0.01, BETAS, EPS, 0, False))
        return some

    for found in both(transposed):
        torch.testing.assert_close(found, expected)


def test_several_tensors_in_one_call(both: Both) -> None:
    shapes = [(3,), (5000, 7), (2, 2), (0,)]
    weights = [torch.randn(shape) for shape in shapes]
    gradients = [torch.randn(shape) for shape in shapes]

    def together() -> list[Tensor]:
        moved = [weight.clone() for weight in weights]
        moments = [(torch.zeros_like(weight), torch.zeros_like(weight)) for weight in weights]
        update_adam(moved, gradients, moments, AdamStep(1, 0.01, BETAS, EPS, 0.0, False))
        return moved

    for found in both(together):
        for weight, gradient, moved in zip(weights, gradients, found, strict=True):
            torch.testing.assert_close(moved, of_torch(weight, [gradient], 0.0, False), atol=1e-6, rtol=1e-5)
