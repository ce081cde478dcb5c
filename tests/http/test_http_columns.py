"""What a request becomes is what the exported model is fed of a table, for every kind of feature."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.export import EncodedForm
from gatewise.http.columns import FeatureColumns, joined
from gatewise.http.items import ItemFile, ItemTable

TABLE = {
    "user": [7, 8, 9, 7, 8, 9] * 10,
    "word": ["a", "b", None, "c", "a", "b"] * 10,
    "length": [10.0, 20.0, 30.0, None, 5.0, 8.0] * 10,
    "tags": ["a|b", "", None, "c", "a|b|c", "b"] * 10,
    "seen": [[7, 8], [], None, [9], [7], [8, 8, 7]] * 10,
    "vector": [[0.5, 1.0], None, [2.0, 3.0], [0.0, 0.0], [1.0, 1.0], [4.0, 2.0]] * 10,
    "label": [0, 1, 1, 0, 1, 0] * 10,
    "watched": [5.0, 10.0, 1.0, 2.0, 3.0, 8.0] * 10,
}
SCHEMA = gw.Schema(
    features=[
        gw.Categorical("user", dim=4),
        gw.Categorical("word", hash_buckets=20),
        gw.Numeric("length"),
        gw.Numeric("length_bucket", transform="bucket", buckets=3, column="length"),
        gw.Numeric("length_log", transform="log", column="length"),
        gw.Sequence("tags"),
        gw.Sequence("seen", shares="user", max_length=2),
        gw.Vector("vector", 2),
    ],
    tasks=[gw.Binary("label"), gw.Duration("watched", limit="length")],
)
COLUMNS = ["user", "word", "length", "tags", "seen", "vector"]


@pytest.fixture(scope="module")
def scorer():
    return gw.Ranker(SCHEMA, epochs=1, batch_size=30).fit(TABLE).scorer


def fed(scorer, columns) -> dict[str, np.ndarray]:
    return EncodedForm(scorer).feed(scorer.encode(columns, labels=False))


def assert_same(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_rows_become_what_a_table_of_them_becomes(scorer):
    features = FeatureColumns(scorer.encoder)
    columns = {name: TABLE[name][:6] for name in COLUMNS}
    assert features.names == COLUMNS
    assert_same(features.side_by_side(features.encode(columns, 6), 6), fed(scorer, columns))


def test_what_is_shared_stands_in_every_row(scorer):
    features = FeatureColumns(scorer.encoder)
    shared = {name: TABLE[name][:1] for name in COLUMNS if name != "word"}
    own = {"word": ["a", "new", None]}
    found = features.side_by_side({**features.encode(shared, 3), **features.encode(own, 3)}, 3)
    assert_same(found, fed(scorer, own | {name: values * 3 for name, values in shared.items()}))


def test_items_become_what_their_rows_become(scorer, tmp_path):
    import pyarrow as pa

    features = FeatureColumns(scorer.encoder)
    items = {"id": [*range(6)], **{name: TABLE[name][:6] for name in COLUMNS if name != "user"}}
    pq.write_table(pa.table(items), tmp_path / "items.parquet")
    table = ItemTable.read(ItemFile(tmp_path / "items.parquet", "id"), features)
    user = features.encode({"user": [7]}, 4)
    for chosen in ([5, 0], [1], [2, 2, 1], [4, 3, 0, 1]):
        found = features.side_by_side({**user, **table.take(table.rows_of(chosen), without=user)}, len(chosen))
        rows = {name: [items[name][place] for place in chosen] for name in items if name != "id"}
        assert_same(found, fed(scorer, {"user": [7] * len(chosen), **rows}))


def test_requests_below_each_other_are_padded_to_the_longest():
    short, long = np.array([[1], [-1]]), np.array([[2, 3, 4]])
    assert joined([short, long]).tolist() == [[1, -1, -1], [-1, -1, -1], [2, 3, 4]]
    assert joined([np.zeros((2, 0), np.int64), long]).tolist() == [[-1] * 3, [-1] * 3, [2, 3, 4]]
