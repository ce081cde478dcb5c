"""Top-k and DSelect-k: who counts, and who is not even asked."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch import Tensor, nn

from gatewise.errors import ShapeError
from gatewise.nn import CGC, DSelectKGates, Hidden, MMoE, SoftmaxGates, TopKGates
from gatewise.nn.gates.dselect_k import smooth_step


class TestTopK:
    def test_it_is_softmax_restricted_and_scaled(self) -> None:
        torch.manual_seed(0)
        gates, whole = TopKGates(4, 3, 7, k=3), SoftmaxGates(4, 3, 7)
        whole.load_state_dict(gates.state_dict())
        x = torch.randn(40, 4)
        weights, soft = gates(x).weights, whole(x).weights
        assert ((weights > 0).sum(dim=2) == 3).all()
        least = soft.sort(dim=2, descending=True).values[..., 2:3]
        restricted = soft * (soft >= least)
        torch.testing.assert_close(weights, restricted / restricted.sum(dim=2, keepdim=True), atol=1e-6, rtol=1e-5)

    def test_all_of_them_are_softmax(self) -> None:
        torch.manual_seed(0)
        gates, whole = TopKGates(4, 2, 5, k=5), SoftmaxGates(4, 2, 5)
        whole.load_state_dict(gates.state_dict())
        x = torch.randn(9, 4)
        torch.testing.assert_close(gates(x).weights, whole(x).weights, atol=1e-6, rtol=0)

    def test_noise_is_for_training_and_is_learnt(self) -> None:
        torch.manual_seed(0)
        gates, x = TopKGates(4, 2, 5, k=2, noisy=True), torch.randn(30, 4)
        assert not torch.equal(gates(x).weights, gates(x).weights)
        gates(x).weights[..., 0].sum().backward()
        assert gates.noise.weight.grad.any()
        gates.eval()
        assert torch.equal(gates(x).weights, gates(x).weights)
        # softplus(0) = ln 2 is the noise's deviation at first
        gates.train()
        with torch.no_grad():
            noise = torch.stack([gates.logits(x) for _ in range(400)]).std(dim=0)
        assert noise.mean().item() == pytest.approx(math.log(2), abs=0.02)

    @pytest.mark.parametrize(("k", "reach", "most"), [(6, None, 5), (3, [[1, 1, 0, 0, 0], [1, 1, 1, 1, 1]], 2)])
    def test_more_than_there_are_is_refused(self, k: int, reach: list[list[int]] | None, most: int) -> None:
        mask = None if reach is None else torch.tensor(reach).bool()
        message = f"k: expected at most {most}, as many experts as a gate reaches, found {k}"
        with pytest.raises(ShapeError, match=re.escape(message)):
            TopKGates(4, 2, 5, k=k, reach=mask)


class TestDSelectK:
    def test_smooth_step(self) -> None:
        t = torch.tensor([-2.0, -0.5, -0.25, 0.0, 0.25, 0.5, 2.0], dtype=torch.float64, requires_grad=True)
        step = smooth_step(t)
        assert step.tolist() == pytest.approx([0.0, 0.0, 0.15625, 0.5, 0.84375, 1.0, 1.0])
        step.sum().backward()
        assert t.grad.tolist() == pytest.approx([0, 0, 1.125, 1.5, 1.125, 0, 0])
        assert smooth_step(torch.tensor([1.0]), gamma=4.0).item() == pytest.approx(0.84375)

    def test_by_hand(self) -> None:
        """Four experts, two selectors: one undecided in a bit, one decided."""
        gates = DSelectKGates(1, 1, 4, k=2, per_row=False, selector_entropy=0.7)
        with torch.no_grad():
            # bits (1/2, 1) and (27/32, 0): the lowest bit first; shares softmax(0, ln 3)
            gates.selection.copy_(torch.tensor([[0.0, 0.5, 0.25, -0.5, 0.0, math.log(3)]]))
        weights, penalty = gates(torch.zeros(1, 1))
        first, second = [0.0, 0.0, 0.5, 0.5], [5 / 32, 27 / 32, 0.0, 0.0]
        expected = [0.25 * a + 0.75 * b for a, b in zip(first, second, strict=True)]
        assert weights[0, 0].tolist() == pytest.approx(expected, abs=1e-6)
        entropy = -sum(p * math.log(p) for p in (*first, *second) if p)
        assert penalty.item() == pytest.approx(0.7 * entropy, abs=1e-5)

    @pytest.mark.parametrize("experts", [1, 2, 3, 5, 8])
    def test_every_expert_has_a_code_of_its_own(self, experts: int) -> None:
        gates = DSelectKGates(1, 1, experts, k=1, per_row=False)
        assert len({tuple(code.tolist()) for code in gates.codes}) == experts
        for expert in range(experts):
            with torch.no_grad():
                gates.selection[0, : gates.bits] = gates.codes[expert].float() - 0.5
            assert gates(torch.zeros(1, 1)).weights[0, 0].tolist() == [float(i == expert) for i in range(experts)]

    def test_codes_without_an_expert_are_left(self) -> None:
        gates = DSelectKGates(1, 1, 3, k=1, per_row=False, selector_entropy=0.0, unused_codes=0.5)
        with torch.no_grad():
            gates.selection[0, :2] = torch.tensor([0.25, 0.25])
        # three quarters of each bit: the code of no expert has (27/32)^2
        weights, penalty = gates(torch.zeros(1, 1))
        used = 1 - (27 / 32) ** 2
        assert weights.sum().item() == pytest.approx(1)
        assert penalty.item() == pytest.approx(0.5 / used, rel=1e-5)
        penalty.backward()
        assert (gates.selection.grad[0, :2] > 0).all()

    @pytest.mark.parametrize("per_row", [False, True])
    @pytest.mark.parametrize("experts", [8, 6])
    def test_once_settled_at_most_k_count(self, experts: int, per_row: bool) -> None:
        torch.manual_seed(1)
        gates = DSelectKGates(5, 2, experts, k=2, per_row=per_row, selector_entropy=0.3, unused_codes=0.01)
        values = torch.randn(2, experts)
        optimizer = torch.optim.Adam(gates.parameters(), lr=0.05)
        x = torch.cat([0.1 * torch.randn(64, 4), torch.ones(64, 1)], dim=1)
        assert ((gates(x).weights > 0).sum(dim=2) > 2).all()
        for _ in range(400):
            weights, penalty = gates(x)
            loss = -(weights * values).sum(dim=2).mean() + penalty
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        weights = gates(x).weights
        assert weights.isfinite().all()
        assert ((weights > 0).sum(dim=2) <= 2).all()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"k": 6}, "k: expected at most 5"),
            ({"gamma": 0.0}, "gamma: expected a positive number, found 0.0"),
            ({"temperature": 2.0}, "temperature: gates that select by codes have no logits to apply it to"),
            ({"z_loss": 0.1}, "z_loss: gates that select by codes"),
            ({"reach": torch.ones(2, 5, dtype=torch.bool)}, "reach: gates that select by codes"),
        ],
    )
    def test_what_cannot_work_is_refused(self, options: dict[str, object], message: str) -> None:
        with pytest.raises(ShapeError, match=re.escape(message)):
            DSelectKGates(4, 2, 5, **options)


class TestSkipping:
    @pytest.mark.parametrize("norm", ["none", "batch", "layer"])
    @pytest.mark.parametrize("trunk", [MMoE, CGC])
    def test_it_changes_nothing(self, trunk: type, norm: str) -> None:
        torch.manual_seed(0)
        size = {"experts": 6} if trunk is MMoE else {"own_experts": (2, 3), "shared_experts": 2}
        model = trunk(4, 2, expert_dims=(5, 3), gate=TopKGates, hidden=Hidden(norm=norm, dropout=0.5), **size)
        model(torch.randn(50, 4))
        x = torch.randn(30, 4)
        dense = model.eval()(x)
        with torch.no_grad():
            skipped, none = model(x), model(x[:0])
        torch.testing.assert_close(skipped, dense, atol=1e-6, rtol=1e-5)
        assert none.shape == (0, 2, 3)

    def test_who_is_not_chosen_does_not_run(self) -> None:
        ran: list[tuple[int, int]] = []

        class Noted(nn.Linear):
            def forward(self, x: Tensor) -> Tensor:
                ran.append((self.number, len(x)))
                return super().forward(x)

        experts = [Noted(2, 3) for _ in range(4)]
        for number, expert in enumerate(experts):
            expert.number = number
        trunk = MMoE(2, 1, experts=experts, gate=TopKGates(2, 1, 4, k=1)).eval()
        with torch.no_grad():
            trunk.levels[0].gates.module.linear.weight.copy_(torch.tensor([[[1.0, 0], [0, 1], [-1, 0], [0, -1]]]))
            ran.clear()
            x = torch.tensor([[5.0, 0], [0, 5], [4, 0], [3, 0]])
            found = trunk(x)
        assert ran == [(0, 3), (1, 1)]
        torch.testing.assert_close(found[[0, 2, 3], 0], nn.functional.linear(x[[0, 2, 3]], *experts[0].parameters()))
