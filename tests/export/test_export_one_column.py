"""Features that read one column in different ways have an input each in the raw form."""

from __future__ import annotations

from pathlib import Path

import pytest

import gatewise as gw

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'gatewise[export]'")
pytest.importorskip("onnxscript", reason="pip install 'gatewise[export]'")
ROWS = 120
TABLE = {
    "user": [f"u{i % 31}" for i in range(ROWS)],
    "tags": ["|".join([*"abc"[: i % 4], "-", "d;e"]) for i in range(ROWS)],
    "click": [i % 3 % 2 for i in range(ROWS)],
}
FEATURES = [
    gw.Categorical("few", dim=2, hash_buckets=5, column="user"),
    gw.Categorical("many", dim=2, hash_buckets=50, column="user"),
    gw.Categorical("as_many", dim=3, hash_buckets=50, column="user"),
    gw.Categorical("whole", dim=2, column="tags"),
    gw.Sequence("split", dim=2, column="tags"),
    gw.Sequence("split_too", dim=3, max_length=2, column="tags"),
    gw.Sequence("halves", dim=2, separator=";", column="tags"),
    gw.Sequence("hashed", dim=2, hash_buckets=9, column="tags"),
    gw.Sequence("hashed_items", dim=2, hash_buckets=9, padding="-", column="tags"),
]


def test_every_reading_of_a_column_is_an_input_that_is_fed_what_it_reads(tmp_path: Path) -> None:
    schema = gw.Schema(features=FEATURES, tasks=[gw.Binary("click")])
    ranker = gw.Ranker(schema, gw.SharedBottom(), epochs=3, batch_size=30, lr=0.05).fit(TABLE, progress=False)
    # the written file is compared with the ranker on the table
    ranker.export_onnx(tmp_path / "model.onnx", inputs="raw", check=TABLE)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert {found.name for found in session.get_inputs()} == {
        "user.row.few", "user.row.many", "user.row.as_many", "tags.whole", "tags.split", "tags.split_too",
        "tags.halves", "tags.row.hashed", "tags.row.hashed_items",
    }  # fmt: skip
