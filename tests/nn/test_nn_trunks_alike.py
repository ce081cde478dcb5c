"""What every trunk promises, asserted for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from gatewise import nn
from gatewise.nn import Hidden, Mixed, Towers, Trunk

WIDTH, TASKS = 4, 2
MAKERS: dict[str, Callable[..., Trunk]] = {
    "single_task": lambda **o: nn.SingleTask(WIDTH, TASKS, bottom_dims=(5, 3), **o),
    "shared_bottom": lambda **o: nn.SharedBottom(WIDTH, TASKS, bottom_dims=(5, 3), **o),
    "omoe": lambda **o: nn.OMoE(WIDTH, TASKS, experts=3, expert_dims=(5, 3), gate_dims=(4,), **o),
    "omoe of two levels": lambda **o: nn.OMoE(WIDTH, TASKS, experts=3, expert_dims=(5, 3), levels=2, **o),
    "mmoe": lambda **o: nn.MMoE(WIDTH, TASKS, experts=3, expert_dims=(5, 3), gate_dims=(4,), **o),
    "mmoe of three levels": lambda **o: nn.MMoE(WIDTH, TASKS, experts=3, expert_dims=(5, 3), levels=3, **o),
    "mmoe of normalised experts": lambda **o: nn.MMoE(
        WIDTH, TASKS, experts=3, expert_dims=(5, 3), expert_norm=True, **o
    ),
    "cgc": lambda **o: nn.CGC(WIDTH, TASKS, own_experts=(1, 2), shared_experts=1, expert_dims=(5, 3), **o),
    "ple": lambda **o: nn.PLE(WIDTH, TASKS, shared_experts=1, expert_dims=(5, 3), gate_dims=(4,), **o),
    "adatt": lambda **o: nn.AdaTT(WIDTH, TASKS, expert_dims=(5, 3), gate_dims=(4,), **o),
    "adatt with shared experts": lambda **o: nn.AdaTT(WIDTH, TASKS, shared_experts=2, expert_dims=(5, 3), **o),
    "cross_stitch": lambda **o: nn.CrossStitch(WIDTH, TASKS, layer_dims=(5, 3), **o),
    "home": lambda **o: nn.HoME(
        WIDTH, TASKS, groups=((1,), (0,)), expert_dims=(5, 3), rank=2, **{"hidden": Hidden("silu", norm="none"), **o}
    ),
    "home of one group": lambda **o: nn.HoME(
        WIDTH,
        TASKS,
        groups=((0, 1),),
        experts=1,
        expert_dims=(5, 3),
        gate_dims=(4,),
        **{"hidden": Hidden("silu", norm="none"), **o},
    ),
    "stem": lambda **o: nn.STEM(WIDTH, TASKS, sets=((0, 3), (1, 3), (2, 3)), expert_dims=(5, 3), gate_dims=(4,), **o),
    "pepnet": lambda **o: nn.PEPNet(WIDTH, TASKS, scenario=(0,), priors=(1, 2), layer_dims=(5, 3), **o),
    "facet_aware_moe": lambda **o: nn.FacetAwareMoE(WIDTH, TASKS, facet=(1,), experts=3, expert_dim=4, heads=2, **o),
    "aitm": lambda **o: nn.AITM(WIDTH, TASKS, order=(1, 0), bottom_dims=(5, 3), **o),
}
WITHOUT_GATES = ("single_task", "shared_bottom", "cross_stitch", "pepnet", "aitm")
ONE_FOR_ALL = ("shared_bottom", "omoe", "omoe of two levels", "facet_aware_moe")
WITH_GATES = [name for name in MAKERS if name not in WITHOUT_GATES]


def made(name: str, **options: Any) -> Trunk:
    torch.manual_seed(0)
    return MAKERS[name](**options)


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("batch", [0, 1, 6])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", MAKERS)
def test_shapes_for_any_batch(name: str, norm: str, batch: int, training: bool) -> None:
    trunk = made(name, hidden=Hidden(norm=norm, dropout=0.2)).train(training)
    hidden, gates, _ = trunk.mix(torch.randn(batch, WIDTH))
    assert hidden.shape == (batch, TASKS, trunk.output_dim)
    assert hidden.isfinite().all()
    assert (gates is None) == (name not in WITH_GATES)
    assert gates is None or gates.shape[:2] == (batch, TASKS)
    scores = Towers(TASKS, trunk.output_dim, (4,), hidden=Hidden(norm=norm)).train(training)(hidden)
    assert scores.shape == (batch, TASKS)


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("name", WITH_GATES)
def test_gates_sum_to_one(name: str, autocast: bool) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        hidden, gates, _ = made(name).mix(torch.randn(50, WIDTH) * 3)
    assert gates.dtype == torch.float32
    assert gates.min() >= 0
    torch.testing.assert_close(gates.sum(dim=2), torch.ones(50, TASKS), atol=1e-6, rtol=0)
    assert hidden.isfinite().all()


@pytest.mark.parametrize("name", MAKERS)
def test_a_row_does_not_depend_on_its_batch(name: str) -> None:
    trunk = made(name, hidden=Hidden(norm="batch")).eval()
    x = torch.randn(6, WIDTH)
    for row in range(6):
        torch.testing.assert_close(trunk(x[row : row + 1]), trunk(x)[row : row + 1], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", MAKERS)
def test_every_parameter_learns(name: str) -> None:
    trunk = made(name, hidden=Hidden(activation="tanh"))
    trunk(torch.randn(20, WIDTH)).sin().sum().backward()
    still = [name for name, p in trunk.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_without_memory_for_weights(name: str) -> None:
    with torch.device("meta"):
        sizes = [p.shape for p in MAKERS[name](hidden=Hidden(norm="layer")).parameters()]
    assert sizes == [p.shape for p in made(name, hidden=Hidden(norm="layer")).parameters()]


@pytest.mark.parametrize("name", MAKERS)
def test_a_copy_of_the_state_gives_the_same(name: str) -> None:
    trunk, copy = made(name, hidden=Hidden(norm="batch")), MAKERS[name](hidden=Hidden(norm="batch"))
    trunk(torch.randn(9, WIDTH))
    copy.load_state_dict(trunk.state_dict())
    x = torch.randn(5, WIDTH)
    assert torch.equal(trunk.eval()(x), copy.eval()(x))


def test_tasks_differ_where_they_are_to() -> None:
    x = torch.randn(5, WIDTH)
    for name in MAKERS:
        hidden = made(name)(x)
        assert torch.equal(hidden[:, 0], hidden[:, 1]) == (name in ONE_FOR_ALL)


def test_mixed_is_what_trunks_give() -> None:
    assert all(isinstance(made(name).mix(torch.zeros(2, WIDTH)), Mixed) for name in MAKERS)
