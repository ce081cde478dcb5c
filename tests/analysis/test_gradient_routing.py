"""Which experts each task's loss trains."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise.analysis import gradient_routing
from gatewise.errors import GatewiseError
from gatewise.nn import hooked, levels_of

MODELS = [
    gw.MMoE(experts=3, expert_dims=[8]),
    gw.MMoE(experts=3, expert_dims=[8], levels=2, gate="top_k"),
    gw.OMoE(experts=3, expert_dims=[8]),
    gw.PLE(expert_dims=[8]),
    gw.AdaTT(expert_dims=[8]),
    gw.HoME(groups={"all": ["click", "stars"]}, expert_dims=[8]),
]


@pytest.fixture(scope="module")
def rows(feed: pa.Table) -> pa.Table:
    return feed.slice(0, 300)


def by_hand(ranker: gw.Ranker, table: pa.Table) -> np.ndarray:
    """Return the shares at the last level from the gradients of the loss of each task by itself."""
    scorer = ranker.scorer
    encoded = scorer.tensors(scorer.encode(table))
    (*_, level) = levels_of(scorer.model.trunk, ["click", "stars"])
    kept = []

    def keep(weights, outputs):
        kept.append(outputs.detach().requires_grad_())
        return weights, kept[-1]

    shares = []
    for k, task in enumerate(scorer.tasks):
        with hooked(level, mixture=keep):
            scores = scorer.model.eval()(encoded.inputs(torch.arange(len(encoded)))).scores[:, k]
        labels = encoded.labels[:, k].float()
        there = ~labels.isnan()
        if k == 0:
            loss = torch.nn.functional.binary_cross_entropy_with_logits(scores[there], labels[there])
        else:
            loss = (scores[there] - (labels[there] - task.mean) / task.std).square().mean()
        (gradient,) = torch.autograd.grad(loss, kept[-1])
        norms = gradient.square().sum(dim=(0, 2)).sqrt()
        shares.append((norms / norms.sum()).tolist())
    return np.array(shares)


@pytest.mark.filterwarnings("ignore:expert .* is dead", "ignore:the gate of task")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.kind} {getattr(model, 'levels', 1)}")
def test_shares_are_those_of_each_tasks_own_gradient(model, rows: pa.Table, feed_schema: gw.Schema) -> None:
    ranker = gw.Ranker(feed_schema, model, epochs=1, batch_size=64).fit(rows)
    found = ranker.gradient_routing(rows)
    assert len(found) == len(levels_of(ranker.scorer.model.trunk, ["click", "stars"]))
    np.testing.assert_allclose(found[-1].gradients, by_hand(ranker, rows), atol=1e-5)
    for each in found:
        np.testing.assert_allclose(each.gradients.sum(axis=1), 1, atol=1e-6)
        np.testing.assert_allclose(each.weights.sum(axis=1), 1, atol=1e-5)
        assert each.weights.shape == (len(each.gates), len(each.experts))


@pytest.mark.filterwarnings("ignore:expert .* is dead", "ignore:the gate of task")
def test_a_task_pulls_experts_in_proportion_to_its_gate(rows: pa.Table, feed_schema: gw.Schema) -> None:
    ranker = gw.Ranker(feed_schema, gw.MMoE(experts=2, expert_dims=[8]), epochs=1).fit(rows)
    # gates that are equal for all rows: their weights are then the shares, to the last digit that matters
    gates = ranker.scorer.model.trunk.levels[0].gates
    gates.linear.weight.data.zero_()
    gates.linear.bias = torch.nn.Parameter(torch.tensor([[0.0, 1.0], [2.0, 0.0]]))
    (found,) = ranker.gradient_routing(rows)
    np.testing.assert_allclose(found.gradients, found.weights, atol=1e-6)
    np.testing.assert_allclose(found.weights[0], torch.tensor([0.0, 1.0]).softmax(0), atol=1e-6)


@pytest.mark.filterwarnings("ignore:expert .* is dead", "ignore:the gate of task")
def test_an_expert_of_another_task_gets_no_gradient(rows: pa.Table, feed_schema: gw.Schema) -> None:
    ranker = gw.Ranker(feed_schema, gw.CGC(own_experts=1, shared_experts=1, expert_dims=[8]), epochs=1).fit(rows)
    (found,) = ranker.gradient_routing(rows, rows=100)
    assert found.rows == 100
    assert found.experts == ("click 0", "stars 0", "shared 0")
    assert found.gradients[0, 1] == 0
    assert found.gradients[1, 0] == 0


@pytest.mark.filterwarnings("ignore:expert .* is dead", "ignore:the gate of task")
def test_looking_leaves_the_model_as_it_was(rows: pa.Table, feed_schema: gw.Schema) -> None:
    ranker = gw.Ranker(feed_schema, gw.MMoE(experts=2, expert_dims=[8], norm="batch", dropout=0.5), epochs=1).fit(rows)
    before = {name: value.clone() for name, value in ranker.scorer.model.state_dict().items()}
    gradients = {name: str(p.grad) for name, p in ranker.scorer.model.named_parameters()}
    first, second = ranker.gradient_routing(rows), ranker.gradient_routing(rows)
    np.testing.assert_array_equal(first[0].gradients, second[0].gradients)
    assert all(torch.equal(before[name], value) for name, value in ranker.scorer.model.state_dict().items())
    # the gradients of the last step of training are still there
    assert {name: str(p.grad) for name, p in ranker.scorer.model.named_parameters()} == gradients


def test_models_without_such_experts(rows: pa.Table, feed_schema: gw.Schema) -> None:
    plain = gw.Ranker(feed_schema, gw.SharedBottom(), epochs=1).fit(rows)
    with pytest.raises(GatewiseError, match="SharedBottom has no experts that gates mix"):
        plain.gradient_routing(rows)
    stem = gw.Ranker(feed_schema, gw.STEM(expert_dims=[8]), epochs=1).fit(rows)
    assert stem.gradient_routing(rows) == []
    tensors = plain.scorer.tensors(plain.scorer.encode(rows))
    assert gradient_routing(plain.scorer.model, plain.scorer.tasks, tensors) == []
