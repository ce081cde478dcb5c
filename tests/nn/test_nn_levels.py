"""Looking into trunks: which levels they have, and taps that see or change what is mixed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from test_nn_trunks_alike import MAKERS, TASKS, WIDTH, WITH_GATES, WITHOUT_GATES, made
from torch import Tensor

from gatewise.nn import HoME, MMoE, MoSE, Padded, TopKGates, Usage, hooked, levels_of

NAMES = ["click", "stars"]


def watcher(seen: list[tuple[Tensor, Tensor]]) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return a tap that keeps what it sees and changes nothing."""

    def look(weights: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
        seen.append((weights, outputs))
        return weights, outputs

    return look


def rows(count: int = 30) -> Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", MAKERS)
def test_taps_that_only_look_change_nothing_and_see_what_is_mixed(name: str) -> None:
    trunk, x = made(name).eval(), rows()
    levels, seen = levels_of(trunk, NAMES), []
    assert bool(levels) == (name not in WITHOUT_GATES)
    if not levels:
        return
    with torch.no_grad():
        before = trunk.mix(x)
        with hooked(
            levels[-1], mixture=lambda weights, outputs: (seen.append((weights, outputs)), (weights, outputs))[1]
        ):
            during = trunk.mix(x)
        after = trunk.mix(x)
    ((weights, outputs),) = seen
    torch.testing.assert_close(during.hidden, before.hidden, atol=1e-6, rtol=1e-5)
    assert torch.equal(after.hidden, before.hidden)
    mixed = torch.einsum("bge,bew->bgw", weights, outputs).expand(-1, TASKS, -1)
    torch.testing.assert_close(mixed, before.hidden, atol=1e-6, rtol=1e-5)
    assert outputs.shape[1] == len(levels[-1].expert_names) == before.gates.shape[2]


@pytest.mark.parametrize("name", WITH_GATES)
def test_what_a_gate_tap_returns_takes_the_weights_place(name: str) -> None:
    trunk, x, seen = made(name).eval(), rows(), []
    (*_, level) = levels_of(trunk, NAMES)
    with torch.no_grad():
        with hooked(level, gates=seen.append):
            before = trunk.mix(x)
        with hooked(level, gates=torch.zeros_like):
            mixed = trunk.mix(x)
    assert torch.equal(seen[0].expand_as(before.gates), before.gates)
    assert not mixed.gates.any()
    # a residual beside the gates stays
    assert ("adatt" in name or "home" in name) == bool(mixed.hidden.any())


def test_nothing_is_left_behind_when_a_run_fails() -> None:
    trunk = MMoE(WIDTH, TASKS, experts=3, expert_dims=(5,)).eval()
    (level,) = levels_of(trunk, NAMES)

    def fail(*_: Tensor) -> tuple[Tensor, Tensor]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"), torch.no_grad(), hooked(level, gates=lambda _: None, mixture=fail):
        trunk(rows())
    assert level.experts.mixture_hook is None
    assert not level.gates._forward_hooks


def test_names_say_whose_experts_are() -> None:
    assert levels_of(made("mmoe"), NAMES)[0].expert_names == ("expert 0", "expert 1", "expert 2")
    assert levels_of(made("cgc"), NAMES)[0].expert_names == ("click 0", "stars 0", "stars 1", "shared 0")
    trunk = HoME(5, 3, groups=((0, 2), (1,)), experts=1, expert_dims=(4,))
    below, above = levels_of(trunk, ["click", "stars", "like"])
    assert (below.name, above.name) == ("level 1", "level 2")
    assert below.gate_names == ("group click+like", "group stars", "shared")
    assert below.expert_names == ("group click+like 0", "group stars 0", "shared 0")
    assert above.gate_names[:3] == ("click", "stars", "like")
    assert above.expert_names == ("click 0", "stars 0", "like 0", *below.expert_names)


def test_readers_of_a_sequence_are_experts_too() -> None:
    torch.manual_seed(0)
    trunk = MoSE(WIDTH, TASKS, sequence_dim=2, experts=3, expert_dim=4).eval()
    items, seen = Padded(torch.randn(5, 4, 2), torch.ones(5, 4, dtype=torch.bool)), []
    (level,) = levels_of(trunk, NAMES)
    with torch.no_grad(), hooked(level, mixture=watcher(seen)):
        trunk(rows(5), items)
    for number, reader in enumerate(trunk.experts.experts):
        torch.testing.assert_close(seen[0][1][:, number], reader(items))


def test_experts_that_sparse_gates_leave_out_are_seen_too() -> None:
    trunk = MMoE(WIDTH, TASKS, experts=3, expert_dims=(5,), gate=lambda *a, **o: TopKGates(*a, k=1, **o)).eval()
    (level,), seen = levels_of(trunk, NAMES), []
    assert level.sparse
    with torch.no_grad():
        before = trunk(rows())
        with hooked(level, mixture=watcher(seen)):
            during = trunk(rows())
    torch.testing.assert_close(during, before, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(seen[0][1], level.experts(rows()))


def test_usage_of_batches_is_that_of_all_rows() -> None:
    weights = torch.tensor([[[0.5, 0.5, 0.0]], [[0.2, 0.8, 0.0]], [[0.0, 1.0, 0.0]]])
    usage = Usage(torch.tensor([[True, True, False]]))
    usage.add(weights[:1])
    usage.add(weights[1:])
    log = torch.log
    entropies = log(torch.tensor(2.0)), -0.2 * log(torch.tensor(0.2)) - 0.8 * log(torch.tensor(0.8)), 0.0
    torch.testing.assert_close(usage.weights, torch.tensor([[0.7 / 3, 2.3 / 3, 0.0]]).double())
    assert usage.entropy.item() == pytest.approx(float(sum(entropies)) / 3)
    assert usage.relative_entropy.item() == pytest.approx(float(sum(entropies)) / 3 / float(log(torch.tensor(2.0))))
    assert usage.largest.item() == pytest.approx(2.3 / 3)
    # of equal weights the first is the largest
    torch.testing.assert_close(usage.utilisation, torch.tensor([[1 / 3, 2 / 3, 0.0]]).double())


def test_a_gate_without_a_choice_has_no_relative_entropy() -> None:
    usage = Usage(torch.tensor([[True, False]]))
    usage.add(torch.tensor([[[1.0, 0.0]]]))
    assert usage.relative_entropy.tolist() == [0.0]
