"""Embeddings in eight bits."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise.export import OnnxScorer, export_onnx, with_int8_embeddings
from gatewise.export.int8 import Int8Tables
from gatewise.kernels import Lookup
from gatewise.layout import EmbeddingField
from gatewise.nn.embedding import EmbeddingTables


def test_rows_are_off_by_half_a_step_at_most() -> None:
    torch.manual_seed(0)
    tables = EmbeddingTables([EmbeddingField("a", 50, 8), EmbeddingField("b", 20, 8), EmbeddingField("c", 9, 3)])
    rounded, ids = Int8Tables(tables), torch.tensor([[0, 5], [49, -1], [7, 19]])
    lookup = Lookup(ids, torch.tensor([0, 50]))
    with torch.no_grad():
        exact, found = (each.look_up("dim_8", lookup, torch.ones(3, 1)) for each in (tables, rounded))
    step = exact[:, :16].view(3, 2, 8).abs().amax(dim=2) / 127
    error = (exact - found)[:, :16].view(3, 2, 8).abs().amax(dim=2)
    assert (error <= step / 2 + 1e-7).all()
    assert error.max() > 0
    # the reserved row and padding stay zeros, what is beside them as it is
    assert not found[0, :8].any()
    assert not found[1, 8:16].any()
    assert found[:, 16].tolist() == [1, 1, 1]


def test_a_file_is_smaller_and_metrics_stay(tmp_path: Path) -> None:
    rng = torch.Generator().manual_seed(0)
    user = torch.randint(0, 3000, (9000,), generator=rng)
    table = pa.table({"user": user.numpy(), "click": ((user % 7 < 3).long()).numpy()})
    schema = gw.Schema(features=[gw.Categorical("user", dim=16)], tasks=[gw.Binary("click")])
    model = gw.MMoE(experts=2, expert_dims=[4])
    ranker = gw.Ranker(schema, model, epochs=3, lr=0.02, batch_size=256).fit(table, progress=False)
    before = ranker.predict(table)
    rounded = with_int8_embeddings(ranker.scorer)
    full, small = (
        export_onnx(scorer, tmp_path / f"{name}.onnx", inputs="encoded")
        for name, scorer in (("full", ranker.scorer), ("small", rounded))
    )
    # 16 bytes and a scale of 4 in the place of 64
    assert full.size - small.size == pytest.approx(3000 * 44, rel=0.1)
    found = OnnxScorer(small.path, rounded).predict(table)["click"].to_numpy()
    assert 0 < abs(found - before["click"].to_numpy()).max() < 0.02
    auc, rounded_auc = (scorer.evaluate(table)["click"]["auc"] for scorer in (ranker.scorer, rounded))
    assert rounded_auc == pytest.approx(auc, abs=1e-3)
    # the ranker stays as it was
    assert ranker.predict(table).equals(before)
