"""``gatewise export`` as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from commands import run

pytest.importorskip("onnxscript", reason="pip install 'gatewise[export]'")


def test_a_file_and_what_rounding_costs(fitted: gw.Ranker, feed: pa.Table, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    pq.write_table(feed, tmp_path / "feed.parquet")
    model, path, table = (str(tmp_path / name) for name in ("model", "model.onnx", "feed.parquet"))
    done = run("export", model, "--onnx", path, "--inputs", "encoded", "--check", table, "--int8-embeddings")
    assert done.returncode == 0, done.stderr
    assert "model.onnx: " in done.stderr
    assert "largest difference" in done.stderr
    assert "auc" in done.stdout
    assert "8 bits" in done.stdout
    assert Path(path).stat().st_size > 1000


def test_what_is_wrong_is_one_line(fitted: gw.Ranker, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    done = run("export", str(tmp_path / "model"))
    assert done.returncode == 1
    assert done.stderr.strip() == "error: export: expected a file to write, found none: give --onnx or --torch"
