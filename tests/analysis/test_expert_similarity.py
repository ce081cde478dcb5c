from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gatewise.analysis import expert_similarity, linear_cka
from gatewise.nn import PLE, MultiTaskModel, SharedBottom, TensorTable

NAMES = ["click", "stars"]


def by_kernels(x: np.ndarray, y: np.ndarray) -> float:
    """Return CKA as the paper defines it: the HSIC of two kernels over that of each with itself."""
    centre = np.eye(len(x)) - 1 / len(x)

    def hsic(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.trace(centre @ (a @ a.T) @ centre @ (b @ b.T)))

    return hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))


def test_cka_is_that_of_kernels() -> None:
    outputs = torch.randn(40, 3, 6, generator=torch.Generator().manual_seed(0)).double() + 2
    found = linear_cka(outputs)
    for a in range(3):
        for b in range(3):
            assert found[a, b].item() == pytest.approx(
                by_kernels(outputs[:, a].double().numpy(), outputs[:, b].double().numpy())
            )


def test_turned_and_scaled_outputs_are_alike_and_independent_ones_are_not() -> None:
    draw = torch.Generator().manual_seed(0)
    x, other = torch.randn(4000, 5, generator=draw), torch.randn(4000, 5, generator=draw)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=draw)).Q
    found = linear_cka(torch.stack([x, 3 * x @ turn + 7, other], dim=1))
    assert found[0, 1].item() == pytest.approx(1)
    assert found[0, 2].item() < 0.01


def test_an_expert_that_gives_the_same_for_all_rows_has_no_similarity() -> None:
    x = torch.randn(50, 3)
    # what is the same up to rounding is the same
    rounded = torch.where(x > 0, 0.1, torch.tensor(0.1).nextafter(torch.tensor(1.0)))
    assert rounded.unique().numel() == 2
    found = linear_cka(torch.stack([x, rounded, torch.zeros_like(x)], dim=1))
    assert found[0, 0].item() == pytest.approx(1)
    assert found[1:].isnan().all()
    assert found[:, 1:].isnan().all()


def test_identical_experts_of_a_model_have_a_cka_of_one(
    make_model: Callable[..., MultiTaskModel], table: TensorTable
) -> None:
    model = make_model()
    with torch.no_grad():
        for weight in model.trunk.levels[0].experts.parameters():
            weight[2] = weight[0]
    (found,) = expert_similarity(model, NAMES, table, rows=100)
    assert found.rows == 100
    assert found.cka[0, 2] == pytest.approx(1)
    assert found.cka[0, 1] < 0.98


def test_every_level_is_looked_at(make_model: Callable[..., MultiTaskModel], table: TensorTable) -> None:
    model = make_model(lambda width: PLE(width, 2, own_experts=1, shared_experts=1, expert_dims=(4,)))
    found = expert_similarity(model, NAMES, table)
    assert [(level.layer, level.cka.shape, level.rows) for level in found] == [
        ("level 1", (3, 3), 300),
        ("level 2", (3, 3), 300),
    ]
    assert expert_similarity(make_model(lambda width: SharedBottom(width, 2)), NAMES, table) == []
