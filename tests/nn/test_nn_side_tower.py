from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import gatewise as gw
from gatewise.errors import DeclarationError, TableError
from gatewise.nn import SideTower

SCHEMA = gw.Schema(
    features=[gw.Categorical("position", dim=3), gw.Categorical("tab", dim=2), gw.Numeric("age"), gw.Numeric("slot")],
    tasks=[gw.Binary("click"), gw.Binary("buy")],
)
SIDE = gw.SideTower(["position", "slot"])


def rows(count: int = 4_000) -> dict[str, Any]:
    """Clicks that come from the position alone, which goes with the tab."""
    rng = np.random.default_rng(0)
    tab = rng.integers(0, 2, count)
    position = np.where(rng.random(count) < 0.8, 1 + tab, 3)
    click = rng.random(count) < np.array([0.0, 0.8, 0.2, 0.1])[position]
    return {
        "position": position, "tab": tab, "age": rng.normal(size=count), "slot": position.astype(float),
        "click": click.astype(int), "buy": rng.integers(0, 2, count),
    }  # fmt: skip


def test_by_hand_in_training_and_missing_afterwards() -> None:
    torch.manual_seed(0)
    tower, x = SideTower(3, 2, (4,), dropout=0.0), torch.randn(6, 3)
    first, last = tower.hidden.layers[0], tower.linear

    def by_hand(given: torch.Tensor) -> torch.Tensor:
        return (given @ first.weight[0].T + first.bias[0]).relu() @ last.weight[0].T

    torch.testing.assert_close(tower(x), by_hand(x))
    torch.testing.assert_close(tower.eval()(x), by_hand(torch.zeros(6, 3)))


def test_whole_rows_are_dropped() -> None:
    torch.manual_seed(0)
    tower, x = SideTower(3, 2, dropout=0.3), torch.randn(5_000, 3)
    gone = ~tower(x).any(dim=1)
    assert gone.float().mean().item() == pytest.approx(0.3, abs=0.02)
    kept = (x @ tower.linear.weight[0].T)[~gone]
    torch.manual_seed(1)
    torch.testing.assert_close(SideTower.forward(tower.eval(), x), torch.zeros(5_000, 2))
    assert kept.abs().min() > 0


def test_its_features_reach_nothing_else() -> None:
    model = gw.Ranker(SCHEMA, gw.MMoE(side=SIDE), epochs=1).fit(rows()).scorer.model
    layer = model.input_layer
    aside = [*layer.columns_of("position"), *layer.columns_of("slot")]
    assert model.side_columns.tolist() == aside
    assert model.trunk.levels[0].gates.linear.weight.shape[2] == layer.output_dim - len(aside) == 3


def test_predictions_do_not_see_them_and_do_without_their_columns(tmp_path) -> None:
    table = rows()
    ranker = gw.Ranker(SCHEMA, gw.MMoE(side=SIDE), epochs=2).fit(table, table)
    elsewhere = {**table, "position": np.full(4_000, 3), "slot": np.zeros(4_000)}
    bare = {name: column for name, column in table.items() if name not in ("position", "slot")}
    expected = ranker.predict(table)
    assert ranker.predict(elsewhere).equals(expected)
    assert ranker.predict(bare).equals(expected)
    assert ranker.evaluate(bare) == ranker.evaluate(table)
    pq.write_table(pa.table(bare), tmp_path / "bare.parquet")
    assert ranker.predict(tmp_path / "bare.parquet").equals(expected)
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(bare).equals(expected)
    del bare["tab"]
    with pytest.raises(TableError, match="feature 'tab': the table has no column 'tab'"):
        ranker.predict(bare)


def test_training_needs_them() -> None:
    table = rows()
    del table["position"]
    with pytest.raises(TableError, match="feature 'position': the table has no column 'position'"):
        gw.Ranker(SCHEMA, gw.MMoE(side=SIDE), epochs=1).fit(table)


def test_what_the_position_explains_is_not_blamed_on_the_tab() -> None:
    table = rows(20_000)
    bare = {"tab": [0, 1], "age": [0.0, 0.0]}

    def gap(side: gw.SideTower | None) -> float:
        schema = gw.Schema(features=SCHEMA.features[:3] if side else SCHEMA.features[1:3], tasks=SCHEMA.tasks[:1])
        ranker = gw.Ranker(schema, gw.MMoE(side=side), epochs=8, lr=5e-3).fit(table)
        first, second = ranker.predict(bare)["click"].to_pylist()
        return abs(first - second)

    # the rows whose position counts as missing are left to the tab
    assert gap(gw.SideTower(["position"])) < 0.7 * gap(None)


@pytest.mark.parametrize("kind", ["stem", "ple", "shared_bottom"])
def test_beside_other_trunks(kind: str) -> None:
    table = rows(200)
    ranker = gw.Ranker(SCHEMA, {"kind": kind, "side": {"features": ["position"]}}, epochs=1).fit(table)
    del table["position"]
    assert ranker.predict(table).num_rows == 200


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (gw.MMoE(side=gw.SideTower(["positoin"])), "side.features: no feature 'positoin'"),
        (gw.MMoE(side=gw.SideTower(["position", "tab", "age", "slot"])), "side.features: all features are on the side"),
    ],
)
def test_what_does_not_fit_is_refused(model: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        gw.Ranker(SCHEMA, model)


def test_what_the_model_reads_elsewhere_is_not_on_the_side() -> None:
    model = gw.PEPNet(scenario=["position"], priors=["tab"], side=SIDE)
    with pytest.raises(DeclarationError, match="'position' is also read by the rest of the model"):
        gw.Ranker(SCHEMA, model, epochs=1).fit(rows(100))
