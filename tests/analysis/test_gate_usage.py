from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gatewise.analysis import Cut, gate_usage, json_values
from gatewise.nn import PLE, MultiTaskModel, OMoE, SharedBottom, TensorTable

NAMES = ["click", "stars"]


def test_slices_are_the_means_of_their_rows(make_model: Callable[..., MultiTaskModel], table: TensorTable) -> None:
    model, rows = make_model(), torch.arange(0, 300, 3)
    whole, part = gate_usage(model, NAMES, table, [Cut("user", "x", rows)])
    gates = model.score(table, gates=True)[1].double().numpy()
    for found, seen in ((whole, gates), (part, gates[rows])):
        assert found.rows == len(seen)
        np.testing.assert_allclose(found.weights, seen.mean(axis=0))
        entropy = -(seen * np.log(seen)).sum(axis=2).mean(axis=0)
        np.testing.assert_allclose(found.entropy, entropy)
        np.testing.assert_allclose(found.relative_entropy, entropy / np.log(3))
        leads = [[(seen[:, task].argmax(axis=1) == expert).mean() for expert in range(3)] for task in range(2)]
        np.testing.assert_allclose(found.utilisation, leads)
        np.testing.assert_allclose(found.largest, seen.max(axis=2).mean(axis=0))
    assert (whole.column, whole.value, part.column, part.value) == (None, None, "user", "x")
    assert (whole.layer, whole.gates, whole.experts) == (
        "experts",
        ("click", "stars"),
        ("expert 0", "expert 1", "expert 2"),
    )


def test_levels_follow_one_another(make_model: Callable[..., MultiTaskModel], table: TensorTable) -> None:
    model = make_model(lambda width: PLE(width, 2, own_experts=1, shared_experts=1, expert_dims=(4,)))
    below, above = gate_usage(model, NAMES, table)
    assert (below.layer, below.gates, below.weights.shape) == ("level 1", ("click", "stars", "shared"), (3, 3))
    assert (above.layer, above.gates, above.weights.shape) == ("level 2", ("click", "stars"), (2, 3))
    assert above.reached.tolist() == [[True, False, True], [False, True, True]]
    # a gate that reaches two experts of three is held against two
    np.testing.assert_allclose(above.relative_entropy, above.entropy / np.log(2))
    assert json_values(above)["reached"] == [[True, False, True], [False, True, True]]


def test_a_single_gate_is_that_of_every_task(make_model: Callable[..., MultiTaskModel], table: TensorTable) -> None:
    (usage,) = gate_usage(make_model(lambda width: OMoE(width, 2, experts=3, expert_dims=(4,))), NAMES, table)
    assert usage.gates == ("click", "stars")
    assert usage.weights[0].tolist() == usage.weights[1].tolist()


def test_no_gates_and_no_rows(make_model: Callable[..., MultiTaskModel], table: TensorTable) -> None:
    assert gate_usage(make_model(lambda width: SharedBottom(width, 2, bottom_dims=(4,))), NAMES, table) == []
    (usage,) = gate_usage(make_model(), NAMES, table.head(0))
    assert usage.rows == 0
    assert json_values(float("nan")) is None
    assert json_values({"a": (np.float32(0.5), np.int64(2))}) == {"a": [pytest.approx(0.5), 2]}
