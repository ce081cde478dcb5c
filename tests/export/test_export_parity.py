"""An export that predicts something else is refused, and says where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise.calibration import Calibration, Isotonic, Platt
from gatewise.declare import Fusion
from gatewise.errors import ExportError
from gatewise.export import export_onnx
from gatewise.export.onnx_scorer import OnnxScorer
from gatewise.export.parity import check_parity, expected_outputs
from gatewise.export.program import Program


def outputs(scorer, table: pa.Table) -> dict[str, np.ndarray]:
    return {name: bounds.value.copy() for name, bounds in expected_outputs(scorer, table).items()}


def test_a_difference_is_named_with_its_row_and_both_values(fitted: gw.Ranker, feed: pa.Table) -> None:
    found = outputs(fitted.scorer, feed)
    assert check_parity(fitted.scorer, feed, found) == 0.0
    found["stars"][7] += 2e-4
    with pytest.raises(ExportError, match=r"output 'stars' differs in row 7: the model gives .*, the exported one .*"):
        check_parity(fitted.scorer, feed, found)
    found = outputs(fitted.scorer, feed)
    found["gates"][3, 1, 2] += 2e-5
    with pytest.raises(ExportError, match=r"output 'gates' differs in row 3 at \[1, 2\]"):
        check_parity(fitted.scorer, feed, found)
    found = outputs(fitted.scorer, feed)
    found["click"][0] = np.nan
    with pytest.raises(ExportError, match="'click' differs in row 0"):
        check_parity(fitted.scorer, feed, found)
    del found["gates"]
    with pytest.raises(ExportError, match="expected the outputs"):
        check_parity(fitted.scorer, feed, found)


def test_rounding_before_a_steep_calibration_is_no_difference(fitted: gw.Ranker, feed: pa.Table) -> None:
    plain = outputs(fitted.scorer, feed)["click"]
    knots = np.sort(plain)[[0, 700, -1]]
    steep = Isotonic([knots[0], knots[1], knots[1] + 1e-6, knots[2]], [0.0, 0.1, 0.9, 1.0])
    scorer = replace(fitted.scorer, calibration=Calibration({"click": steep}))
    found = outputs(scorer, feed)
    rounded = steep(torch.from_numpy(plain + 1e-7)).numpy()
    assert np.abs(rounded - found["click"]).max() > 1e-2
    check_parity(scorer, feed, found | {"click": rounded})
    with pytest.raises(ExportError, match="'click' differs"):
        check_parity(scorer, feed, found | {"click": steep(torch.from_numpy(plain + 1e-4)).numpy()})


def test_a_calibrated_step_moves_what_follows_it_both_ways() -> None:
    draws = np.random.default_rng(0)
    click = draws.integers(0, 2, 400)
    buy = click * draws.integers(0, 2, 400)
    table = pa.table({"x": draws.normal(size=400), "click": click, "buy": buy, "paid": buy * draws.exponential(9, 400)})
    tasks = [gw.Binary("click"), gw.Binary("buy", after="click"), gw.LifetimeValue("paid", after="buy")]
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=tasks)
    model = gw.MMoE(experts=2, expert_dims=[4], tower_dims=[4])
    scorer = gw.Ranker(schema, model, epochs=1, batch_size=200).fit(table).scorer
    # flat: the more probable a step was, the less its calibration leaves of what follows it
    flat, steps = Isotonic([0.0, 0.9, 0.90001, 1.0], [0.3, 0.3, 0.9, 1.0]), ("click", "buy_given_click")
    scorer = replace(scorer, calibration=Calibration(dict.fromkeys(steps, flat)))
    bounds = expected_outputs(scorer, table)
    assert all((each.low <= each.value).all() and (each.value <= each.high).all() for each in bounds.values())
    assert check_parity(scorer, table, outputs(scorer, table)) == 0.0


def test_a_fusion_is_that_of_its_columns(fitted: gw.Ranker, feed: pa.Table) -> None:
    fusion = Fusion.parse("click * stars")
    found = outputs(fitted.scorer, feed)
    check_parity(fitted.scorer, feed, found | {"fused": found["click"] * found["stars"]}, fusion)
    with pytest.raises(ExportError, match="'fused' differs"):
        check_parity(fitted.scorer, feed, found | {"fused": found["click"] + found["stars"]}, fusion)


def test_a_wrong_calibration_is_found_and_nothing_written(
    fitted: gw.Ranker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file gets another calibration than the ranker has."""
    scorer = replace(fitted.scorer, calibration=Calibration({"click": Platt(1.0, 0.1)}))
    made = Program.__init__

    def wrong(self, *given) -> None:
        made(self, *given)
        self.calibration = Calibration({"click": Platt(1.0, 0.1001)})

    monkeypatch.setattr(Program, "__init__", wrong)
    path = tmp_path / "model.onnx"
    path.write_bytes(b"what was there before")
    with pytest.raises(ExportError, match="output 'click' differs in row"):
        export_onnx(scorer, path, inputs="encoded")
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
    assert path.read_bytes() == b"what was there before"


def test_what_is_no_model_of_ours_is_one_line(fitted: gw.Ranker) -> None:
    with pytest.raises(gw.GatewiseError, match="the bytes: no ONNX model that can be run"):
        OnnxScorer(b"nothing", fitted.scorer)
