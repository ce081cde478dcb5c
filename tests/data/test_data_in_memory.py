from __future__ import annotations

import datetime
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gatewise.data import TableEncoder, column_names, read_needed, read_table, readable
from gatewise.declare import Binary, Categorical, Numeric, Schema, Sequence, Vector
from gatewise.errors import TableError

BIG = [2**63 + 5, 2**64 - 1, 7, 2**40]
SCHEMA = Schema(features=[Categorical("user"), Numeric("price")], tasks=[Binary("click")])
READ = {"user": [1, 2, 1, 3], "price": [1.0, 2.5, None, 4.0], "click": [0, 1, 1, 0]}


class Untouchable:
    """What no column can hold, and nobody may look at."""

    def __getattribute__(self, name: str):
        raise AssertionError(f"somebody asked an unread value for its {name}")


def frame_with(**columns) -> pd.DataFrame:
    return pd.DataFrame(READ).assign(**columns)


UNREAD = {
    "mixed objects": lambda: frame_with(note=pd.Series(["x", 7, None, b"y"], dtype=object)),
    "complex numbers": lambda: frame_with(note=np.array([1 + 2j] * 4)),
    "Python objects": lambda: frame_with(note=[object() for _ in range(4)]),
    "sparse": lambda: frame_with(note=pd.arrays.SparseArray([0, 1, 0, 1])),
    "a name twice": lambda: pd.concat([pd.DataFrame(READ), pd.DataFrame([[1, "x"]] * 4, columns=["a", "a"])], axis=1),
    "an index of objects": lambda: pd.DataFrame(READ).set_index(pd.Index([1, "x", None, 2], name="key", dtype=object)),
    "numbers as names": lambda: frame_with(**{"5": [object()] * 4}).rename(columns={"5": 5}),
    "objects of polars": lambda: pl.DataFrame(READ).with_columns(pl.Series("note", [object()] * 4, dtype=pl.Object)),
    "integers of 128 bits": lambda: pl.DataFrame(READ).with_columns(pl.Series("note", [1] * 4, dtype=pl.Int128)),
    "a dict": lambda: READ | {"note": ["x", 7, Untouchable(), None]},
    "a dict of other lengths": lambda: READ | {"note": [1]},
    "a dict of no array": lambda: READ | {"note": 5},
    "rows": lambda: [
        dict(zip([*READ, "note"], row, strict=True)) for row in zip(*READ.values(), [1, "x", 2j, object()], strict=True)
    ],
    "Arrow": lambda: pa.table([*map(pa.array, READ.values()), [1] * 4, [2] * 4], names=[*READ, "a", "a"]),
}


@pytest.mark.parametrize("kind", UNREAD)
def test_what_nobody_reads_refuses_no_table(kind):
    _, expected = TableEncoder.fit(SCHEMA, READ)
    source = UNREAD[kind]()
    _, found = TableEncoder.fit(SCHEMA, source)
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.floats, expected.floats)
    with pytest.raises(TableError, match=r"no column 'usr'; did you mean 'user'\?"):
        TableEncoder.fit(Schema(features=[Categorical("usr")], tasks=[Binary("click")]), source)


@pytest.mark.parametrize("kind", [kind for kind in UNREAD if "twice" not in kind and kind != "Arrow"])
def test_names_of_columns_that_cannot_be_converted(kind):
    assert {*READ} < {*column_names(UNREAD[kind]())}


def test_a_read_column_that_no_table_holds_is_named():
    for source in (frame_with(user=["x", 7, 1, 2]), READ | {"user": ["x", 7, 1, 2]}):
        with pytest.raises(TableError, match=r"^column 'user': [^\n]*$"):
            TableEncoder.fit(SCHEMA, source)


def test_a_column_that_is_the_index_is_read_and_other_indexes_are_not():
    frame = pd.DataFrame(READ).set_index("user")
    assert read_table(frame, ["user", "price"])["user"].to_pylist() == READ["user"]
    assert read_table(frame, ["price"]).column_names == ["price"]
    assert column_names(frame) == ["price", "click", "user"]


def test_rows_are_counted_where_no_column_is_wanted():
    for source in (pd.DataFrame(READ), pl.DataFrame(READ), pa.table(READ), READ, pa.table(READ).to_pylist()):
        assert read_table(source, []).shape == (4, 0)
    assert read_table(pd.DataFrame(), ["a"]).shape == (0, 0)


def test_a_stream_is_read_once_and_named_all_the_same():
    reader = pa.table(READ).to_reader()
    table = read_needed(reader, ["user", "absent"])
    assert table["user"].to_pylist() == READ["user"]
    assert {*READ} == {*table.column_names}
    known = readable(duckdb.connect().from_arrow(pa.table(READ)))
    assert isinstance(known, pa.Table)


HUGE = {
    "list": {"user": BIG},
    "small first": {"user": BIG[::-1]},
    "rows": [{"user": value} for value in BIG],
    "numpy": {"user": np.array(BIG, np.uint64)},
    "numpy objects": {"user": np.array(BIG, dtype=object)},
    "pandas": pd.DataFrame({"user": np.array(BIG, np.uint64)}),
    "pandas objects": pd.DataFrame({"user": pd.Series(BIG, dtype=object)}),
    "pandas decimals": pd.DataFrame({"user": pd.Series([Decimal(value) for value in BIG], dtype=object)}),
    "polars": pl.DataFrame({"user": pl.Series(BIG, dtype=pl.UInt64)}),
    "polars of 128 bits": pl.DataFrame({"user": pl.Series(BIG, dtype=pl.Int128)}),
    "polars decimals": pl.DataFrame({"user": pl.Series([Decimal(value) for value in BIG])}),
    "duckdb": duckdb.sql(f'SELECT unnest({BIG}::HUGEINT[]) AS "user"'),
}


@pytest.mark.parametrize("kind", HUGE)
def test_integers_above_63_bits_are_the_same_ids_from_anywhere(kind):
    schema = Schema(features=[Categorical("user")], tasks=[Binary("click")])
    encoder, _ = TableEncoder.fit(schema, {"user": np.array(BIG, np.uint64), "click": [0, 1, 0, 1]})
    row_of = dict(zip(BIG, encoder.encode({"user": np.array(BIG, np.uint64)}, labels=False).ids[:, 0], strict=True))
    found = encoder.encode(HUGE[kind], labels=False).ids[:, 0].tolist()
    assert found == [row_of[value] for value in (BIG[::-1] if kind == "small first" else BIG)]


def test_integers_above_63_bits_with_nulls_in_lists_and_as_numbers():
    schema = Schema(features=[Sequence("items"), Numeric("size")], tasks=[Binary("click")])
    table = {"items": [[BIG[0], None], [], None, BIG], "size": [2**70, None, 1, 2**63], "click": [0, 1, 0, 1]}
    encoder, encoded = TableEncoder.fit(schema, table)
    typed = pa.table(
        {**table, "items": pa.array(table["items"], pa.list_(pa.uint64())), "size": [2.0**70, None, 1, 2.0**63]}
    )
    again = encoder.encode(typed)
    assert encoded.lists[0].values.tolist() == again.lists[0].values.tolist()
    np.testing.assert_array_equal(encoded.floats, again.floats)
    with pytest.raises(TableError, match=r"feature 'items', an item: .*exact for ids below"):
        TableEncoder.fit(schema, table | {"items": [[2.0**70], [], [], []]})


def test_what_a_mask_hides_is_null():
    hidden = np.array([True, False, False, True])
    table = read_table(
        {
            "number": np.ma.array([1e20, 1.0, 2.0, 3.0], mask=hidden),
            "text": np.ma.array(["a", "b", "c", "d"], mask=hidden),
            "whole": np.ma.array([1, 2, 3, 4]),
            "matrix": np.ma.array(np.arange(8.0).reshape(4, 2), mask=[[1, 1], [0, 1], [0, 0], [0, 0]]),
            "rows": [np.ma.array([1, 2], mask=[0, 1]), np.array([3]), None, np.ma.array([4])],
        }
    )
    assert table.to_pydict() == {
        "number": [None, 1.0, 2.0, None],
        "text": [None, "b", "c", None],
        "whole": [1, 2, 3, 4],
        "matrix": [None, [2.0, None], [4.0, 5.0], [6.0, 7.0]],
        "rows": [[1, None], [3], None, [4]],
    }


def test_masked_labels_are_no_labels_and_masked_vectors_none():
    schema = Schema(features=[Vector("v", size=2)], tasks=[Binary("click")])
    vectors = np.ma.array(np.ones((4, 2)), mask=[[1, 1], [0, 0], [0, 0], [0, 0]])
    _, encoded = TableEncoder.fit(schema, {"v": vectors, "click": np.ma.array([0, 1, 1, 0], mask=[0, 0, 1, 0])})
    assert np.isnan(encoded.labels[:, 0]).tolist() == [False, False, True, False]
    assert encoded.floats.tolist() == [[0, 0, 1], [1, 1, 0], [1, 1, 0], [1, 1, 0]]


def test_what_pandas_writes_for_missing_values_is_null_in_any_column():
    schema = Schema(features=[Categorical("city"), Sequence("tags"), Categorical("day")], tasks=[Binary("click")])
    day = datetime.date(2024, 1, 1)
    table = {"city": ["a", "b"], "tags": [["x"], ["y"]], "day": [day, None], "click": [0, 1]}
    encoder, _ = TableEncoder.fit(schema, table)
    frame = pd.DataFrame({name: [np.nan, np.nan] for name in ("city", "tags", "day")})
    encoded = encoder.encode(frame, labels=False)
    assert encoded.ids.tolist() == [[1, 1]] * 2
    assert encoded.lists[0].values.tolist() == [1, 1]
    never, _ = TableEncoder.fit(schema, frame.assign(click=[0, 1]))
    assert never.encode(table).ids.tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", float("nan"), None], ["a", None, None]),
        ([1, pd.NA, 2], [1, None, 2]),
        ([["a"], float("nan")], [["a"], None]),
        (pd.Categorical([1, 2, None]), [1, 2, None]),
        (pd.Index([1, 2]), [1, 2]),
        (pd.arrays.SparseArray([0.0, np.nan]), [0.0, None]),
        (pd.Series([1, 2**63 + 1, None], dtype=object), [1, 2**63 + 1, None]),
        (np.array(["a", None], dtype=object), ["a", None]),
    ],
    ids=str,
)
def test_what_says_that_there_is_nothing_among_other_values_is_null(values, expected):
    assert read_table({"x": values})["x"].to_pylist() == expected


def test_nan_among_numbers_of_a_dict_stays_what_it_is():
    assert str(read_table({"x": [1.0, float("nan")]})["x"].to_pylist()) == "[1.0, nan]"
