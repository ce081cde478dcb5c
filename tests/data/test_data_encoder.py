from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data import TableEncoder, needed_columns, parallel
from gatewise.declare import Binary, Categorical, Numeric, Regression, Schema, Sequence, Vector
from gatewise.errors import ArtefactError, TableError

FEATURES = [
    Sequence("history", shares="item"),
    Categorical("user"),
    Categorical("item"),
    Categorical("city", hash_buckets=20),
    Categorical("rare", min_count=2, column="city"),
    Numeric("age"),
    Numeric("log_age", transform="log", column="age"),
    Numeric("rank_age", transform="quantile", column="age"),
    Numeric("age_bucket", transform="bucket", buckets=3, dim=2, column="age"),
    Numeric("price"),
    Sequence("genres", separator=",", max_length=2),
    Sequence("tags", hash_buckets=10, dim=3, pooling="sum"),
    Vector("text", 2),
    Vector("image", 1),
]
SCHEMA = Schema(features=FEATURES, tasks=[Binary("click", weight_column="w"), Regression("rating")])
ROW = {
    "user": st.none() | st.sampled_from(["u", "v", "ü", ""]),
    "item": st.none() | st.integers(1, 4),
    "history": st.none() | st.lists(st.none() | st.integers(1, 6), max_size=3),
    "city": st.none() | st.sampled_from(["x", "y", "z"]),
    "age": st.none() | st.floats(-100, 100),
    "price": st.floats(0, 9),
    "genres": st.none() | st.sampled_from(["a", "a,b", "", "b,c,d"]),
    "tags": st.none() | st.lists(st.sampled_from(["p", "q"]), max_size=2),
    "text": st.none() | st.lists(st.floats(-1, 1), min_size=2, max_size=2),
    "image": st.lists(st.floats(-1, 1), min_size=1, max_size=1),
    "click": st.none() | st.booleans(),
    "rating": st.floats(-5, 5),
    "w": st.floats(0, 3),
}
TYPES = pa.schema(
    {
        "user": pa.string(),
        "item": pa.int32(),
        "history": pa.list_(pa.int64()),
        "city": pa.dictionary(pa.int8(), pa.string()),
        "age": pa.float64(),
        "price": pa.float32(),
        "genres": pa.large_string(),
        "tags": pa.large_list(pa.string()),
        "text": pa.list_(pa.float32(), 2),
        "image": pa.list_(pa.float64()),
        "click": pa.bool_(),
        "rating": pa.float64(),
        "w": pa.float32(),
    }
)
CLICK = [Binary("click")]
# two rows that make every label worth learning
ENDS = [dict.fromkeys(ROW) | {"click": end, "rating": float(end), "price": 1.0, "w": 1.0} for end in (False, True)]


def table_of(rows):
    return pa.Table.from_pylist(rows, schema=TYPES)


TABLES = st.lists(st.fixed_dictionaries(ROW), max_size=8).map(lambda rows: table_of([*rows, *ENDS]))


def assert_same(left, right):
    for name in ("ids", "floats", "labels"):
        a, b = getattr(left, name), getattr(right, name)
        np.testing.assert_array_equal(a, b)
        assert a is b or a.dtype == b.dtype
    for a, b in zip(left.lists, right.lists, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
        np.testing.assert_array_equal(a.offsets, b.offsets)


@settings(max_examples=10, deadline=None)
@given(TABLES)
def test_encoding_the_training_table_gives_what_fitting_gave(table):
    encoder, fitted = TableEncoder.fit(SCHEMA, table)
    # row weights steer training only
    assert fitted.weights is not None
    assert encoder.encode(table).weights is None
    assert_same(encoder.encode(table.drop_columns(["w"])), fitted)
    unlabelled = encoder.encode(table.drop_columns(["click", "rating", "w"]), labels=False)
    assert unlabelled.labels is None
    np.testing.assert_array_equal(unlabelled.ids, fitted.ids)


@settings(max_examples=10, deadline=None)
@given(TABLES, TABLES)
def test_the_state_goes_to_json_and_encodes_as_before(table, other):
    encoder, _ = TableEncoder.fit(SCHEMA, table)
    again = TableEncoder.from_state(SCHEMA, json.loads(json.dumps(encoder.state(), allow_nan=False)))
    assert_same(again.encode(other), encoder.encode(other))
    assert again.layout == encoder.layout
    assert again.statistics == encoder.statistics
    assert again.column_types() == encoder.column_types()


def with_threads(threads, work):
    before, rows = pa.cpu_count(), parallel.ROWS_WORTH_THREADS
    try:
        pa.set_cpu_count(threads)
        parallel.ROWS_WORTH_THREADS = 0
        return work()
    finally:
        pa.set_cpu_count(before)
        parallel.ROWS_WORTH_THREADS = rows


@settings(max_examples=10, deadline=None)
@given(TABLES, TABLES)
def test_threads_change_nothing(table, other):
    def work():
        encoder, fitted = TableEncoder.fit(SCHEMA, table)
        grown = encoder.extended(other)
        return encoder.state(), fitted, encoder.encode(other), grown.state(), grown.encode(other)

    one, four = with_threads(1, work), with_threads(4, work)
    assert (one[0], one[3]) == (four[0], four[3])
    for index in (1, 2, 4):
        assert_same(one[index], four[index])


@pytest.mark.parametrize("threads", [1, 4])
def test_of_several_bad_columns_the_first_is_named(threads):
    """The first takes longest to check, so that threads come to the others before."""
    rows = 20_000
    long = np.zeros(rows)
    long[-1] = 0.5
    features = [Categorical("a"), Categorical("b"), Numeric("c"), Sequence("d"), Vector("e", 2)]
    schema = Schema(features=features, tasks=CLICK)
    good = {"a": [1, 2], "b": [1, 2], "c": [1, 2], "d": [[1], [2]], "e": [[1.0, 2.0]] * 2, "click": [0, 1]}
    encoder, _ = TableEncoder.fit(schema, good)
    one = pa.array(np.ones(rows))
    bad = {"a": good["a"][:1] * rows, "b": long, "c": ["x"] * rows, "d": one, "e": one, "click": np.arange(rows) % 2}
    for call in (lambda: TableEncoder.fit(schema, bad), lambda: encoder.encode(bad), lambda: encoder.extended(bad)):
        with pytest.raises(TableError, match=r"^feature 'b': .*found 0\.5 in row 19999"):
            with_threads(threads, call)


def test_what_is_encoded_may_be_written_to():
    encoder, fitted = TableEncoder.fit(SCHEMA, table_of(ENDS))
    for encoded in (fitted, encoder.encode(table_of(ENDS))):
        lists = [array for ragged in encoded.lists for array in (ragged.values, ragged.offsets)]
        for array in (encoded.ids, encoded.floats, encoded.labels, *lists):
            assert array.flags.writeable
            assert array.flags.c_contiguous


@settings(max_examples=10, deadline=None)
@given(TABLES, TABLES)
def test_encoded_tables_fit_the_layout(table, other):
    encoder, _ = TableEncoder.fit(SCHEMA, table)
    layout, encoded = encoder.layout, encoder.encode(other)
    assert encoded.ids.shape == (len(other), len(layout.ids))
    assert encoded.floats.shape == (len(other), len(layout.floats))
    assert np.isfinite(encoded.floats).all()
    assert (encoded.ids.dtype, encoded.floats.dtype) == (np.int32, np.float32)
    for column, (_, field) in enumerate(layout.ids):
        assert 0 <= encoded.ids[:, column].min() <= encoded.ids[:, column].max() < layout.fields[field].rows
    for ragged, declared in zip(encoded.lists, layout.lists, strict=True):
        assert len(ragged) == len(other)
        assert all(0 <= value < layout.fields[declared.field].rows for value in ragged.values)


@settings(max_examples=10, deadline=None)
@given(TABLES, st.data())
def test_rows_are_encoded_one_by_one(table, data):
    encoder, whole = TableEncoder.fit(SCHEMA, table)
    row = data.draw(st.integers(0, len(table) - 1))
    one = encoder.encode(table.slice(row, 1))
    np.testing.assert_array_equal(one.ids, whole.ids[row : row + 1])
    np.testing.assert_array_equal(one.floats, whole.floats[row : row + 1])
    np.testing.assert_array_equal(one.labels, whole.labels[row : row + 1])
    for a, b in zip(one.lists, whole.lists, strict=True):
        assert a.values.tolist() == b.values[b.offsets[row] : b.offsets[row + 1]].tolist()


@settings(max_examples=10, deadline=None)
@given(TABLES, TABLES)
def test_growing_keeps_old_ids_and_knows_the_new_values(table, other):
    encoder, fitted = TableEncoder.fit(SCHEMA, table)
    grown = encoder.extended(other)
    again = grown.encode(table)
    # a value too rare for a row of its own may have one now
    known = fitted.ids > 0
    np.testing.assert_array_equal(again.ids[known], fitted.ids[known])
    np.testing.assert_array_equal(again.floats, fitted.floats)
    for a, b in zip(again.lists, fitted.lists, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
    user = [name for name, _ in grown.layout.ids].index("user")
    assert (grown.encode(other).ids[:, user] != 0).all()
    assert_same(encoder.encode(table), fitted)


def test_the_layout_names_what_there_is():
    encoder, _ = TableEncoder.fit(SCHEMA, table_of(ENDS))
    layout = encoder.layout
    assert [field.name for field in layout.fields] == [
        "user", "item", "city", "rare", "age_bucket", "genres", "tags",
    ]  # fmt: skip
    assert [(name, layout.fields[field].name) for name, field in layout.ids] == [
        (name, name) for name in ("user", "item", "city", "rare", "age_bucket")
    ]
    assert [(c.name, layout.fields[c.field].name, c.pooling) for c in layout.lists] == [
        ("history", "item", "mean"),
        ("genres", "genres", "mean"),
        ("tags", "tags", "sum"),
    ]
    assert layout.floats == (
        "age", "age is null", "log_age", "log_age is null", "rank_age", "rank_age is null", "price",
        "text[0]", "text[1]", "text is null", "image[0]", "image is null",
    )  # fmt: skip
    assert {field.name: field.dim for field in layout.fields}["tags"] == 3


def test_needed_columns():
    features = ["history", "user", "item", "city", "age", "price", "genres", "tags", "text", "image"]
    assert needed_columns(SCHEMA, labels=False) == features
    assert needed_columns(SCHEMA) == [*features, "click", "rating"]
    assert needed_columns(SCHEMA, weights=True) == [*features, "click", "rating", "w"]


def test_no_rows():
    encoder, _ = TableEncoder.fit(SCHEMA, table_of(ENDS))
    encoded = encoder.encode(table_of([]))
    assert len(encoded) == 0
    assert encoded.labels.shape == (0, 2)
    assert [ragged.offsets.tolist() for ragged in encoded.lists] == [[0]] * 3
    with pytest.raises(TableError, match="the training table has no rows"):
        TableEncoder.fit(SCHEMA, table_of([]))


def text_file(folder, text):
    path = folder / "a.csv"
    path.write_text(text)
    return path


def test_what_was_text_in_training_is_text_in_a_csv_file(tmp_path):
    schema = Schema(features=[Categorical("zip", column="code")], tasks=CLICK)
    encoder, encoded = TableEncoder.fit(schema, {"code": ["007", "7", "042"], "click": [0, 1, 0]})
    assert encoder.column_types() == {"code": pa.large_string(), "click": pa.float64()}
    path = text_file(tmp_path, "code\n007\n7\n042\n8\n")
    assert encoder.encode(path, labels=False).ids[:, 0].tolist() == [*encoded.ids[:, 0], 0]


@pytest.mark.parametrize(
    "values", [["true", "false", ""], ["1.0", "2.0", ""], ["7", "8", ""], ["2024-01-01", "1999-12-31", ""]]
)
def test_a_csv_file_is_encoded_as_in_training(tmp_path, values):
    path = text_file(
        tmp_path, "".join(f"{value},{i % 2}\n" for i, value in enumerate(["a", *values])).replace("a,0", "a,click")
    )
    encoder, encoded = TableEncoder.fit(Schema(features=[Categorical("a")], tasks=CLICK), path)
    assert sorted(encoded.ids[:, 0]) == [1, 2, 3]
    assert_same(encoder.encode(path), encoded)


def test_one_item_a_row_is_a_list_in_a_csv_file_too(tmp_path):
    path = text_file(tmp_path, "movie,history,tags,click\n1,2,7,0\n2,1|2,8,1\n3,,9,0\n")
    features = [Categorical("movie"), Sequence("history", shares="movie"), Sequence("tags")]
    encoder, encoded = TableEncoder.fit(Schema(features=features, tasks=CLICK), path)
    one, two, _ = encoded.ids[:, 0].tolist()
    assert [ragged.values.tolist() for ragged in encoded.lists] == [[two, one, two, 1], [2, 3, 4]]
    assert_same(encoder.encode(path), encoded)
    single = text_file(tmp_path, "movie,history,tags\n1,2,7\n")
    assert [ragged.values.tolist() for ragged in encoder.encode(single, labels=False).lists] == [[two], [2]]


@pytest.mark.parametrize("kind", ["memory", "csv", "parquet"])
def test_a_missing_column_is_named_with_its_feature_and_the_nearest(tmp_path, kind):
    table = pa.table({"usr_id": [1, 2], "click": [0, 1]})
    source = table
    if kind == "csv":
        source = text_file(tmp_path, "usr_id,click\n1,0\n2,1\n")
    if kind == "parquet":
        source = tmp_path / "a.parquet"
        pq.write_table(table, source)
    schema = Schema(features=[Categorical("user", column="user_id")], tasks=CLICK)
    with pytest.raises(TableError) as caught:
        TableEncoder.fit(schema, source)
    assert str(caught.value) == "feature 'user': the table has no column 'user_id'; did you mean 'usr_id'?"


@pytest.mark.parametrize(
    ("feature", "column"),
    [
        (Categorical("a"), [[1], [2]]),
        (Numeric("a"), [[1.0], [2.0]]),
        (Numeric("a"), ["x", "y"]),
        (Numeric("a", transform="bucket"), [1.0, float("nan")]),
        (Sequence("a"), [1, 2]),
        (Sequence("a"), [1.0, 2.0]),
        (Vector("a", 2), [1.0, 2.0]),
        (Vector("a", 2), [[1.0], [2.0]]),
    ],
)
def test_a_column_that_is_not_what_was_declared_is_named(feature, column):
    with pytest.raises(TableError, match=r"^feature 'a'[:,] ") as caught:
        TableEncoder.fit(Schema(features=[feature], tasks=CLICK), {"a": column, "click": [0, 1]})
    assert "\n" not in str(caught.value)
    assert "found" in str(caught.value)


@pytest.mark.parametrize("break_it", [
    lambda state: state.pop("vocabularies"),
    lambda state: state["vocabularies"].pop("item"),
    lambda state: state["features"].pop("age"),
    lambda state: state["features"]["age"].update(more=1),
    lambda state: state["labels"].pop("click"),
    lambda state: state["vocabularies"].update(item={"values": "integer", "learnt": ["x"]}),
    lambda state: state.update(vocabularies=[]),
])  # fmt: skip
def test_a_state_that_does_not_fit_is_an_error(break_it):
    encoder, _ = TableEncoder.fit(SCHEMA, table_of(ENDS))
    state = encoder.state()
    break_it(state)
    with pytest.raises(ArtefactError, match="encoder: its saved state does not fit the schema") as caught:
        TableEncoder.from_state(SCHEMA, state)
    assert "\n" not in str(caught.value)


def test_extending_refuses_another_type():
    schema = Schema(features=[Categorical("a")], tasks=CLICK)
    encoder, _ = TableEncoder.fit(schema, {"a": [1, 2], "click": [0, 1]})
    with pytest.raises(TableError, match="feature 'a': found strings, its vocabulary was learnt from integers"):
        encoder.extended({"a": ["x"]})
    assert encoder.extended({"a": [9, 9, 8]}).vocabularies["a"].values.to_pylist() == [1, 2, 9, 8]
