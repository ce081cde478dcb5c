from __future__ import annotations

import re
from typing import Any

import pytest
import torch

import gatewise as gw
from gatewise.errors import DeclarationError, ShapeError
from gatewise.nn import FacetAwareMoE

SCHEMA = gw.Schema(
    features=[gw.Vector("text", 6), gw.Categorical("aspect", dim=3), gw.Numeric("stars")],
    tasks=[gw.Binary("useful"), gw.Binary("funny")],
)
ROWS: dict[str, Any] = {
    "text": [[0.1, 0.2, -0.5, 1.0, 0.0, 0.3], [1.0, -1.0, 0.5, 0.2, 0.1, 0.4]] * 20,
    "aspect": ["price", "service", "taste", "price"] * 10,
    "stars": [1.0, 5.0, 3.0, 4.0] * 10,
    "useful": [0, 1] * 20,
    "funny": [0, 0, 1, 0] * 10,
}


@pytest.mark.parametrize("facet", [(1,), (0, 2, 4)])
def test_every_head_by_itself(facet: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    trunk, x = FacetAwareMoE(6, 2, facet=facet, experts=3, heads=2, expert_dim=4), torch.randn(5, 6)
    content = x[:, [column for column in range(6) if column not in facet]]
    added = x[:, list(facet)]
    told = content + (added if len(facet) == 3 else added @ trunk.enter.weight.T)
    weights = (content @ trunk.gates.linear.weight[0].T).softmax(dim=1)
    expected = torch.zeros(5, 4)
    layer, join = trunk.experts.heads.layers[0], trunk.experts.join
    for expert in range(3):
        heads = []
        for head in range(2):
            own = slice(2 * head, 2 * head + 2)
            heads.append((told @ layer.weight[expert, own].T + layer.bias[expert, own]).relu())
        output = torch.cat(heads, dim=1) @ join.weight[expert].T + join.bias[expert]
        expected = expected + weights[:, [expert]] * output
    hidden, gates, _ = trunk.mix(x)
    for task in range(2):
        torch.testing.assert_close(hidden[:, task], expected, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(gates[:, task], weights, atol=1e-6, rtol=0)


def test_the_facet_moves_experts_and_not_the_gate() -> None:
    torch.manual_seed(0)
    trunk, x = FacetAwareMoE(6, 2, facet=(0, 1), experts=3, heads=2, expert_dim=4), torch.randn(5, 6)
    other = x.clone()
    other[:, :2] += 1
    assert torch.equal(trunk.mix(other).gates, trunk.mix(x).gates)
    assert (trunk(other) - trunk(x)).abs().max() > 0.01


def test_the_facet_is_a_feature_by_name(tmp_path) -> None:
    ranker = gw.Ranker(SCHEMA, gw.FacetAwareMoE(facet="aspect", expert_dim=8), epochs=2).fit(ROWS)
    assert ranker.scorer.model.trunk.facet.tolist() == [0, 1, 2]
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(ROWS).equals(ranker.predict(ROWS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"facet": "aspekt"}, "facet: no feature 'aspekt' (features: text, aspect, stars); did you mean 'aspect'?"),
        ({"facet": "stars"}, "facet: expected a categorical feature, and 'stars' is numeric"),
    ],
)
def test_facets_that_are_none_are_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        gw.Ranker(SCHEMA, gw.FacetAwareMoE(**options))


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"FacetAwareMoE\.facet: is required"):
        gw.FacetAwareMoE()
    with pytest.raises(DeclarationError, match="expert_dim: expected a multiple of 3 heads, found 64"):
        gw.FacetAwareMoE(facet="aspect", heads=3)
    for facet in ((), (6,), tuple(range(6))):
        with pytest.raises(ShapeError, match="facet: expected some of the columns 0 to 5, and others beside"):
            FacetAwareMoE(6, 2, facet=facet)
    with pytest.raises(ShapeError, match="expert_dim: expected a multiple of 4 heads, found 6"):
        FacetAwareMoE(6, 2, facet=(0,), expert_dim=6)
