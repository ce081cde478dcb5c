from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

import gatewise as gw
from gatewise.analysis import ScoreParts
from gatewise.analysis.explained import score_names
from gatewise.analysis.explanation import EXACT, attribute
from gatewise.nn import AdaTT, MMoE, MultiTaskModel, SharedBottom, TensorTable
from gatewise.tasks import BinaryTask, FunnelTask, MulticlassTask, Task


def check_sums(parts: ScoreParts) -> None:
    """Both ways of taking a score apart sum to it."""
    if parts.experts:
        total = parts.without_experts + sum(part.contribution for part in parts.experts)
        assert total == pytest.approx(parts.value, abs=1e-5)
    if parts.features:
        total = parts.background + sum(part.contribution for part in parts.features)
        assert total == pytest.approx(parts.value, abs=1e-5)


def test_with_a_linear_tower_an_expert_adds_its_part_of_the_mixture(
    make_model: Callable[..., MultiTaskModel], tasks: list[Task], table: TensorTable
) -> None:
    model = make_model(tower_dims=())
    found = attribute(model, tasks, table)
    with torch.no_grad():
        x = model.input_layer(table.inputs(torch.tensor([0]))).x
        level = model.trunk.levels[0]
        outputs, weights = level.experts(x)[0], level.gates(x).weights[0]
    for task, parts in enumerate(found.scores):
        expected = weights[task] * (outputs @ model.towers.weight[task])
        adds = {part.expert: part.contribution for part in parts.experts}
        assert [adds[f"expert {i}"] for i in range(3)] == pytest.approx(expected.tolist(), abs=1e-5)
        assert parts.without_experts == pytest.approx(model.towers.bias[task].item())
        assert {part.expert: part.weight for part in parts.experts}["expert 1"] == pytest.approx(
            weights[task, 1].item()
        )
        assert {part.error for part in parts.experts} == {0.0}
        check_sums(parts)
    assert found.gates.shape == (2, 3)
    assert [(parts.score, parts.task) for parts in found.scores] == [("click", "click"), ("stars", "stars")]


def test_an_expert_that_gives_nothing_adds_nothing(
    make_model: Callable[..., MultiTaskModel], tasks: list[Task], table: TensorTable
) -> None:
    model = make_model()
    with torch.no_grad():
        model.trunk.levels[0].experts.mlp.layers[0].bias[1] = -1e3
    for parts in attribute(model, tasks, table).scores:
        adds = {part.expert: part.contribution for part in parts.experts}
        assert adds["expert 1"] == 0
        assert adds["expert 0"]
        assert adds["expert 2"]
        check_sums(parts)


def test_more_experts_than_can_be_run_in_all_coalitions_are_sampled(
    make_model: Callable[..., MultiTaskModel], tasks: list[Task], table: TensorTable
) -> None:
    model = make_model(lambda width: MMoE(width, 2, experts=EXACT + 1, expert_dims=(5,)))
    for parts in attribute(model, tasks, table).scores:
        assert len(parts.experts) == EXACT + 1
        assert max(part.error for part in parts.experts) > 0
        check_sums(parts)


def test_features_of_an_additive_model(
    make_model: Callable[..., MultiTaskModel], tasks: list[Task], table: TensorTable
) -> None:
    """In a linear model a feature adds what its value is above the mean of the rows drawn."""
    model = make_model(lambda width: SharedBottom(width, 2, bottom_dims=()), tower_dims=())
    found = attribute(model, tasks, table, draws=2000)
    assert (found.experts, found.gates) == ((), None)
    columns = {name: model.input_layer.columns_of(name) for name in ("user", "tags", "age", "price")}
    with torch.no_grad():
        x = model.input_layer(table.inputs(torch.arange(len(table)))).x
        for task, parts in enumerate(found.scores):
            assert (parts.without_experts, parts.experts) == (None, ())
            check_sums(parts)
            assert [abs(p.contribution) for p in parts.features] == sorted(
                (abs(p.contribution) for p in parts.features), reverse=True
            )
            for part in parts.features:
                own = x[:, columns[part.feature]] @ model.towers.weight[task, columns[part.feature]]
                assert part.contribution == pytest.approx(float(own[0] - own[1:].mean()), abs=5 * part.error + 1e-6)


def test_the_seed_decides_and_the_model_stays_as_it_was(
    make_model: Callable[..., MultiTaskModel], tasks: list[Task], table: TensorTable
) -> None:
    model = make_model(lambda width: AdaTT(width, 2, own_experts=1, expert_dims=(5,))).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first, again, other = (attribute(model, tasks, table, draws=5, seed=seed).scores for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_row_alone_has_no_features_to_tell(
    make_model: Callable[..., MultiTaskModel], tasks: list[Task], table: TensorTable
) -> None:
    found = attribute(make_model(), tasks, table.head(1))
    assert all((parts.background, parts.features) == (None, ()) for parts in found.scores)
    whole = attribute(make_model(), tasks, table)
    assert [parts.value for parts in found.scores] == pytest.approx([parts.value for parts in whole.scores])


def test_ordered_levels_are_explained_by_their_expected_level() -> None:
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 600))
    stars = np.clip(np.round(3 + x + 0.3 * rng.normal(size=600)), 1, 5)
    table = {"x": x, "z": z, "stars": stars, "click": (x > 0).astype(int)}
    schema = gw.Schema(features=[gw.Numeric("x"), gw.Numeric("z")], tasks=[gw.Ordinal("stars"), gw.Binary("click")])
    model = gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4])
    ranker = gw.Ranker(schema, model, epochs=20, batch_size=32, lr=0.01).fit(table)
    low, high = int(np.argmin(x)), int(np.argmax(x))
    for row, sign in ((low, -1), (high, 1)):
        found = ranker.explain(row, table)
        assert [parts.score for parts in found.scores] == ["stars", "click"]
        of_stars, of_click = found.scores
        # in the label's unit: what is predicted
        assert of_stars.value == pytest.approx(found.predictions["stars"], abs=1e-5)
        for parts in (of_stars, of_click):
            check_sums(parts)
        assert 1 <= of_stars.background <= 5
        # what raises the label has a contribution above 0
        assert (of_stars.features[0].feature, np.sign(of_stars.features[0].contribution)) == ("x", sign)


def test_scores_are_called_what_they_predict() -> None:
    click = BinaryTask("click")
    assert score_names(click) == ("click",)
    assert score_names(FunnelTask("buy", after=[click])) == ("buy_given_click",)
    assert score_names(FunnelTask("buy", after=[click], learn="dr")) == ("buy score 1", "buy score 2")
    classes = MulticlassTask("device", classes=["tv", "phone", "web"])
    assert score_names(classes) == classes.columns == ("device[tv]", "device[phone]", "device[web]")
