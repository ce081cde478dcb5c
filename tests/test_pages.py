"""The Python of pages runs, and prints what its comments say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml

import gatewise as gw
from blocks import run_python

ALONE = ("plain-pytorch", "sequences", "sklearn", "scale", "daily", "tracking")
ALONE = tuple(f"docs/{name}.md" for name in ALONE)
"""Pages that make all that they name."""
GIVEN = ("balancing", "compare", "experts", "fusion", "gates", "index", "inputs", "tables", "texts", "training")
GIVEN = tuple(f"docs/{name}.md" for name in GIVEN)
TRUNKS = Path(__file__).resolve().parent.parent / "docs" / "trunks"
GIVEN += tuple(f"docs/trunks/{path.name}" for path in sorted(TRUNKS.glob("[a-z]*.md")) if ".zh-CN" not in path.name)
"""Pages about a schema, tables and a ranker that the reader has."""
SHORTER = {"docs/compare.md": {"seeds=5": "seeds=1, samples=20"}}
"""What is run in the place of what takes long."""
ROWS = 64
RECIPE = {
    "data": {"table": "log.parquet", "split": {"seed": 0, "valid": 0.25, "test": 0.25}},
    "features": [{"kind": "categorical", "name": "user_id", "dim": 2}],
    "tasks": [{"kind": "binary", "name": "click"}, {"kind": "binary", "name": "purchase"}],
    "model": {"kind": "mmoe", "experts": 2, "expert_dims": [2], "tower_dims": []},
    "training": {"epochs": 1, "batch_size": ROWS},
}


# MLflow warns of type hints of its own when it is imported
@pytest.mark.parametrize("page", [*ALONE[:-1], pytest.param(ALONE[-1], marks=pytest.mark.filterwarnings("ignore"))])
def test_a_page_that_stands_alone(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # what a page writes is no part of the project
    monkeypatch.chdir(tmp_path)
    run_python(page, {"__name__": "page"})


@pytest.mark.filterwarnings("ignore::gatewise.errors.GatewiseWarning")  # of trainings on a few rows
@pytest.mark.parametrize("page", GIVEN)
def test_a_page_about_what_the_reader_has(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_python(page, {"__name__": "page", **given(page)}, SHORTER.get(page, {}))


def given(page: str) -> dict[str, object]:
    """Return what a page calls by name; its tables are also files of the working folder."""
    draws = np.random.default_rng(0)
    log = {name: draws.integers(0, 5, ROWS) for name in ("user_id", "item_id", "video_id", "author_id", "tab")}
    log |= {name: draws.integers(0, 2, ROWS) for name in ("click", "like")}
    log["cart"] = log["click"] * draws.integers(0, 2, ROWS)
    log["purchase"] = log["cart"] * draws.integers(0, 2, ROWS)
    log |= {name: draws.uniform(1, 5, ROWS) for name in ("rating", "price", "cost")}
    table = pa.table(log)
    pq.write_table(table.select(["user_id", "item_id", "price", "click", "purchase"]), "log.parquet")
    pq.write_table(table.select(["user_id", "item_id", "price"]), "candidates.parquet")
    Path("recipe.yaml").write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    features = [gw.Categorical(name, dim=4) for name in ("user_id", "tab", "video_id", "author_id")]
    tasks = [gw.Binary(name) for name in ("click", "cart", "purchase")]
    tasks += [gw.Regression("rating")] * (page == "docs/fusion.md")
    return {
        "gw": gw,
        "features": features,
        "schema": gw.Schema(features=features, tasks=tasks, group="user_id"),
        "train": table,
        "valid": table,
        "test": table,
        "x": torch.randn(8, 16),
        "p": log["click"] / 2,
        "q": log["purchase"] / 2,
        "r": log["rating"],
    }
