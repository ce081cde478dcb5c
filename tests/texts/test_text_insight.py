"""Texts are features like others to whoever looks into a model."""

from __future__ import annotations

import pytest

import gatewise as gw

TEXTS = ["good film", "bad film", "a great story", "dull and long", None]
TABLE = {
    "title": [TEXTS[i % 5] for i in range(200)],
    "user": [i % 7 for i in range(200)],
    "click": [int(i % 5 in (0, 2)) for i in range(200)],
}


@pytest.mark.parametrize("frozen", [True, False])
def test_texts_have_importance_and_a_part_in_a_prediction(tiny: str, frozen: bool) -> None:
    schema = gw.Schema(
        features=[gw.Text("title", encoder=tiny, frozen=frozen), gw.Categorical("user", dim=2)],
        tasks=[gw.Binary("click")],
    )
    model = gw.MMoE(experts=2, expert_dims=[8], activation="silu")
    ranker = gw.Ranker(schema, model, epochs=15, batch_size=50, lr=0.02).fit(TABLE)
    found = {one.feature: one.drop for one in ranker.feature_importance(TABLE, repeats=2)["click"]}
    assert found["title"] > 0.2 > abs(found["user"])
    (parts,) = ranker.explain(0, TABLE, draws=20).scores
    assert parts.features[0].feature == "title"
    assert parts.features[0].value == "good film"
    assert parts.features[0].contribution > 0
    adds = sum(part.contribution for part in parts.features)
    assert parts.background + adds == pytest.approx(parts.value, abs=1e-4)
