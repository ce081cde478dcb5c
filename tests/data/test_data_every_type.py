"""Whatever type a column has, whoever reads it: an answer, or one line that names who asked."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from every_type import BITS, COLUMNS, ROWS
from gatewise.data import TableEncoder, row_and_others
from gatewise.data.columns import TextsColumn
from gatewise.data.plain_types import one_array
from gatewise.data.tables import pick_column
from gatewise.datasets import split_at, split_at_random, split_by_time
from gatewise.declare import (
    Binary,
    Categorical,
    Count,
    Custom,
    Duration,
    LifetimeValue,
    Multiclass,
    Numeric,
    Ordinal,
    Regression,
    Schema,
    Sequence,
    Text,
    Vector,
)
from gatewise.errors import GatewiseError, TableError

CLICK = Binary("click")
OTHER = Numeric("other")
SCHEMAS = {
    "categorical": Schema([Categorical("x")], [CLICK]),
    "hashed": Schema([Categorical("x", hash_buckets=5)], [CLICK]),
    "categorical of text": Schema([Categorical("x", dtype="string")], [CLICK]),
    "categorical of integers": Schema([Categorical("x", dtype="integer")], [CLICK]),
    "numeric": Schema([Numeric("x")], [CLICK]),
    "buckets": Schema([Numeric("x", transform="bucket")], [CLICK]),
    "sequence": Schema([Sequence("x", max_length=1)], [CLICK]),
    "sequence of text": Schema([Sequence("x", dtype="string", keep="first")], [CLICK]),
    "sequence of integers": Schema([Sequence("x", dtype="integer")], [CLICK]),
    "vector": Schema([Vector("x", size=2)], [CLICK]),
    "binary": Schema([OTHER], [Binary("x")]),
    "regression": Schema([OTHER], [Regression("x")]),
    "multiclass": Schema([OTHER], [Multiclass("x")]),
    "ordinal": Schema([OTHER], [Ordinal("x")]),
    "count": Schema([OTHER], [Count("x")]),
    "lifetime value": Schema([OTHER], [LifetimeValue("x")]),
    "duration": Schema([OTHER], [Duration("x")]),
    "limit": Schema([OTHER], [Duration("other_label", limit="x")]),
    "custom": Schema([OTHER], [Custom("x", by="own")]),
    "weight": Schema([OTHER], [Binary("click", weight_column="x")]),
    "group": Schema([OTHER], [CLICK], group="x"),
}


def table_with(column: pa.Array) -> pa.Table:
    numbers = [float(row) for row in range(ROWS)]
    return pa.table({"x": column, "click": BITS, "other": numbers, "other_label": numbers})


def in_one_line(work: Callable[[], Any], *names: str) -> str | None:
    """Return what is wrong: anything but an answer or one line that names who asked."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            work()
    except GatewiseError as error:
        message = str(error)
        return None if "\n" not in message and any(name in message for name in names) else message
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return None


def wrong_ones(work: Callable[[pa.Table], Any], *names: str) -> dict[str, str]:
    found = {name: in_one_line(partial(work, table_with(column)), *names) for name, column in COLUMNS.items()}
    return {name: problem for name, problem in found.items() if problem is not None}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_type_is_encoded_or_refused_in_one_line(kind: str) -> None:
    schema = SCHEMAS[kind]

    def fit_and_encode(table: pa.Table) -> None:
        encoder, encoded = TableEncoder.fit(schema, table)
        again = encoder.encode(table)
        assert (encoded.ids == again.ids).all()
        assert (encoded.floats == again.floats).all()
        # one row comes alone, and pieces come in chunks
        assert len(encoder.encode(table.slice(3, 1))) == 1
        chunked = encoder.encode(pa.concat_tables([table.slice(0, 5), table.slice(5, 2), table.slice(7)]))
        assert (chunked.ids == encoded.ids).all()
        assert (chunked.floats == encoded.floats).all()

    assert not wrong_ones(fit_and_encode, "'x'", "'click'", "'other_label'")


def test_every_type_is_a_text_or_refused_in_one_line() -> None:
    def prepared(table: pa.Table) -> None:
        TextsColumn(Text("x", encoder="none")).prepare(pick_column(table, "x", "feature 'x'"))

    assert not wrong_ones(prepared, "'x'")


@pytest.mark.parametrize(
    "split",
    [
        lambda table: split_by_time(table, "x"),
        lambda table: split_by_time(table, "other"),
        lambda table: split_at(table, "x", "v1"),
        lambda table: split_at(table, "x", 1),
        lambda table: split_at_random(table, 0),
    ],
    ids=["by time", "by another time", "at a text", "at a number", "at random"],
)
def test_every_type_is_split_or_refused_in_one_line(split: Callable[[pa.Table], Any]) -> None:
    assert not wrong_ones(split, "'x'")


@pytest.mark.parametrize("row", [2, 3, {"x": 1}, {"x": "v1"}, {"x": None}, {"x": [1, 2]}, {"x": 2**63 + 1}], ids=str)
def test_every_type_gives_a_row_and_others_or_refuses_it_in_one_line(row: Any) -> None:
    assert not wrong_ones(lambda table: row_and_others(table, row, ["x"], known=()).to_pylist(), "'x'")


WHOLE_DECIMALS = "decimal128(38, 0)"
ANSWERS = {
    "categorical": [
        *("int8", "uint64", "float", "bool", "string", "string_view", "date32[day]", WHOLE_DECIMALS, "above 63 bits"),
        *("whole decimals above 63 bits", "bool8", "uuid", "json", "runs of string_view", "runs of uuid"),
    ],
    "categorical of text": ["int8", "string_view", WHOLE_DECIMALS, "above 63 bits"],
    "numeric": ["int8", "uint64", "float16", "bool", "decimal32(9, 2)", "decimal256(60, 0)", "bool8", "above 63 bits"],
    "sequence": [
        *("list 0 of string_view", "list 2 of int64", "list 3 of string", f"list 0 of {WHOLE_DECIMALS}"),
        *("list 4 of int64", "list 0 of above 63 bits", "list 0 of uuid", "dictionary of string_view"),
    ],
    "vector": ["list 0 of float16", "tensor"],
    "binary": ["bits", "bool", "bool8", "runs of bits", "dictionary of bits"],
    "multiclass": ["string_view", WHOLE_DECIMALS, "uint64", "uuid"],
    "group": ["string_view", WHOLE_DECIMALS, "above 63 bits", "runs of string_view", "dictionary of string_view"],
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in ANSWERS.items() for name in names])
def test_what_means_something_to_a_reader_is_read(kind: str, name: str) -> None:
    TableEncoder.fit(SCHEMAS[kind], table_with(COLUMNS[name]))


ALIKE = {
    "categorical": [
        ["int8", "uint64", "double", WHOLE_DECIMALS, "decimal256(60, 0)", "decimal32(9, 2)", "runs of int8"],
        [
            "string",
            "large_string",
            "string_view",
            "json",
            "dictionary of string_view",
            "runs of string",
            "runs of json",
        ],
        ["above 63 bits", "dictionary of above 63 bits", "runs of above 63 bits"],
        ["bits", "bool", "bool8", "dictionary of bool8"],
    ],
    "numeric": [
        ["int8", "uint64", "float", "decimal64(18, 0)", "decimal128(20, 3)", "runs of decimal32(9, 2)"],
        ["bits", "bool", "bool8", "dictionary of bool8"],
    ],
    "sequence": [
        [f"list {place} of int64" for place in range(5)] + [f"list 0 of {WHOLE_DECIMALS}", "list 0 of uint64"],
        [f"list {place} of {text}" for text in ("string", "string_view") for place in range(5)] + ["list 0 of json"],
    ],
    "binary": [["bits", "bool", "bool8", "runs of bool8"]],
    "multiclass": [["int8", WHOLE_DECIMALS, "uint64"], ["string", "string_view", "dictionary of string_view"]],
}


@pytest.mark.parametrize(
    ("kind", "names"), [(kind, names) for kind, groups in ALIKE.items() for names in groups], ids=str
)
def test_the_same_values_are_the_same_in_any_type(kind: str, names: list[str]) -> None:
    first, encoded = TableEncoder.fit(SCHEMAS[kind], table_with(COLUMNS[names[0]]))
    for name in names[1:]:
        table = table_with(COLUMNS[name])
        other, found = TableEncoder.fit(SCHEMAS[kind], table)
        assert other.state() == first.state(), name
        for each in (found, first.encode(table)):
            np.testing.assert_array_equal(each.ids, encoded.ids, name)
            np.testing.assert_array_equal(each.floats, encoded.floats, name)
            np.testing.assert_array_equal(each.labels, encoded.labels, name)
            for left, right in zip(each.lists, encoded.lists, strict=True):
                np.testing.assert_array_equal(left.values, right.values, name)
                np.testing.assert_array_equal(left.offsets, right.offsets, name)


@pytest.mark.parametrize("kind", ["categorical", "numeric", "sequence", "vector"])
def test_a_column_of_nulls_alone_is_null_whatever_its_type(kind: str) -> None:
    known = {"categorical": "string", "numeric": "float", "sequence": "list 0 of string", "vector": "tensor"}[kind]
    encoder, _ = TableEncoder.fit(SCHEMAS[kind], table_with(COLUMNS[known]))
    expected = encoder.encode(table_with(pa.nulls(ROWS)))
    for name, column in COLUMNS.items():
        if pa.types.is_union(column.type) or pa.types.is_run_end_encoded(column.type):
            continue  # Arrow has no nulls of these types
        found = encoder.encode(table_with(pa.nulls(ROWS, column.type)))
        np.testing.assert_array_equal(found.ids, expected.ids, name)
        np.testing.assert_array_equal(found.floats, expected.floats, name)
        assert all((part.values == 1).all() for part in found.lists), name
        encoder.encode(table_with(column).slice(0, 0), labels=False)


def test_a_dictionary_may_have_a_null_among_its_entries() -> None:
    entries = pa.array(["a", None, "b"])
    for rows, expected in (([0, 1, 2, None], ["a", None, "b", None]), ([1, 1], [None, None]), ([2, 1], ["b", None])):
        found = pick_column(
            pa.table({"x": pa.DictionaryArray.from_arrays(pa.array(rows), entries)}), "x", "feature 'x'"
        )
        assert found.to_pylist() == expected
        assert pa.types.is_null(found.type) == (expected == [None, None])


def test_a_type_that_is_plain_is_handed_on_without_a_copy() -> None:
    for name in ("int8", "uint64", "double", "string", "large_string", "date32[day]", "list 0 of int64"):
        column = COLUMNS[name]
        found = pick_column(table_with(column), "x", "feature 'x'")
        assert found.type == column.type
        assert [b and b.address for b in found.buffers()] == [b and b.address for b in column.buffers()]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pandas period", r"feature 'x': holds pandas Periods; make them text with astype\(str\), or times"),
        ("list 0 of pandas period", r"feature 'x', an item: holds pandas Periods"),
        (
            "timestamp[s]",
            r"feature 'x': expected .*, found timestamp\[s\] \(make of it what matters first, such as its hour",
        ),
        ("opaque", "feature 'x': holds values of a type that Arrow does not know"),
        ("structure of int8", "feature 'x': expected numbers, booleans, strings, times or lists of them, found struct"),
        ("whole decimals above 64 bits", r"feature 'x': .*is exact for ids below 9007199254740992 only"),
    ],
)
def test_what_cannot_be_read_is_told_what_to_do_with_it(name: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        TableEncoder.fit(SCHEMAS["categorical" if "list" not in name else "sequence"], table_with(COLUMNS[name]))


def test_a_type_that_nobody_registered_is_known_by_its_name(tmp_path: Path) -> None:
    named = pa.field("x", pa.int64(), metadata={"ARROW:extension:name": "pandas.period"})
    table = table_with(COLUMNS["int64"])
    table = table.cast(pa.schema([named, *list(table.schema)[1:]]))
    with pytest.raises(TableError, match="holds pandas Periods"):
        TableEncoder.fit(SCHEMAS["categorical"], table)


def test_text_of_more_than_two_gigabytes_is_joined_in_a_type_that_holds_it() -> None:
    # zeros that nobody wrote take no memory until they are joined
    size = 3 * 2**28
    offsets = pa.py_buffer(np.array([0, size], np.int32))
    piece = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(np.zeros(size, np.uint8)))
    found = one_array(pa.chunked_array([piece] * 3))
    assert found.type == pa.large_string()
    assert pc.binary_length(found).to_pylist() == [size] * 3
