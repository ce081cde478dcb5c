"""Live models of other libraries with drawn weights, and rows for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import gatewise as gw
from gatewise.export import OnnxScorer, export_onnx

ROWS = 64
SIZES = {"user": 30, "item": 20, "day": 7, "again": 20}


def make_rows() -> dict[str, np.ndarray]:
    """Raw rows as the other libraries take them: padded arrays."""
    rng = np.random.default_rng(0)
    lists = {name: rng.integers(1, 20, (ROWS, 5)) for name in ("seen", "bought", "liked")}
    for name, filled in (("bought", 0), ("liked", 0)):
        lengths = rng.integers(1, 6, ROWS)
        lists[name] = np.where(np.arange(5) < lengths[:, np.newaxis], lists[name], filled)
    numbers = {name: rng.normal(size=ROWS).astype(np.float32) for name in ("age", "price")}
    ids = {name: rng.integers(0, size, ROWS) for name, size in SIZES.items()}
    return {**ids, **lists, **numbers, "vector": rng.normal(size=(ROWS, 3)).astype(np.float32)}


def trained(model: nn.Module, run: Callable[[nn.Module], Any]) -> nn.Module:
    """Return a model with weights far from their start, and statistics of batches, in evaluation mode."""
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            # around the ones of a normalisation, and the zeros of a bias
            weight.copy_(weight.mean().round() + torch.randn_like(weight) * (0.35 if weight.dim() > 1 else 0.2))
    model.train()
    with torch.no_grad():
        for _ in range(4):
            run(model)
    return model.eval()


def check_same(ranker: gw.Ranker, table: dict[str, Any], expected: np.ndarray, folder: Path) -> None:
    """Check that a converted ranker, and the one loaded from its artefact, predict what is expected.

    Args:
        ranker: the converted ranker.
        table: raw rows.
        expected: ``[row, column]``.
        folder: for files.
    """
    assert expected.std(axis=0).min() > 1e-4
    ranker.save(folder / "model")
    for each in (ranker, gw.load(folder / "model")):
        found = each.predict(table)
        np.testing.assert_allclose(np.column_stack(list(found.columns)), expected, rtol=1e-6, atol=1e-6)


def check_onnx(ranker: gw.Ranker, table: dict[str, Any], expected: np.ndarray, folder: Path) -> None:
    """Check that the ONNX file of a converted ranker, which takes seconds to make, predicts what is expected.

    Writing the file compares it with the ranker on made-up rows, with nulls and unknown ids among them.

    Args: those of :func:`check_same`.
    """
    made = export_onnx(ranker.scorer, folder / "model.onnx")
    assert made.difference < 1e-5
    found = OnnxScorer(made.path, ranker.scorer).run(table)
    columns = ranker.predict(table).column_names
    np.testing.assert_allclose(np.column_stack([found[name] for name in columns]), expected, rtol=1e-5, atol=1e-6)
