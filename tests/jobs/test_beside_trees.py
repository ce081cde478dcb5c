"""Trees beside one trained model."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import gatewise as gw
from gatewise.cli import main
from gatewise.errors import DeclarationError
from gatewise.jobs import Tables, beside_trees, in_words, trees_for

pytest.importorskip("lightgbm")

SCHEMA = gw.Schema(
    features=[gw.Numeric("x"), gw.Numeric("z")], tasks=[gw.Regression("jumps"), gw.Regression("straight")]
)


def rows_of(rows: int, seed: int) -> pa.Table:
    """Return a label that jumps with a number, as trees do, and one that is linear in it, as a layer is."""
    x, z = np.random.default_rng(seed).uniform(-1, 1, size=(2, rows))
    return pa.table({"x": x, "z": z, "jumps": np.sign(np.sin(12 * x)), "straight": 3 * x + 20 * z})


TABLES = Tables(rows_of(1000, 1), rows_of(300, 2), rows_of(500, 3))


@pytest.fixture(scope="module")
def ranker() -> gw.Ranker:
    model = gw.SharedBottom(bottom_dims=[], tower_dims=[])
    how = {"epochs": 40, "batch_size": 50, "lr": 0.02}
    return gw.Ranker(SCHEMA, model, **how).fit(TABLES.train, TABLES.valid)


@pytest.mark.parametrize("tables", [TABLES, Tables(TABLES.train, TABLES.valid, None)])
def test_the_task_on_which_trees_are_better_is_named(ranker, tables):
    found = beside_trees(ranker, trees_for("lightgbm", ranker, tables), tables)
    assert {each.output: each.verdict for each in found} == {"jumps": "better", "straight": "worse"}
    (line,) = in_words(found)
    assert line.startswith("LightGBM is better on 'jumps': r2 +")


def test_mistakes_are_found_before_the_training(ranker):
    with pytest.raises(DeclarationError, match="baseline: expected auto, lightgbm, none, found 'lightgmb'; did you"):
        trees_for("lightgmb", ranker, TABLES)
    with pytest.raises(DeclarationError, match="--baseline judges on test or validation rows"):
        trees_for("lightgbm", ranker, Tables(TABLES.train, None, None))


def test_auto_trains_trees_where_they_take_seconds(ranker, monkeypatch):
    assert trees_for("auto", ranker, TABLES) is not None
    assert trees_for("none", ranker, TABLES) is None
    assert trees_for("auto", ranker, Tables(TABLES.train, None, None)) is None
    monkeypatch.setattr(sys.modules[beside_trees.__module__], "QUICK_BYTES", TABLES.train.nbytes)
    assert trees_for("auto", ranker, TABLES) is None
    assert trees_for("lightgbm", ranker, TABLES) is not None


def test_train_says_it(tmp_path: Path, monkeypatch, capsys):
    for name, table in TABLES.parts.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    recipe = {
        "data": {name: f"{name}.parquet" for name in TABLES.parts},
        "features": [{"kind": "numeric", "name": name} for name in ("x", "z")],
        "tasks": [{"kind": "regression", "name": name} for name in ("jumps", "straight")],
        "model": {"kind": "shared_bottom", "bottom_dims": [], "tower_dims": []},
        "training": {"epochs": 1},
        "output": "run",
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["gatewise", "train", "recipe.yaml", "--no-report"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert "note: LightGBM is better on 'jumps': r2 +" in capsys.readouterr().out
