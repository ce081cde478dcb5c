from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

import gatewise as gw
from gatewise.analysis import feature_importance
from gatewise.analysis.importance import _shuffled
from gatewise.errors import DeclarationError
from gatewise.nn import MultiTaskModel, TensorTable
from gatewise.tasks import Task, evaluate_tasks


@pytest.fixture
def model(make_model: Callable[..., MultiTaskModel]) -> MultiTaskModel:
    """Return a model that reads age, and the user, and not price."""
    made = make_model()
    (column,) = made.input_layer.columns_of("price")
    with torch.no_grad():
        made.trunk.levels[0].experts.mlp.layers[0].weight[:, :, column] = 0
        made.trunk.levels[0].gates.linear.weight[:, :, column] = 0
    return made


def test_a_feature_that_is_not_read_has_none(model: MultiTaskModel, tasks: list[Task], table: TensorTable) -> None:
    done: list[int] = []
    found = feature_importance(model, tasks, table, done=done.append)
    assert set(found) == {"click", "stars"}
    for output, each in found.items():
        drops = [one.drop for one in each]
        assert drops == sorted(drops, reverse=True)
        by_name = {one.feature: one for one in each}
        assert by_name["price"].by_repeat == (0.0,) * 5
        assert set(by_name) == {"user", "tags", "age", "price"}
        assert {one.output for one in each} == {output}
    assert sum(done) == 4 * 5


def test_a_drop_is_the_metric_with_the_column_shuffled(
    model: MultiTaskModel, tasks: list[Task], table: TensorTable
) -> None:
    """All importances of one repeat follow from the seed; the metrics are those of shuffled tables."""
    found = feature_importance(model, tasks, table, repeats=1, seed=4)
    draw = torch.Generator().manual_seed(4)
    whole = evaluate_tasks(tasks, model.score(table)[0], table.labels)
    for feature in ("user", "tags", "age", "price"):
        order = torch.randperm(len(table), generator=draw)
        if feature == "user":
            changed = replace(table, ids=table.ids[order])
        elif feature == "tags":
            padded = table.lists[0].padded(order)
            kept = padded >= 0
            lengths = torch.cat([torch.zeros(1).long(), kept.sum(dim=1).cumsum(0)])
            changed = replace(table, lists=(replace(table.lists[0], values=padded[kept], offsets=lengths),))
        else:
            column = ("age", "price").index(feature)
            floats = table.floats.clone()
            floats[:, column] = floats[order, column]
            changed = replace(table, floats=floats)
        metrics = evaluate_tasks(tasks, model.score(changed)[0], table.labels)
        (one,) = (one for one in found["click"] if one.feature == feature)
        assert one.value == whole["click"]["auc"]
        assert one.drop == pytest.approx(whole["click"]["auc"] - metrics["click"]["auc"], abs=1e-6)
        assert one.low == one.drop == one.high


def test_less_is_better_turns_the_sign(model: MultiTaskModel, tasks: list[Task], table: TensorTable) -> None:
    # labels that are what the model says: any shuffle makes it worse
    scores, _ = model.score(table)
    perfect = replace(
        table, labels=torch.stack([(scores[:, 0] > scores[:, 0].median()).double(), scores[:, 1].double()], 1)
    )
    for metric in ("auc", "log_loss", "rmse"):
        found = feature_importance(model, tasks, perfect, metric=metric, repeats=3)
        for each in found.values():
            one = next(one for one in each if one.feature == "age")
            assert 0 < one.low <= one.drop <= one.high
            assert one.drop == pytest.approx(sum(one.by_repeat) / 3)


def test_values_stay_within_their_group(model: MultiTaskModel, tasks: list[Task], table: TensorTable) -> None:
    of_group = table.groups.float().unsqueeze(1)
    same = replace(table, floats=torch.cat([of_group.remainder(3), table.floats[:, 1:]], dim=1))
    of = {within: feature_importance(model, tasks, same, within_groups=within) for within in (False, True)}
    drops = {within: next(one for one in found["stars"] if one.feature == "age") for within, found in of.items()}
    assert drops[True].by_repeat == (0.0,) * 5
    assert any(drops[False].by_repeat)


def test_orders_within_groups() -> None:
    groups = torch.tensor([2, 0, 2, -1, 0, 2, -1])
    seen = set()
    for seed in range(60):
        order = _shuffled(7, groups, torch.Generator().manual_seed(seed))
        assert sorted(order.tolist()) == list(range(7))
        assert groups[order].tolist() == groups.tolist()
        # rows of no group stay
        assert (order[3], order[6]) == (3, 6)
        seen.add(tuple(order.tolist()))
    assert len(seen) == 3 * 2 * 2


def test_what_cannot_be_asked(model: MultiTaskModel, tasks: list[Task], table: TensorTable) -> None:
    with pytest.raises(DeclarationError, match="repeats of 1 or more, found 0"):
        feature_importance(model, tasks, table, repeats=0)
    with pytest.raises(DeclarationError, match="the schema has no 'group'"):
        feature_importance(model, tasks, replace(table, groups=None), within_groups=True)
    one_class = replace(table, labels=torch.ones_like(table.labels))
    (one, *_) = feature_importance(model, tasks, one_class, repeats=2)["click"]
    assert (one.value, one.drop, one.low, one.by_repeat) == (None, None, None, (None, None))


def test_a_feature_of_noise_is_near_none(feed, make_ranker: Callable[..., gw.Ranker]) -> None:
    noise = torch.randn(len(feed), generator=torch.Generator().manual_seed(0))
    table = feed.append_column("noise", [noise.numpy()])
    schema = gw.Schema(
        features=[gw.Categorical("user", dim=4), gw.Categorical("item", dim=4), gw.Numeric("noise")],
        tasks=[gw.Binary("click"), gw.Regression("stars")],
    )
    ranker = make_ranker(schema, epochs=4).fit(table.slice(0, 1500))
    found = {one.feature: one.drop for one in ranker.feature_importance(table.slice(1500))["stars"]}
    assert abs(found["noise"]) < 0.05 < min(found["user"], found["item"])


def test_features_on_the_side_are_not_asked_about(feed, feed_schema: gw.Schema, make_ranker) -> None:
    model = gw.MMoE(experts=2, expert_dims=[4], side=gw.SideTower(features=["price"]))
    ranker = make_ranker(model=model, epochs=1).fit(feed)
    found = ranker.feature_importance(feed, repeats=1)["click"]
    assert {one.feature for one in found} == {"user", "item", "tags"}
    assert {part.feature for part in ranker.explain(0, feed).scores[0].features} == {"user", "item", "tags"}
    values = {"user": 10_000_000_001, "item": "i1", "tags": None}
    assert ranker.explain(values, feed).row == values | {"price": None}
