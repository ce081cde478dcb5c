from __future__ import annotations

import numpy as np

from gatewise.analysis import gate_problems


def test_healthy_gates_have_no_problem():
    gates = np.random.default_rng(0).dirichlet(np.ones(4), size=(100, 2))
    assert gate_problems(gates, ["a", "b"]) == []


def test_a_collapsed_gate_is_named_with_its_expert():
    gates = np.full((10, 2, 2), 0.5)
    gates[:, 1] = [0.004, 0.996]
    (problem,) = gate_problems(gates, ["a", "b"])
    assert problem.startswith(
        "the gate of task 'b' has collapsed: its largest weight is 0.996 on average, mostly of expert 1"
    )


def test_a_gate_that_picks_another_single_expert_on_every_row_has_collapsed_too():
    gates = np.zeros((10, 1, 2))
    gates[::2, :, 0], gates[1::2, :, 1] = 1, 1
    assert [p.split(":")[0] for p in gate_problems(gates, ["a"])] == ["the gate of task 'a' has collapsed"]


def test_an_expert_is_dead_only_when_no_task_uses_it():
    gates = np.tile([[0.0, 0.5, 0.5], [0.0, 1 / 3, 2 / 3]], (10, 1, 1))
    (problem,) = gate_problems(gates, ["a", "b"])
    assert problem.startswith("expert 0 is dead")
    gates[:, 1] = [0.1, 0.4, 0.5]
    assert gate_problems(gates, ["a", "b"]) == []


def test_a_single_expert_and_no_rows_are_no_problem():
    assert gate_problems(np.ones((10, 2, 1)), ["a", "b"]) == []
    assert gate_problems(np.ones((0, 2, 3)), ["a", "b"]) == []
