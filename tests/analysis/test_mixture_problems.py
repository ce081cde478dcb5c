"""What is wrong, in words: planted faults are found, and a healthy model has none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gatewise.analysis import (
    Problem,
    Similarity,
    expert_similarity,
    gate_usage,
    mixture_problems,
    starving_tasks,
    unfinished_training,
)
from gatewise.nn import PLE, DSelectKGates, MMoE, MultiTaskModel, TensorTable, TopKGates

NAMES = ["click", "stars"]


def found(model: MultiTaskModel, table: TensorTable) -> list[Problem]:
    return mixture_problems(gate_usage(model, NAMES, table), expert_similarity(model, NAMES, table))


def test_a_healthy_model_has_no_problem(make_model: Callable[..., MultiTaskModel], table: TensorTable) -> None:
    assert found(make_model(), table) == []
    assert found(make_model(lambda width: PLE(width, 2, expert_dims=(5,))), table) == []


class Given(nn.Module):
    """Gates that give the same weights ``[gate, expert]`` to every row, but for a little that the input decides."""

    def __init__(self, weights: list[list[float]]) -> None:
        super().__init__()
        self.weights = torch.tensor(weights)

    def forward(self, x: Tensor) -> Tensor:
        return self.weights.expand(len(x), -1, -1)


def gated_by(weights: list[list[float]]) -> Callable[[int], MMoE]:
    return lambda width: MMoE(width, 2, experts=3, expert_dims=(5,), gate=Given(weights))


def test_an_expert_that_no_gate_uses_is_dead(make_model: Callable[..., MultiTaskModel], table: TensorTable) -> None:
    (problem,) = found(make_model(gated_by([[0.5, 0.0, 0.5], [0.3, 0.005, 0.695]])), table)
    assert problem.kind == "dead expert"
    assert problem.who == ("expert 1",)
    assert str(problem) == (
        "expert 1 is dead: no gate gives it more than 0.0050 on average; try fewer experts or a lower lr"
    )


def test_an_expert_killed_on_purpose_is_dead_whatever_its_weight(
    make_model: Callable[..., MultiTaskModel], table: TensorTable
) -> None:
    model = make_model()
    with torch.no_grad():
        model.trunk.levels[0].experts.mlp.layers[0].bias[2] = -1e3
    (problem,) = found(model, table)
    assert (problem.kind, problem.who) == ("dead expert", ("expert 2",))
    assert "gives the same for all rows" in problem.found


def test_a_one_hot_gate_has_collapsed(make_model: Callable[..., MultiTaskModel], table: TensorTable) -> None:
    problems = found(make_model(gated_by([[0.0, 1.0, 0.0], [0.4, 0.3, 0.3]])), table)
    assert [(problem.kind, problem.who) for problem in problems] == [("collapsed gate", ("click",))]
    assert problems[0].found == (
        "the gate of task 'click' has collapsed: its largest weight is 1.000 on average, mostly of expert 1"
    )


@pytest.mark.parametrize("kind", [TopKGates, DSelectKGates])
def test_gates_that_are_meant_to_be_sparse_may_choose_one_expert_a_row(
    kind: type, make_model: Callable[..., MultiTaskModel], table: TensorTable
) -> None:
    model = make_model(lambda width: MMoE(width, 2, experts=4, expert_dims=(5,), gate=partial(kind, k=1)))
    gates = model.trunk.levels[0].gates
    with torch.no_grad():
        gates.linear.weight.mul_(1e4)
    (usage,) = gate_usage(model, NAMES, table)
    assert usage.largest.min() > 0.99
    assert [problem for problem in found(model, table) if problem.kind == "collapsed gate"] == []


def test_a_sparse_gate_that_chooses_the_same_expert_for_all_rows_has_collapsed(
    make_model: Callable[..., MultiTaskModel], table: TensorTable
) -> None:
    model = make_model(
        lambda width: MMoE(
            width, 2, experts=3, expert_dims=(5,), gate=lambda *a, **o: TopKGates(*a, k=1, bias=True, **o)
        )
    )
    with torch.no_grad():
        model.trunk.levels[0].gates.linear.bias[:, 1] = 1e4
    problems = found(model, table)
    assert [problem.who for problem in problems if problem.kind == "collapsed gate"] == [("click",), ("stars",)]
    assert [problem.who for problem in problems if problem.kind == "dead expert"] == [("expert 0",), ("expert 2",)]


def test_a_gate_that_reaches_one_expert_has_no_choice(
    make_model: Callable[..., MultiTaskModel], table: TensorTable
) -> None:
    model = make_model(lambda width: PLE(width, 2, own_experts=1, shared_experts=0, expert_dims=(5,)))
    assert found(model, table) == []


def test_problems_of_a_lower_level_name_it(make_model: Callable[..., MultiTaskModel], table: TensorTable) -> None:
    model = make_model(lambda width: PLE(width, 2, own_experts=1, shared_experts=1, expert_dims=(5,)))
    with torch.no_grad():
        below = model.trunk.levels[0]
        below.experts.experts.mlp.layers[0].bias[0] = -1e3
        below.gates.linear = nn.Identity()
        below.gates.logits = lambda x: torch.tensor([[0.0, 0, 0], [0, 0, 0], [0, 0, 99]]).expand(len(x), -1, -1)
    assert [str(problem).split(":")[0] for problem in found(model, table)] == [
        "the gate of 'shared' in level 1 has collapsed",
        "expert 'click 0' in level 1 is dead",
    ]


def test_experts_that_give_almost_the_same_are_named_together(
    make_model: Callable[..., MultiTaskModel], table: TensorTable
) -> None:
    model = make_model(lambda width: MMoE(width, 2, experts=5, expert_dims=(5,)))
    with torch.no_grad():
        for weight in model.trunk.levels[0].experts.parameters():
            weight[2], weight[4] = weight[0], 1.5 * weight[0]
    (problem,) = found(model, table)
    assert problem.who == ("expert 0", "expert 2", "expert 4")
    assert problem.found == "expert 0, expert 2 and expert 4 give almost the same: a CKA of 1.000"


def test_slices_are_not_judged_and_one_row_says_nothing() -> None:
    assert mixture_problems([], [Similarity("experts", ("expert 0",), np.array([[np.nan]]), 1)]) == []


def train(**weights: float) -> dict[str, dict[str, float]]:
    return {task: {"weight": weight, "loss": 1.0} for task, weight in weights.items()}


def test_a_task_of_little_weight_starves_unless_it_is_meant_to() -> None:
    assert starving_tasks(train(click=1.0, stars=0.06)) == []
    (problem,) = starving_tasks(train(click=1.0, stars=0.04))
    assert problem.who == ("stars",)
    assert problem.found == "task 'stars' starves: it is given a weight of 0.04, 'click' one of 1"
    assert starving_tasks(train(click=1.0, stars=0.04), declared={"stars": 0.04}) == []
    assert starving_tasks(train(click=1.0, stars=0.0), declared={"stars": 0.0}) == []


def test_a_task_of_short_gradients_starves() -> None:
    def conflict(ratio: float | None) -> list[dict[str, object]]:
        return [{"at": "experts", "tasks": ["click", "stars"], "norm_ratio": ratio, "steps": 3}]

    even = train(click=1.0, stars=1.0)
    assert starving_tasks(even, conflict(0.06)) == starving_tasks(even, conflict(None)) == []
    assert [problem.who for problem in starving_tasks(even, conflict(0.04))] == [("click",)]
    assert [problem.who for problem in starving_tasks(even, conflict(25.0))] == [("stars",)]
    # a larger weight feeds it
    assert starving_tasks(train(click=2.0, stars=1.0), conflict(0.04)) == []
    elsewhere = [record | {"at": "representation"} for record in conflict(0.01)]
    assert starving_tasks(even, elsewhere) == []


@pytest.mark.parametrize(
    ("scores", "epochs", "said"),
    [
        ([0.5, 0.6, 0.7], 3, "the last of 3 epochs is the best one, and the score still rose by 0.1 in it"),
        ([0.5, 0.7, 0.6, 0.72], 4, "the last of 4 epochs is the best one, and the score still rose by 0.02 in it"),
        # a hundredth of all progress, and less than a two hundredth
        ([0.5, 0.6, 0.601], 3, "the last of 3 epochs is the best one, and the score still rose by 0.001 in it"),
        ([0.5, 0.6, 0.6004], 3, None),
        # stopped early, or best before the end
        ([0.5, 0.6, 0.7], 10, None),
        ([0.5, 0.7, 0.6], 3, None),
        # too short to tell, or nothing to judge by
        ([0.5, 0.7], 2, None),
        ([None, None, None], 3, None),
    ],
)
def test_training_that_ended_before_learning_did(scores: list[float | None], epochs: int, said: str | None) -> None:
    found = unfinished_training(scores, epochs)
    assert [problem.found for problem in found] == ([] if said is None else [said])
    assert all(problem.kind == "unfinished training" and "more epochs" in problem.remedy for problem in found)
