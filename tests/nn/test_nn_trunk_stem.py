from __future__ import annotations

import re
from contextlib import nullcontext

import pytest
import torch

import gatewise as gw
from gatewise.errors import ShapeError
from gatewise.nn import STEM

OWN, SHARED = (1, 2), 2


def small(**options: object) -> STEM:
    torch.manual_seed(0)
    return STEM(9, 2, own_experts=OWN, shared_experts=SHARED, expert_dims=(4,), **options)


def test_every_expert_by_itself() -> None:
    trunk, x = small(), torch.randn(6, 9)
    parts = x.split(3, dim=1)
    layer = trunk.experts.experts.mlp.layers[0]
    owner = [0, 1, 1, 2, 2]
    outputs = [(parts[owner[i]] @ layer.weight[i].T + layer.bias[i]).relu() for i in range(5)]
    hidden, gates, _ = trunk.mix(x)
    for task in range(2):
        weights = ((parts[task] + parts[2]) @ trunk.gates.linear.weight[task].T).softmax(dim=1)
        torch.testing.assert_close(gates[:, task], weights, atol=1e-6, rtol=0)
        expected = sum(weights[:, [i]] * outputs[i] for i in range(5))
        torch.testing.assert_close(hidden[:, task], expected, atol=1e-6, rtol=1e-5)


def test_a_task_changes_neither_experts_nor_embeddings_of_another() -> None:
    trunk, x = small(), torch.randn(6, 9, requires_grad=True)
    trunk(x)[:, 0].square().sum().backward()
    layer = trunk.experts.experts.mlp.layers[0]
    changed = layer.weight.grad.abs().amax(dim=(1, 2)) > 0
    assert changed.tolist() == [True, False, False, True, True]
    assert (x.grad.abs().amax(dim=0) > 0).tolist() == [True] * 3 + [False] * 3 + [True] * 3


def test_its_gate_learns_from_experts_of_others() -> None:
    trunk = small()
    trunk(torch.randn(6, 9))[:, 0].square().sum().backward()
    gradient = trunk.gates.linear.weight.grad
    assert gradient[0].abs().amax(dim=1).min() > 0
    assert not gradient[1].any()


def test_values_are_those_of_an_ordinary_mixture() -> None:
    trunk, x = small(), torch.randn(6, 9)
    with torch.no_grad():
        expected = trunk(x)
    torch.testing.assert_close(trunk(x), expected, atol=1e-6, rtol=1e-6)


def test_columns_may_be_in_several_sets() -> None:
    torch.manual_seed(0)
    trunk = STEM(4, 2, sets=((0, 3), (1, 3), (2, 3)), own_experts=1, shared_experts=1, expert_dims=(4,))
    x = torch.randn(6, 4, requires_grad=True)
    trunk(x)[:, 1].square().sum().backward()
    assert (x.grad.abs().amax(dim=0) > 0).tolist() == [False, True, True, True]


SCHEMA = gw.Schema(
    features=[
        gw.Categorical("user", dim=3),
        gw.Categorical("item", dim=2),
        gw.Sequence("tags", dim=2),
        gw.Numeric("age"),
    ],
    tasks=[gw.Binary("click"), gw.Binary("buy")],
)
ROWS = {
    "user": [1, 2, 3, 4] * 20,
    "item": [5, 6, 7, 8, 9] * 16,
    "tags": [["a"], ["b", "c"], [], ["a", "c"]] * 20,
    "age": [20.0, 30.0, 40.0, 50.0, 60.0] * 16,
    "click": [0, 1] * 40,
    "buy": [0, 0, 1, 0] * 20,
}


@pytest.mark.parametrize("lazy", [False, True])
def test_embedding_rows_of_a_task_get_no_gradient_of_another(lazy: bool) -> None:
    ranker = gw.Ranker(SCHEMA, gw.STEM(expert_dims=[4], own_experts=1), epochs=1, batch_size=20).fit(ROWS)
    model, encoder = ranker.scorer.model, ranker.scorer.encoder
    tables = model.input_layer.tables
    table = ranker.scorer.tensors(encoder.encode(ROWS))
    for task in range(2):
        model.zero_grad()
        with tables.row_gradients() if lazy else nullcontext():
            model(table.inputs(torch.arange(80))).scores[:, task].sum().backward()
        for dim in (3, 2):
            gradient = tables.weight_of_dim(3 * dim).grad
            by_set = (gradient.to_dense() if lazy else gradient).view(-1, 3, dim).abs().amax(dim=(0, 2)) > 0
            assert by_set.tolist() == [task == 0, task == 1, True]


def test_every_set_has_the_declared_width_and_the_numbers() -> None:
    model = gw.Ranker(SCHEMA, gw.STEM(expert_dims=[4]), epochs=1).fit(ROWS).scorer.model
    assert {field.dim for field in model.input_layer.layout.fields} == {9, 6}
    # user, item, tags, age
    assert model.trunk.columns.tolist() == [
        [0, 1, 2, 9, 10, 15, 16, 21],
        [3, 4, 5, 11, 12, 17, 18, 21],
        [6, 7, 8, 13, 14, 19, 20, 21],
    ]


def test_it_is_saved_and_grows(tmp_path) -> None:
    ranker = gw.Ranker(SCHEMA, gw.STEM(expert_dims=[4]), epochs=2).fit(ROWS)
    ranker.save(tmp_path / "model")
    loaded = gw.load(tmp_path / "model")
    assert loaded.predict(ROWS).equals(ranker.predict(ROWS))
    assert loaded.extend_vocabulary({"user": [77], "item": [5], "tags": [["z"]]}) == {"user": 1, "item": 0, "tags": 1}
    assert loaded.predict(ROWS).equals(ranker.predict(ROWS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "input_dim: expected a multiple of 3, one part a task and the shared, found 10"),
        ({"sets": ((0, 1), (2, 3))}, "sets: expected 3 of equal size, one per task and the shared, found [2, 2]"),
        (
            {"sets": ((0, 1), (2, 3), (4,))},
            "sets: expected 3 of equal size, one per task and the shared, found [2, 2, 1]",
        ),
        ({"sets": ((0,), (1,), (2,)), "own_experts": 0, "shared_experts": 0}, "own_experts: task 0 has none"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(message)):
        STEM(10, 2, **options)
