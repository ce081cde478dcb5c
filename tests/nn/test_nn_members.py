from __future__ import annotations

from functools import partial

import pytest
import torch

from gatewise import declare, nn
from gatewise.assembly import build_model, build_tasks
from gatewise.data import TableEncoder
from gatewise.errors import ShapeError
from gatewise.nn import Members, Padded
from gatewise.serving import Scorer

ROWS, COUNT = 7, 3
ARCHITECTURES = [
    declare.SingleTask(),
    declare.SharedBottom(),
    declare.OMoE(experts=2),
    declare.MMoE(experts=2, levels=2),
    declare.FacetAwareMoE(facet="u", experts=2, expert_dim=4, heads=2),
    declare.MoSE(),
    declare.CGC(),
    declare.PLE(),
    declare.AdaTT(),
    declare.PEPNet(scenario=["u"], priors=["u"]),
    declare.STEM(),
    declare.CrossStitch(),
    declare.AITM(order=["click", "stars"]),
    declare.HoME(groups={"a": ["click"], "b": ["stars"]}, norm="layer"),
]


def of(**options):
    """Return an architecture's input and model with members."""
    base = options.pop("base", declare.MMoE(experts=2))
    architecture = declare.base.from_dict(type(base), {**declare.to_dict(base), **options})
    pooling = None if architecture.reads_sequences else "mean"
    schema = declare.Schema(
        features=[
            declare.Categorical("u", dim=4),
            declare.Numeric("x"),
            declare.Sequence("past", dim=4, pooling=pooling, shares="u"),
        ],
        tasks=[declare.Binary("click"), declare.Ordinal("stars")],
    )
    table = {
        "u": list(range(ROWS)),
        "x": [float(i * i) for i in range(ROWS)],
        "past": [[i % 3] * (i % 4) for i in range(ROWS)],
        "click": [0, 1] * 3 + [1],
        "stars": [1, 2, 3, 1, 2, 3, 1],
    }
    encoder, encoded = TableEncoder.fit(schema, table)
    tasks = build_tasks(encoder.schema, encoder.statistics)
    model = build_model(architecture, encoder.layout, tasks)
    return model, Scorer(encoder, model, tasks).tensors(encoded)


@pytest.mark.parametrize("base", ARCHITECTURES, ids=lambda base: base.kind)
def test_every_trunk_serves_members_whose_scores_are_merged(base):
    model, table = of(base=base, members=COUNT)
    inputs = table.inputs(torch.arange(ROWS))
    model.eval()
    vectors = model.input_layer(inputs)
    apart, merged = model.of_members(vectors), model(inputs)
    assert apart.scores.shape == (ROWS * COUNT, 3)
    assert merged.scores.shape == (ROWS, 3)
    probabilities = apart.scores[:, 0].reshape(ROWS, COUNT).sigmoid().mean(dim=1)
    torch.testing.assert_close(merged.scores[:, 0].sigmoid(), probabilities)
    if merged.gates is not None:
        torch.testing.assert_close(merged.gates.sum(dim=2), torch.ones(ROWS, 2))
    # members read different inputs, and a row's members stand side by side
    assert apart.scores[:COUNT, 0].unique().numel() == COUNT
    one = model.of_members(model.input_layer(table.inputs(torch.tensor([4]))))
    torch.testing.assert_close(apart.scores[4 * COUNT : 5 * COUNT], one.scores)


@pytest.mark.parametrize("base", ARCHITECTURES, ids=lambda base: base.kind)
def test_equal_members_are_one_model(base):
    single, table = of(base=base)
    model, _ = of(base=base, members=COUNT)
    weights = model.state_dict()
    for name, weight in single.state_dict().items():
        if weights[name].shape != weight.shape:
            # towers of all members side by side; linked towers hold a stage after the other
            weight = torch.cat([weight] * COUNT)
        weights[name] = weight
    weights["members.scale"] = torch.ones_like(weights["members.scale"])
    model.load_state_dict(weights)
    torch.testing.assert_close(model.score(table)[0], single.score(table)[0], rtol=1e-4, atol=1e-5)


def test_towers_that_read_others_read_those_of_their_own_member():
    reads = {"tower_dims": {"click": [3], "stars": [5]}, "members": COUNT}
    model, table = of(**reads)
    inputs = table.inputs(torch.arange(ROWS))
    before = model.of_members(model.input_layer(inputs)).scores.reshape(ROWS, COUNT, 3)
    with torch.no_grad():
        model.members.scale[1] *= 3
    after = model.of_members(model.input_layer(inputs)).scores.reshape(ROWS, COUNT, 3)
    changed = (before != after).flatten(2).any(dim=2).any(dim=0)
    assert changed.tolist() == [False, True, False]


def test_a_side_tower_adds_to_every_member():
    model, table = of(members=COUNT, side={"features": ["x"], "dims": [3]})
    model.eval()
    inputs = table.inputs(torch.arange(ROWS))
    vectors = model.input_layer(inputs)
    with_side = model.of_members(vectors).scores
    aside = model.side_tower(vectors.x[:, model.side_columns])
    model.side_tower = None
    model.trunk_columns, columns = None, model.trunk_columns
    without = model.of_members(vectors._replace(x=vectors.x[:, columns])).scores
    torch.testing.assert_close(with_side.reshape(ROWS, COUNT, 3), without.reshape(ROWS, COUNT, 3) + aside.unsqueeze(1))


def test_scales_begin_as_signs_and_are_learnt():
    made = Members(5, 40, merge=partial(torch.mean, dim=1))
    assert set(made.scale.unique().tolist()) == {-1, 1}
    made(torch.ones(2, 40)).sum().backward()
    assert (made.scale.grad == 2).all()


def test_sequences_are_repeated_row_by_row():
    made = Members(2, 1, merge=partial(torch.mean, dim=1))
    found = made.repeated(Padded(torch.arange(3.0).reshape(3, 1, 1), torch.tensor([[True], [False], [True]])))
    assert found.vectors.flatten().tolist() == [0, 0, 1, 1, 2, 2]
    assert found.present.flatten().tolist() == [True, True, False, False, True, True]


def test_no_member_is_a_mistake():
    with pytest.raises(ShapeError, match="count"):
        nn.Members(0, 3, merge=partial(torch.mean, dim=1))
