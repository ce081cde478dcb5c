"""Operations that ONNX lacks, run by ONNX Runtime beside PyTorch's, and every kind of task that is made of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise.export import OnnxScorer, onnx_bytes
from gatewise.export.onnx_graph import OPSET
from gatewise.export.tracing import quiet
from gatewise.tasks.normal import log_between

KNOTS = torch.tensor([-1.0, 0.0, 0.5, 2.0, 2.5], dtype=torch.float64)


class Operations(torch.nn.Module):
    """All of them, in one model."""

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        inside = x.clamp(-30, 30)
        return {
            "log_ndtr": torch.special.log_ndtr(x),
            "ndtr": torch.special.ndtr(x),
            "between": log_between(inside, inside + 0.5),
            "right": torch.searchsorted(KNOTS, x, right=True),
            "left": torch.searchsorted(KNOTS, x),
        }


@pytest.fixture(scope="module")
def operations() -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    import onnx_ir

    from gatewise.export.translations import TRANSLATIONS

    example = torch.zeros(3, dtype=torch.float64)
    with quiet():
        graph = torch.export.export(Operations(), (example,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))
        made = torch.onnx.export(
            graph, (), dynamo=True, verbose=False, opset_version=OPSET, custom_translation_table=TRANSLATIONS
        )
    session = onnxruntime.InferenceSession(onnx_ir.to_proto(made.model).SerializeToString())
    names = ["log_ndtr", "ndtr", "between", "right", "left"]
    return lambda x: dict(zip(names, session.run(None, {session.get_inputs()[0].name: x}), strict=True))


def test_they_are_exact_in_both_tails(operations: Callable[[np.ndarray], dict[str, np.ndarray]]) -> None:
    x = np.concatenate([np.linspace(-40, 40, 4001), [-1e6, -1e-300, 0.0, 1e-300, 1e6, -np.inf, np.inf]])
    found, expected = operations(x), Operations()(torch.from_numpy(x))
    for name in ("log_ndtr", "ndtr"):
        np.testing.assert_allclose(found[name], expected[name].numpy(), rtol=1e-12, atol=1e-15, err_msg=name)
    np.testing.assert_allclose(found["between"], expected["between"].numpy(), rtol=1e-9)


def test_a_search_finds_knots_themselves_too(operations: Callable[[np.ndarray], dict[str, np.ndarray]]) -> None:
    x = np.concatenate([KNOTS.numpy(), KNOTS.numpy() + 1e-12, [-1e30, 1e30, 0.3]])
    found, expected = operations(x), Operations()(torch.from_numpy(x))
    for side in ("left", "right"):
        assert found[side].tolist() == expected[side].tolist()


@pytest.mark.filterwarnings("ignore:calibration of")
def test_every_kind_of_task() -> None:
    """Durations stand in the ranker of all features; here are the others, with two funnels and three calibrations."""
    rng = np.random.default_rng(0)
    rows = 300
    user = rng.integers(0, 12, rows)
    click = rng.random(rows) < 0.3 + user / 24
    cart = click & (rng.random(rows) < 0.5)
    table = pa.table(
        {
            "user": user,
            "shown": rng.integers(0, 2, rows),
            "click": click.astype(int),
            "cart": cart.astype(int),
            "buy": (click & (rng.random(rows) < 0.3)).astype(int),
            "stars": rng.integers(1, 6, rows),
            "device": rng.choice(["tv", "web", "phone"], rows),
            "visits": rng.poisson(2, rows),
            "revenue": cart * rng.lognormal(3, 1, rows),
        }
    )
    tasks = [
        gw.Binary("shown"),
        gw.Binary("click"),
        gw.Binary("cart", after="click", learn="dr"),
        gw.Binary("buy", after="click", through="cart"),
        gw.Ordinal("stars"),
        gw.Multiclass("device"),
        gw.Count("visits", loss="tweedie"),
        gw.LifetimeValue("revenue"),
    ]
    schema = gw.Schema(features=[gw.Categorical("user", dim=4)], tasks=tasks)
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1).fit(table, progress=False)
    ranker.calibrate(table, "isotonic", tasks=["cart"]).calibrate(table, "platt", tasks=["click"])
    ranker.calibrate(method="down_sampling", rate=0.2, tasks=["shown"])
    found, expected = (
        OnnxScorer(onnx_bytes(ranker.scorer), ranker.scorer).predict(table),
        ranker.predict(table, calibrated=True),
    )
    assert found.column_names == expected.column_names
    assert len(found.column_names) == 17
    for name in expected.column_names:
        # the steps of an isotonic calibration magnify how single precision rounds
        tolerance = 1e-3 if "cart_given" in name or name.endswith("_cart") else 1e-5
        np.testing.assert_allclose(found[name], expected[name], rtol=tolerance, atol=tolerance, err_msg=name)
