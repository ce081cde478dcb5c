"""What gates promise, whatever their kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import gatewise as gw
from gatewise.errors import DeclarationError, ShapeError
from gatewise.nn import CGC, AttentionGates, DSelectKGates, Gates, MMoE, SoftmaxGates, TopKGates

IN, GATES, EXPERTS = 6, 2, 5
KINDS: dict[str, Callable[..., Gates]] = {
    "softmax": lambda **o: SoftmaxGates(IN, GATES, EXPERTS, **o),
    "softmax with hidden layers": lambda **o: SoftmaxGates(IN, GATES, EXPERTS, (4,), bias=True, **o),
    "attention": lambda **o: AttentionGates(IN, GATES, EXPERTS, tokens=3, width=4, heads=2, **o),
    "top_k": lambda **o: TopKGates(IN, GATES, EXPERTS, k=2, **o),
    "noisy top_k": lambda **o: TopKGates(IN, GATES, EXPERTS, k=3, noisy=True, **o),
    "dselect_k": lambda **o: DSelectKGates(IN, GATES, EXPERTS, k=2, **o),
    "static dselect_k": lambda **o: DSelectKGates(IN, GATES, EXPERTS, k=2, per_row=False, **o),
}
OF_LOGITS = [kind for kind in KINDS if "dselect" not in kind]


def made(kind: str, **options: Any) -> Gates:
    torch.manual_seed(0)
    return KINDS[kind](**options)


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("kind", KINDS)
def test_weights_sum_to_one(kind: str, dropout: float, training: bool, autocast: bool) -> None:
    gates = made(kind, dropout=dropout).train(training)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        weights = gates(3 * torch.randn(50, IN)).weights
    assert weights.shape == (50, GATES, EXPERTS)
    assert weights.dtype == torch.float32
    assert weights.min() >= 0
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(50, GATES), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_gate_may_read_its_own_input(kind: str) -> None:
    gates = made(kind).eval()
    x = torch.randn(7, GATES, IN)
    weights = gates(x).weights
    for gate in range(GATES):
        torch.testing.assert_close(weights[:, gate], gates(x[:, gate]).weights[:, gate], atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_and_one(kind: str, rows: int) -> None:
    assert made(kind).eval()(torch.randn(rows, IN)).weights.shape == (rows, GATES, EXPERTS)


@pytest.mark.parametrize("kind", OF_LOGITS)
def test_out_of_reach_is_exactly_nothing(kind: str) -> None:
    reach = torch.tensor([[True, True, False, True, False], [True, True, True, True, True]])
    gates = made(kind, reach=reach, entropy=1.0, importance=1.0)
    weights, penalty = gates(torch.randn(9, IN))
    assert torch.equal(weights[:, 0, [2, 4]], torch.zeros(9, 2))
    assert weights[:, 1, [2, 4]].sum() > 0
    (weights.square().sum() + penalty).backward()
    assert torch.equal(gates.linear.weight.grad[0, [2, 4]], torch.zeros(2, gates.linear.weight.shape[2]))
    assert gates.linear.weight.grad.isfinite().all()
    assert gates.linear.weight.grad.any()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "static dselect_k"])
def test_a_gate_of_some_features_reads_nothing_else(kind: str) -> None:
    gates = made(kind, columns=(1, 4)).eval()
    x = torch.randn(8, IN, requires_grad=True)
    weights = gates(x).weights
    (weights * torch.arange(1.0, EXPERTS + 1)).sum().backward()
    assert (x.grad.abs().amax(dim=0) > 0).tolist() == [False, True, False, False, True, False]
    other = torch.randn(8, IN)
    other[:, [1, 4]] = x[:, [1, 4]].detach()
    assert torch.equal(gates(other).weights, weights)


def test_columns_outside_the_input_are_refused() -> None:
    for columns in ((), (1, 6)):
        with pytest.raises(
            ShapeError, match=re.escape(f"columns: expected columns from 0 to 5, found {list(columns)}")
        ):
            SoftmaxGates(IN, GATES, EXPERTS, columns=columns)


@pytest.mark.parametrize("kind", ["softmax", "softmax with hidden layers", "attention"])
def test_zeros_at_first_are_even_weights(kind: str) -> None:
    weights = made(kind, zero_init=True)(torch.randn(9, IN)).weights
    torch.testing.assert_close(weights, torch.full_like(weights, 1 / EXPERTS))


class TestDropout:
    def test_who_is_left_shares_the_whole(self) -> None:
        gates, x = made("softmax", dropout=0.3), torch.randn(4000, IN)
        with torch.no_grad():
            dropped, whole = gates(x).weights, gates.eval()(x).weights
        assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
        kept = dropped > 0
        expected = whole * kept / (whole * kept).sum(dim=2, keepdim=True)
        torch.testing.assert_close(dropped, expected, atol=1e-6, rtol=1e-5)

    def test_a_row_never_loses_all(self) -> None:
        torch.manual_seed(0)
        gates, x = SoftmaxGates(IN, 1, 2, dropout=0.95), torch.randn(500, IN)
        with torch.no_grad():
            dropped, whole = gates(x).weights, gates.eval()(x).weights
        both = (dropped > 0).all(dim=2)
        assert both.float().mean() > 0.8
        # dividing by their sum may move the last digit
        torch.testing.assert_close(dropped[both], whole[both], atol=1e-6, rtol=1e-6)


class TestTemperature:
    def test_logits_are_divided(self) -> None:
        warm, plain = made("softmax", temperature=2.5), made("softmax")
        x = torch.randn(6, IN)
        torch.testing.assert_close(warm(x).weights, (plain.logits(x) / 2.5).softmax(dim=2))

    def test_it_moves_by_equal_factors_in_training_alone(self) -> None:
        gates, x = made("softmax", temperature=8.0, final_temperature=0.5, anneal_steps=4), torch.randn(6, IN)
        logits = made("softmax").logits(x)
        for expected in (8.0, 4.0, 2.0, 1.0, 0.5, 0.5):
            torch.testing.assert_close(gates.eval()(x).weights, (logits / expected).softmax(dim=2))
            torch.testing.assert_close(gates.train()(x).weights, (logits / expected).softmax(dim=2))

    def test_a_copy_of_the_state_goes_on_where_it_was(self) -> None:
        options = {"temperature": 8.0, "final_temperature": 0.5, "anneal_steps": 4}
        gates, copy, x = made("softmax", **options), made("softmax", **options), torch.randn(6, IN)
        gates(x)
        gates(x)
        copy.load_state_dict(gates.state_dict())
        assert torch.equal(copy(x).weights, gates(x).weights)
        assert float(copy.temperature.current()) == pytest.approx(1.0)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"temperature": 0.0}, "temperature: expected a positive number, found 0.0"),
            (
                {"final_temperature": -1.0, "anneal_steps": 3},
                "final_temperature: expected a positive number, found",
            ),
            ({"final_temperature": 0.5}, "anneal_steps: goes with final_temperature, found 0 and 0.5"),
            ({"anneal_steps": 3}, "anneal_steps: goes with final_temperature, found 3 and None"),
        ],
    )
    def test_what_cannot_work_is_refused(self, options: dict[str, float], message: str) -> None:
        with pytest.raises(ShapeError, match=re.escape(message)):
            made("softmax", **options)


class TestPenalties:
    def penalty(self, logits: list[list[float]], **strength: float) -> float:
        """Of one gate whose logits are the input itself."""
        gates = SoftmaxGates(len(logits[0]), 1, len(logits[0]), **strength)
        with torch.no_grad():
            gates.linear.weight.copy_(torch.eye(len(logits[0])).unsqueeze(0))
        return gates(torch.tensor(logits)).penalty.item()

    def test_importance_by_hand(self) -> None:
        # weights (3/4, 1/4) and (1/2, 1/2): totals 5/4 and 3/4, mean 1, variance 1/16
        found = self.penalty([[torch.tensor(3.0).log().item(), 0.0], [1.0, 1.0]], importance=2.0)
        assert found == pytest.approx(2.0 / 16)

    def test_entropy_by_hand(self) -> None:
        weights = torch.tensor([0.75, 0.25])
        lacks = torch.tensor(2.0).log() + (weights * weights.log()).sum()
        found = self.penalty([[torch.tensor(3.0).log().item(), 0.0], [1.0, 1.0]], entropy=4.0)
        assert found == pytest.approx(4.0 * lacks.item() / 2)

    def test_z_loss_by_hand(self) -> None:
        found = self.penalty([[2.0, 0.0], [-1.0, -3.0]], z_loss=0.5)
        sizes = [torch.tensor(row).exp().sum().log().item() for row in ([2.0, 0.0], [-1.0, -3.0])]
        assert found == pytest.approx(0.5 * (sizes[0] ** 2 + sizes[1] ** 2) / 2)

    @pytest.mark.parametrize("kind", OF_LOGITS)
    def test_none_in_evaluation_or_without_strength(self, kind: str) -> None:
        x = torch.randn(5, IN)
        assert made(kind)(x).penalty is None
        gates = made(kind, importance=1.0, entropy=1.0, z_loss=1.0)
        assert gates(x).penalty is not None
        assert gates.eval()(x).penalty is None

    @pytest.mark.parametrize("name", ["importance", "entropy", "z_loss"])
    @pytest.mark.parametrize("trunk", [MMoE, CGC])
    def test_they_reach_the_loss_of_a_ranker(self, trunk: type, name: str) -> None:
        schema = gw.Schema(features=[gw.Numeric("a")], tasks=[gw.Binary("click"), gw.Binary("buy")])
        rows = {"a": [0.1, -0.4, 2.0, 1.0] * 10, "click": [0, 1, 1, 0] * 10, "buy": [0, 0, 1, 0] * 10}

        def learnt(strength: float) -> Tensor:
            model = getattr(gw, trunk.__name__)(gate=gw.SoftmaxGate(**{name: strength}))
            ranker = gw.Ranker(schema, model, epochs=2, batch_size=10, lr=0.05).fit(rows)
            return ranker.scorer.model.trunk.levels[0].gates.linear.weight

        assert torch.equal(learnt(0.0), learnt(0.0))
        assert (learnt(3.0) - learnt(0.0)).abs().max() > 1e-3


class TestAnyModule:
    def test_a_module_that_gives_weights_is_a_gate(self) -> None:
        class Even(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return torch.full((len(x), GATES, 3), 1 / 3)

        trunk = MMoE(IN, GATES, experts=3, expert_dims=(4,), gate=Even())
        x = torch.randn(7, IN)
        expected = trunk.levels[0].experts(x).mean(dim=1)
        for task in range(GATES):
            torch.testing.assert_close(trunk(x)[:, task], expected, atol=1e-6, rtol=1e-5)

    @pytest.mark.parametrize(
        ("gives", "found"),
        [
            ((7, GATES, 4), f"torch.float32 [7, {GATES}, 4]"),
            ((7, GATES, 2), f"torch.float32 [7, {GATES}, 2]"),
            ((7, 3), "torch.float32 [7, 3]"),
            ((1, GATES, 3), f"torch.float32 [1, {GATES}, 3]"),
            ((7, GATES + 1, 3), f"torch.float32 [7, {GATES + 1}, 3]"),
        ],
    )
    @pytest.mark.parametrize("training", [True, False])
    def test_weights_of_other_experts_rows_or_gates_are_refused(
        self, gives: tuple[int, ...], found: str, training: bool
    ) -> None:
        class Wrong(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return torch.ones(gives)

        trunk = MMoE(IN, GATES, experts=3, expert_dims=(4,), gate=Wrong()).train(training)
        expected = f"gate Wrong: expected weights [batch, gate, expert] = [7, {GATES}, 3], found {found}"
        with pytest.raises(ShapeError, match=re.escape(expected)):
            trunk(torch.randn(7, IN))
        made = MMoE(IN, GATES, experts=3, expert_dims=(4,), gate=lambda *_, **__: Wrong())
        with pytest.raises(ShapeError, match=re.escape(expected)):
            made(torch.randn(7, IN))

    def test_in_several_levels_it_is_refused(self) -> None:
        with pytest.raises(ShapeError, match="gate: modules fit one level, whose width they have; found 2 levels"):
            MMoE(IN, GATES, experts=3, gate=nn.Identity(), levels=2)


SCHEMA = gw.Schema(
    features=[gw.Categorical("tab", dim=2), gw.Numeric("age")], tasks=[gw.Binary("click"), gw.Binary("buy")]
)
ROWS = {"tab": ["a", "b"] * 20, "age": [1.0, 2.0, 3.0, 4.0] * 10, "click": [0, 1] * 20, "buy": [0, 0, 1, 0] * 10}


# two tabs choose two experts each: the others are dead
@pytest.mark.filterwarnings("ignore:expert . is dead")
@pytest.mark.parametrize("kind", ["softmax", "attention", "top_k", "dselect_k"])
@pytest.mark.parametrize("architecture", [gw.MMoE, gw.OMoE, gw.AdaTT])
def test_every_kind_by_name(kind: str, architecture: type, tmp_path) -> None:
    options = {"levels": 1} if architecture is gw.AdaTT else {}
    model = architecture(gate={"kind": kind, "features": ["tab"]}, gate_dims=[3], **options)
    ranker = gw.Ranker(SCHEMA, model, epochs=2, batch_size=10).fit(ROWS)
    gates = ranker.scorer.model.trunk.levels[0].gates
    assert gates.columns.tolist() == [0, 1]
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(ROWS).equals(ranker.predict(ROWS))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            gw.MMoE(gate=gw.SoftmaxGate(features=["tub"])),
            "gate.features: no feature 'tub' (features: tab, age)",
        ),
        (
            gw.MMoE(gate=gw.SoftmaxGate(features=["tab"]), levels=2),
            "gate.features: the gates of this mmoe read",
        ),
        (gw.STEM(gate=gw.SoftmaxGate(features=["tab"])), "gate.features: the gates of this stem read no features"),
        (gw.MMoE(experts=3, gate=gw.TopKGate(k=4)), "gate.k: expected at most 3, the number of experts, found 4"),
        (
            gw.PLE(own_experts=[1, 3], gate=gw.TopKGate(k=4)),
            "gate.k: expected at most 3, the number of experts, found 4",
        ),
        (gw.CGC(own_experts=1, gate=gw.TopKGate(k=4)), "gate.k: expected at most 3, the number of experts, found 4"),
        (gw.PLE(gate="dselect_k"), "gate: dselect_k chooses among all experts, a gate of ple has some; use top_k"),
        (gw.OMoE(experts=3, gate=gw.DSelectKGate(k=4)), "gate.k: expected at most 3, the number of experts, found 4"),
    ],
)
def test_what_does_not_fit_is_refused_before_tables_are_read(model: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        gw.Ranker(SCHEMA, model)
