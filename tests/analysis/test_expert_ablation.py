from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch

from gatewise.analysis import expert_ablation
from gatewise.analysis.ablation import without_expert
from gatewise.errors import DeclarationError
from gatewise.nn import AdaTT, HoME, MMoE, MultiTaskModel, SharedBottom, TensorTable, levels_of
from gatewise.tasks import Task, evaluate_tasks

NAMES = ["click", "stars"]


def without_parameters(trunk: MMoE, expert: int) -> MMoE:
    """Return a trunk with one expert fewer, with the weights of the others."""
    kept = [i for i in range(3) if i != expert]
    old = trunk.levels[0]
    smaller = MMoE(old.gates.read_dim, 2, experts=2, expert_dims=(5,)).eval()
    level = smaller.levels[0]
    with torch.no_grad():
        for ours, theirs in zip(level.experts.parameters(), old.experts.parameters(), strict=True):
            ours.copy_(theirs[kept])
        level.gates.linear.weight.copy_(old.gates.linear.weight[:, kept])
    return smaller


def test_a_removed_expert_is_a_model_without_it(
    make_model: Callable[..., MultiTaskModel], tasks: list[Task], table: TensorTable
) -> None:
    model, done = make_model(), []
    (found,) = expert_ablation(model, tasks, table, done=done.append)
    whole = evaluate_tasks(tasks, model.score(table)[0], table.labels)
    assert (found.outputs, found.metrics) == (("click", "stars"), ("auc", "r2"))
    assert found.whole.tolist() == [whole["click"]["auc"], whole["stars"]["r2"]]
    trunk, rows = model.trunk, len(table)
    for expert in range(3):
        model.trunk = without_parameters(trunk, expert)
        fewer = evaluate_tasks(tasks, model.score(table)[0], table.labels)
        change = [fewer["click"]["auc"] - whole["click"]["auc"], fewer["stars"]["r2"] - whole["stars"]["r2"]]
        np.testing.assert_allclose(found.change[expert], change, atol=1e-5)
        assert np.abs(change).max() > 1e-3
    assert (found.rows, sum(done)) == (rows, 3)


def test_an_expert_without_weight_changes_nothing(
    make_model: Callable[..., MultiTaskModel], tasks: list[Task], table: TensorTable
) -> None:
    model = make_model(lambda width: MMoE(width, 2, experts=3, expert_dims=(5,), gate=only_two))
    (found,) = expert_ablation(model, tasks, table)
    assert not found.change[1].any()
    assert found.change[[0, 2]].all()


def only_two(*_: object, **__: object) -> torch.nn.Module:
    """Return gates that never give expert 1 any weight."""

    class Gates(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            share = x[:, :1].sigmoid()
            return torch.stack([share, torch.zeros_like(share), 1 - share], dim=2).expand(-1, 2, -1)

    return Gates()


def test_an_expert_that_was_used_alone_leaves_nothing_to_mix(
    make_model: Callable[..., MultiTaskModel], table: TensorTable
) -> None:
    model = make_model(lambda width: MMoE(width, 2, experts=1, expert_dims=(5,)), tower_dims=())
    (level,) = levels_of(model.trunk, NAMES)
    with without_expert(level, 0):
        scores, gates = model.score(table, gates=True)
    assert not gates.any()
    torch.testing.assert_close(scores, model.towers.bias.detach().expand(len(table), 2))


@pytest.mark.parametrize("kind", [AdaTT, HoME])
def test_what_a_trunk_adds_beside_its_gates_goes_too(
    kind: type, make_model: Callable[..., MultiTaskModel], table: TensorTable
) -> None:
    options = {"groups": ((0,), (1,)), "experts": 1} if kind is HoME else {"own_experts": 1}
    model = make_model(lambda width: kind(width, 2, expert_dims=(5,), **options), tower_dims=())
    (*_, level) = levels_of(model.trunk, NAMES)

    def scores() -> torch.Tensor:
        return model.score(table)[0]

    with without_expert(level, 0):
        before = scores()
        with torch.no_grad():
            for weight in level.experts.parameters():
                weight[0] += 1
        torch.testing.assert_close(scores(), before)
    assert (scores() - before).abs().max() > 0.01


def test_other_metrics_and_no_experts(
    make_model: Callable[..., MultiTaskModel], tasks: list[Task], table: TensorTable
) -> None:
    (found,) = expert_ablation(make_model(), tasks, table, metric="log_loss", rows=50)
    assert (found.metrics, found.greater_is_better, found.rows) == (("log_loss", "r2"), (False, True), 50)
    assert expert_ablation(make_model(lambda width: SharedBottom(width, 2)), tasks, table) == []
    with pytest.raises(DeclarationError, match="no task has a metric 'au'; did you mean 'auc'"):
        expert_ablation(make_model(), tasks, table, metric="au")


def test_rows_drawn_are_different_ones_in_order() -> None:
    from gatewise.analysis.rows import drawn_rows

    rows = drawn_rows(100, 30, 0).tolist()
    assert all(a < b for a, b in pairwise(rows))
    assert drawn_rows(20, 30, 0).tolist() == list(range(20))
    assert rows != drawn_rows(100, 30, 1).tolist()
