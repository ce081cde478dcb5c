"""Trees: what they read, when they stop, and that each task has its own rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.data import TableEncoder
from gatewise.jobs import Tables
from gatewise.jobs.trees import LONGEST, WITHOUT_VALIDATION, LabelledRows, Trees, _grown, columns

pytest.importorskip("lightgbm")


def test_they_read_codes_numbers_and_a_column_for_each_value_of_a_short_list():
    schema = gw.Schema(
        features=[gw.Categorical("tab"), gw.Numeric("age"), gw.Sequence("tags"), gw.Sequence("long")],
        tasks=[gw.Binary("click")],
    )
    long = [list(range(LONGEST)), [0], [0]]
    train = {"tab": ["a", "b", "a"], "age": [1.0, 2.0, 3.0], "tags": [[7], [8, 7], []], "long": long}
    encoder, encoded = TableEncoder.fit(schema, pa.table(train | {"click": [0, 1, 0]}))
    test = pa.table({"tab": ["b", None, "c"], "age": [2.0, 1.0, 3.0], "tags": [[9, 8], [7], None], "long": long})
    found = columns(encoder, encoder.encode(test, labels=False))
    b = encoded.ids[1, 0]
    seven, eight = encoded.lists[0].values[[0, 1]]
    tags = np.zeros((3, 4))
    # unknown values share a column, null has none
    tags[0, 0] = tags[0, eight] = tags[1, seven] = tags[2, 1] = 1
    ages = encoder.encode(test, labels=False).floats
    np.testing.assert_array_equal(found, np.column_stack([[b, np.nan, 0], ages, tags]))
    assert len(np.unique(ages)) == 3


def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 40, rows)
    worth = np.random.default_rng(9).normal(size=40)
    return np.column_stack([code, rng.normal(size=rows)]).astype(float), worth[code] + 0.1 * rng.normal(size=rows)


def grown(held_out: tuple[np.ndarray, np.ndarray] | None, seed: int = 0, binary: bool = False):
    x, y = drawn(2000, 0)
    task = gw.Binary("y") if binary else gw.Regression("y")
    labels = (y > 0).astype(float) if binary else y
    schema = gw.Schema(features=[gw.Categorical("code"), gw.Numeric("noise")], tasks=[task])
    encoder, _ = TableEncoder.fit(schema, {"code": x[:, 0].astype(int), "noise": x[:, 1], "y": labels})
    others = None if held_out is None else (held_out[0], {"y": held_out[1]})
    return _grown(task, LabelledRows(encoder, (x, {"y": labels}), others), {}, seed)


def test_they_stop_where_the_validation_rows_say():
    x, y = drawn(500, 1)
    assert grown((x, y)).best_iteration > 50
    # where what is learnt is wrong, one tree is too many
    assert grown((x, -y)).best_iteration < 5
    assert grown(None).num_trees() == WITHOUT_VALIDATION


def test_codes_are_categories_and_the_seed_counts():
    first, again, other = (grown(None, seed) for seed in (0, 0, 1))
    kinds = {(node["split_feature"], node["decision_type"]) for node in splits(first.dump_model())}
    assert (0, "==") in kinds
    assert (0, "<=") not in kinds
    x, _ = drawn(100, 2)
    assert np.array_equal(first.predict(x), again.predict(x))
    assert not np.array_equal(first.predict(x), other.predict(x))


def splits(model: dict) -> list[dict]:
    """Return all inner nodes."""
    found, left = [], [tree["tree_structure"] for tree in model["tree_info"]]
    while left:
        node = left.pop()
        if "split_feature" in node:
            found.append(node)
            left += [node["left_child"], node["right_child"]]
    return found


def test_binary_tasks_get_probabilities():
    x, _ = drawn(500, 1)
    found = grown(None, binary=True).predict(x)
    assert 0 < found.min() < 0.05 < 0.95 < found.max() < 1


def test_rows_without_a_label_teach_nothing():
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Regression("y"), gw.Regression("z")])
    x = np.random.default_rng(0).normal(size=400)
    # what the other task's rows would say of y is wrong
    own = np.arange(400) < 200
    y, z = pa.array(x, mask=~own), pa.array(-x, mask=own)
    train = pa.table({"x": x, "y": y, "z": z})
    test = pa.table({"x": [-1.0, 1.0], "y": [0.0, 0.0], "z": [0.0, 0.0]})
    found = Trees(schema).learn(0, Tables(train, None, test)).columns
    assert found["y"] == pytest.approx([-1, 1], abs=0.2)
    assert found["z"] == pytest.approx([1, -1], abs=0.2)
