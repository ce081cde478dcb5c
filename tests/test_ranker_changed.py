"""A trained model gets, or loses, features, tasks and experts, and predicts for the rest what it predicted."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch

import gatewise as gw
from gatewise.assembly.trunks import TRUNKS
from gatewise.declare import AnyArchitecture
from gatewise.errors import DeclarationError, TableError

FEATURES = (gw.Categorical("user", dim=4), gw.Numeric("x"), gw.Sequence("tags", dim=3))
TASKS = (gw.Binary("click"), gw.Regression("stay"))
SCHEMA = gw.Schema(features=FEATURES, tasks=TASKS)
# before and between what was there, of the same widths and of others
MORE_FEATURES = (
    gw.Categorical("item", dim=4), FEATURES[1], gw.Sequence("seen", dim=4, shares="user"), gw.Numeric("y"), FEATURES[0],
    FEATURES[2],
)  # fmt: skip
MORE_TASKS = (TASKS[1], gw.Binary("buy"), TASKS[0], gw.Multiclass("kind"))
BIAS = gw.SoftmaxGate(bias=True)
SMALL: dict[str, Any] = {"expert_dims": [6], "tower_dims": [4]}
STEPS = {"order": ["click", "stay"]}
MODELS: dict[str, AnyArchitecture] = {
    "default": replace(gw.CGC(), own_experts=1, numbers={"kind": "piecewise_linear", "beyond": "flat"}, members=3,
                       dropout=0.1, id_dropout=20, **SMALL),
    "mmoe": gw.MMoE(experts=3, gate_dims=[5], **SMALL),
    "mmoe of two levels": gw.MMoE(experts=3, levels=2, expert_norm=True, **SMALL),
    "gates of a feature": gw.MMoE(experts=3, gate=gw.SoftmaxGate(features=["user"]), **SMALL),
    "omoe": gw.OMoE(experts=3, **SMALL),
    "omoe of two levels": gw.OMoE(experts=3, levels=2, gate_dims=[5], **SMALL),
    "ple": gw.PLE(gate=BIAS, own_experts=1, **SMALL),
    "norms": gw.CGC(norm="batch", activation="prelu", input_norm="batch", tower_residual=True, **SMALL),
    "adatt": gw.AdaTT(gate=BIAS, own_experts=2, **SMALL),
    "adatt with shared experts": gw.AdaTT(gate=BIAS, own_experts=1, shared_experts=2, members=2, **SMALL),
    "stem": gw.STEM(gate=BIAS, own_experts=1, gate_dims=[5], **SMALL),
    "stem with numbers": gw.STEM(gate=BIAS, numbers={"kind": "periodic"}, input_norm="batch", members=2, **SMALL),
    "home": gw.HoME(groups={"all": ["click", "stay"]}, gate=BIAS, gate_dims=[5], **SMALL),
    "home of two groups": gw.HoME(groups={"few": ["click"], "long": ["stay"]}, gate=BIAS, experts=1, **SMALL),
    "mose": gw.MoSE(experts=2, expert_dim=6, tower_dims=[4]),
    "mose without towers": gw.MoSE(experts=2, expert_dim=6, cell="transformer", tower_dims=[]),
    "facets": gw.FacetAwareMoE(facet="user", experts=2, heads=2, expert_dim=6, tower_dims=[4]),
    "pepnet": gw.PEPNet(scenario=["user"], priors=["tags", "user"], layer_dims=[6, 5], gate_dims=[4], tower_dims=[4]),
    "pepnet without hidden layers": gw.PEPNet(scenario=["user"], priors=["tags"], layer_dims=[6], gate_dims=[]),
    "cross-stitch": gw.CrossStitch(layer_dims=[6, 5], tower_dims=[4]),
    "aitm": gw.AITM(bottom_dims=[6], tower_dims=[4], **STEPS),
    "single task": gw.SingleTask(bottom_dims=[6], tower_dims=[4]),
    "bottom": gw.SharedBottom(bottom_dims=[6], shared_dims=[5], tower_dims=[]),
}  # fmt: skip
WITH_MORE_TASKS: dict[str, Any] = {
    "home": {"groups": {"new": ["buy"], "all": ["stay", "kind", "click"]}},
    "home of two groups": {"groups": {"few": ["click", "buy"], "new": ["kind"], "long": ["stay"]}},
    "aitm": {"order": ["click", "stay", "buy", "kind"]},
}
"""Options that say where new tasks belong."""


def rows(count: int = 300, seed: int = 0) -> dict[str, Any]:
    """Draw rows in which users and x decide click and buy."""
    rng = np.random.default_rng(seed)
    user, x, y = rng.integers(0, 12, count), rng.normal(size=count), rng.normal(size=count)
    signal = 2 * np.sin(user) + x
    return {
        "user": user, "x": x, "y": y, "item": rng.integers(0, 9, count),
        "tags": [["a", "b", "c"][:length] for length in rng.integers(0, 4, count)],
        "seen": [rng.integers(0, 12, length).tolist() for length in rng.integers(0, 3, count)],
        "path": [rng.integers(0, 5, length).tolist() for length in rng.integers(0, 4, count)],
        "click": (signal + rng.normal(size=count) > 0).astype(int), "stay": x + rng.normal(size=count),
        "buy": (signal > 0.5).astype(int), "kind": [["low", "high"][each] for each in (x > 0).astype(int)],
    }  # fmt: skip


TABLE = rows()
_trained: dict[str, gw.Ranker] = {}
PATH = gw.Sequence("path", dim=3, pooling=None)


def features(name: str, declared: Any = FEATURES) -> tuple[Any, ...]:
    """Return features with a sequence that is not pooled for a model that reads one."""
    return (*declared, PATH) if name.startswith("mose") else tuple(declared)


def trained(name: str) -> gw.Ranker:
    """Return a trained ranker, which tests do not change."""
    if name not in _trained:
        schema = gw.Schema(features=features(name), tasks=TASKS)
        ranker = gw.Ranker(schema, MODELS[name], epochs=2, batch_size=64, lr=0.01, seed=3)
        _trained[name] = ranker.fit(TABLE)
    return _trained[name]


def far_apart(left: gw.Ranker, right: gw.Ranker) -> float:
    """Return the largest difference of what two rankers predict for the first tasks; of large values, their share."""
    found = [ranker.predict(rows(200, 1)) for ranker in (left, right)]
    pairs = [[table[task.name].to_numpy() for table in found] for task in SCHEMA.tasks]
    return max(float((np.abs(one - other) / np.maximum(np.abs(one), 1)).max()) for one, other in pairs)


def kind_of(architecture: Any) -> str:
    return next(option.default for option in fields(architecture) if option.name == "kind")


def test_every_kind_of_model_is_among_them() -> None:
    assert {model.kind for model in MODELS.values()} == {kind_of(each) for each in TRUNKS}


@pytest.mark.parametrize("name", MODELS)
def test_what_was_there_predicts_as_before(name: str) -> None:
    before, model = trained(name), replace(MODELS[name], **WITH_MORE_TASKS.get(name, {}))
    more = features(name, MORE_FEATURES)
    assert far_apart(before, before.changed(gw.Schema(features=more, tasks=TASKS), table=TABLE)) < 1e-6
    other = gw.Schema(features=features(name), tasks=MORE_TASKS)
    assert far_apart(before, before.changed(other, model, TABLE)) < 1e-6
    after = before.changed(gw.Schema(features=more, tasks=MORE_TASKS), model, TABLE)
    assert far_apart(before, after) < 1e-6
    if name == "cross-stitch":
        # a task reads all others, so that one that is gone is missed
        return
    # and back again: every weight was where it belongs
    fewer = after.changed(gw.Schema(features=more, tasks=TASKS), MODELS[name])
    assert far_apart(before, fewer) < 1e-6
    if name == "facets":
        # what the experts read is as wide as the facet, and no layer was between them
        with pytest.raises(DeclarationError, match="model: facet: no layer is between the facet and experts as wide"):
            fewer.changed(before.schema)
        return
    assert far_apart(before, after.changed(before.schema, MODELS[name])) < 1e-6


GROWN = ("default", "mmoe", "mmoe of two levels", "omoe", "omoe of two levels", "ple", "adatt", "stem", "mose",
         "facets", "adatt with shared experts")  # fmt: skip


@pytest.mark.parametrize("name", GROWN)
def test_new_experts_are_copies_that_share_the_weight(name: str) -> None:
    before = trained(name)
    model = before.options.model
    options = [each for each in ("experts", "own_experts", "shared_experts") if getattr(model, each, 0)]
    grown = {each: getattr(model, each) + 2 for each in options}
    after = before.changed(model=replace(model, gate=BIAS, **grown))
    assert far_apart(before, after) < 1e-6
    assert [change.became for change in after.changes if change.what == "experts"] == ["declared anew"] * len(grown)


def test_copies_of_an_expert_part_without_dropout() -> None:
    before = trained("mmoe")
    after = before.changed(model=replace(before.options.model, gate=BIAS, experts=4))
    weights = after.model.state_dict()["trunk.levels.0.experts.mlp.layers.0.weight"]
    assert torch.equal(weights[0], weights[3])
    after.update(TABLE, epochs=3, lr=0.01, schedule=None)
    weights = after.model.state_dict()["trunk.levels.0.experts.mlp.layers.0.weight"]
    assert (weights[0] - weights[3]).abs().max() > 0.01


@pytest.mark.parametrize("name", ["default", "mmoe", "bottom"])
def test_what_is_new_learns(name: str, tmp_path: Any) -> None:
    before = trained(name)
    after = before.changed(gw.Schema(features=MORE_FEATURES, tasks=MORE_TASKS), table=TABLE)
    # a report before the update has no history to show
    after.report(tmp_path / "page.html", TABLE, progress=False)
    click, buy = (before.evaluate(TABLE)["click"]["auc"], after.evaluate(TABLE)["buy"]["auc"])
    after.update(TABLE, epochs=20, lr=0.01, schedule=None)
    metrics = after.evaluate(TABLE)
    assert metrics["buy"]["auc"] > max(0.85, buy + 0.05)
    assert metrics["click"]["auc"] > click - 0.01
    after.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(TABLE) == after.predict(TABLE)
    assert len(before.schema.tasks) == 2


def test_gates_of_a_new_task_are_the_mean_of_the_others() -> None:
    before = trained("mmoe of two levels")
    after = before.changed(gw.Schema(features=FEATURES, tasks=(*TASKS, gw.Binary("buy"))), table=TABLE)
    old, new = (each.model.state_dict()["trunk.levels.0.gates.linear.weight"] for each in (before, after))
    torch.testing.assert_close(new[2], old.mean(dim=0))


def test_a_removed_task_leaves_the_others_as_they_are() -> None:
    for name in ("default", "bottom"):
        before = trained(name).changed().calibrate(TABLE, "platt", tasks=["click"])
        after = before.changed(gw.Schema(features=FEATURES, tasks=TASKS[:1]))
        found = [each.predict(TABLE, calibrated=True)["click"].to_numpy() for each in (before, after)]
        np.testing.assert_allclose(*found, atol=2e-6)
        assert [(change.name, change.became) for change in after.changes if change.became != "kept"] == [
            ("stay", "gone")
        ]


def test_a_removed_feature_is_not_read() -> None:
    after = trained("default").changed(gw.Schema(features=FEATURES[:2], tasks=TASKS))
    table = {name: column for name, column in TABLE.items() if name != "tags"}
    after.update(table)
    assert after.predict(table).num_rows == 300


@pytest.mark.parametrize(
    ("name", "change", "error", "message"),
    [
        ("mmoe", {"schema": gw.Schema(features=FEATURES, tasks=MORE_TASKS)}, TableError,
         r"changed: task 'buy', task 'kind' is new.*give table"),
        ("mmoe", {"schema": gw.Schema(features=[gw.Categorical("user", dim=8)], tasks=TASKS)}, DeclarationError,
         "feature 'user': dim differs from the trained model: expected 4, found 8"),
        ("mmoe", {"schema": gw.Schema(features=FEATURES, tasks=[gw.Regression("click")])}, DeclarationError,
         "task 'click': kind differs"),
        ("mmoe", {"model": gw.MMoE(experts=4, gate_dims=[5], **SMALL)}, DeclarationError,
         "a new expert needs gates with a bias"),
        ("mmoe", {"model": gw.MMoE(experts=2, gate_dims=[5], **SMALL)}, DeclarationError,
         "expected 3 experts or more, as before, found 2"),
        ("mmoe", {"model": gw.MMoE(experts=3, gate_dims=[4], **SMALL)}, DeclarationError,
         r"model.gate_dims: expected \(5,\), as the model was trained, found \(4,\)"),
        ("mmoe", {"model": "ple"}, DeclarationError, "model: expected 'mmoe', as the model was trained, found 'ple'"),
    ],
)  # fmt: skip
def test_refusals(name: str, change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        trained(name).changed(**change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("gate", [gw.TopKGate(k=2), gw.AttentionGate()])
def test_other_gates_are_refused(gate: Any) -> None:
    ranker = gw.Ranker(SCHEMA, gw.MMoE(experts=3, gate=gate), epochs=1, batch_size=300).fit(TABLE)
    with pytest.raises(DeclarationError, match="cannot be changed once trained"):
        ranker.changed(gw.Schema(features=MORE_FEATURES, tasks=TASKS), table=TABLE)


@pytest.mark.parametrize("model", [gw.PLE(**SMALL), gw.AdaTT(**SMALL), gw.STEM(**SMALL)])
def test_a_new_task_with_experts_that_others_weigh(model: AnyArchitecture) -> None:
    ranker = gw.Ranker(SCHEMA, model, epochs=1, batch_size=300).fit(TABLE)
    with pytest.raises(DeclarationError, match="experts that other gates weigh needs gates with a bias"):
        ranker.changed(gw.Schema(features=FEATURES, tasks=MORE_TASKS), table=TABLE)


ORDERED = {"order": ["buy", "click", "stay"]}
APART = {"groups": {"one": ["click", "buy"], "other": ["stay"]}}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("aitm", ORDERED, "model.order: .* last tasks may be new or gone: expected click, stay first, found buy"),
        ("aitm", {"order": ["stay", "click", "buy"]}, r"model.order: expected \['click', 'stay'\], as the model was"),
        ("home", APART, r"model.groups: expected \[\['click', 'stay'\]\], as the model was trained"),
        ("home", {"groups": {"all": ["click", "stay", "buy"]}, "experts": 3}, "experts: expected 2, as the model"),
        ("pepnet", {"scenario": ["tags"]}, r"model.scenario: expected \('user',\), as the model was trained"),
    ],
)  # fmt: skip
def test_where_new_tasks_and_experts_cannot_be(name: str, change: dict[str, Any], message: str) -> None:
    schema = gw.Schema(features=FEATURES, tasks=(*TASKS, gw.Binary("buy")))
    with pytest.raises(DeclarationError, match=message) as caught:
        trained(name).changed(schema, replace(MODELS[name], **change), TABLE)
    assert "\n" not in str(caught.value)


def test_another_sequence_is_not_read_by_a_mose() -> None:
    more = gw.Schema(features=(gw.Sequence("seen", dim=3, pooling=None), *features("mose")), tasks=TASKS)
    with pytest.raises(DeclarationError, match="expected 'path', as the model was trained, found 'seen'"):
        trained("mose").changed(more, replace(MODELS["mose"], sequence="seen"), TABLE)
    after = trained("mose").changed(more, replace(MODELS["mose"], sequence="path"), TABLE)
    assert far_apart(trained("mose"), after) < 1e-6


def test_copies_share_the_residual_of_an_adatt() -> None:
    before = trained("adatt")
    after = before.changed(model=replace(before.options.model, own_experts=4))
    old, new = (each.model.state_dict()["trunk.levels.0.native"] for each in (before, after))
    torch.testing.assert_close(new.view(2, 2, 2).sum(dim=1), old.view(2, 2))
