"""Weights of a sequence's items: equal lengths, cut and dropped with their items, refused by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.data import TableEncoder, sample_rows
from gatewise.errors import DeclarationError, TableError

TAGS = [["a", "b", "c"], [], None, ["b", None, "-", "c"]]
WEIGHTS = [[1, 0.5, 2], [], None, [3, 4, 9, 0]]


def encoder_of(tags: Any = TAGS, weights: Any = WEIGHTS, **options: Any) -> TableEncoder:
    feature = gw.Sequence("tags", dim=2, weights="scores", **options)
    schema = gw.Schema(features=[feature], tasks=[gw.Binary("click")])
    return TableEncoder.fit(schema, {"tags": tags, "scores": weights, "click": [0, 1] * (len(tags) // 2)})[0]


def encoded(encoder: TableEncoder, tags: Any = TAGS, weights: Any = WEIGHTS) -> tuple[list[Any], list[Any]]:
    """Return the ids and the weights of every row."""
    table = encoder.encode({"tags": tags, "scores": weights}, labels=False)
    (ids,), (numbers,) = table.lists, table.number_lists
    np.testing.assert_array_equal(ids.offsets, numbers.offsets)
    assert numbers.values.dtype == np.float32
    pairs = list(zip(ids.offsets[:-1], ids.offsets[1:], strict=True))
    return [ids.values[a:b].tolist() for a, b in pairs], [numbers.values[a:b].tolist() for a, b in pairs]


def test_weights_stand_beside_their_items_and_a_null_list_has_one_item_of_weight_1() -> None:
    ids, weights = encoded(encoder_of())
    assert weights == [[1, 0.5, 2], [], [1], [3, 4, 9, 0]]
    assert ids[1:3] == [[], [1]]


@pytest.mark.parametrize(("keep", "kept"), [("last", [4, 0]), ("first", [3, 4])])
def test_padding_is_dropped_with_its_weights_and_both_are_cut_alike(keep: str, kept: list[float]) -> None:
    encoder = encoder_of(padding="-", max_length=2, keep=keep)
    ids, weights = encoded(encoder)
    assert weights[3] == kept
    assert [len(row) for row in ids] == [2, 0, 1, 2]
    b, c = encoder.columns["tags"].encode_values([["b"], ["c"]], [[1], [1]]).lists["tags"].values.tolist()
    assert ids[3] == ([1, c] if keep == "last" else [b, 1])


def test_training_encodes_what_predicting_does() -> None:
    feature = gw.Sequence("tags", dim=2, weights="scores", padding="-", max_length=2)
    schema = gw.Schema(features=[feature], tasks=[gw.Binary("click")])
    table = {"tags": TAGS, "scores": WEIGHTS, "click": [0, 1, 0, 1]}
    encoder, trained = TableEncoder.fit(schema, table)
    np.testing.assert_array_equal(trained.number_lists[0].values, encoder.encode(table).number_lists[0].values)
    np.testing.assert_array_equal(trained.lists[0].values, encoder.encode(table).lists[0].values)


def test_strings_are_split_into_items_and_weights(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("tags,scores,click\na|b,0.5|2,1\n,,0\nc,1e-3,1\n", encoding="utf-8")
    feature = gw.Sequence("tags", dim=2, weights="scores")
    encoder, table = TableEncoder.fit(gw.Schema(features=[feature], tasks=[gw.Binary("click")]), path)
    assert table.number_lists[0].values.tolist() == pytest.approx([0.5, 2, 1, 1e-3])
    again = encoder.encode(path).number_lists[0]
    np.testing.assert_array_equal(again.values, table.number_lists[0].values)
    with pytest.raises(TableError, match="a weight of column 'scores' for an item of column 'tags': expected numbers"):
        encoder.encode({"tags": ["a"], "scores": ["high"]}, labels=False)


@pytest.mark.parametrize("dtype", [pa.list_(pa.float32()), pa.large_list(pa.decimal128(21, 2)), pa.list_(pa.int8(), 2)])
def test_weights_may_have_any_type_of_number(dtype: pa.DataType) -> None:
    weights = pa.array([[1, 2], [3, 4]], pa.list_(pa.int64())).cast(dtype)
    _, found = encoded(encoder_of(), [["a", "b"], ["c", "d"]], weights)
    assert found == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[1], [1]], "'tags' has 2 items and 'scores' has 1 in row 1"),
        ([[1], None], "'tags' has 2 items and 'scores' has 0 in row 1"),
        ([[1], [1, None]], "a weight of column 'scores' for an item of column 'tags': found null in row 1"),
        ([[1], [1, -0.5]], "an item of column 'tags': found a negative number in row 1, expected 0 or more"),
        ([[1], [float("nan"), 1]], "'scores' for an item of column 'tags': found nan in row 1"),
        ([[1], [float("inf"), 1]], "'scores' for an item of column 'tags': found inf in row 1"),
        (["1", "2|x"], "expected numbers between the separators, found strings, such as 'x' in row 1"),
        ([1.0, 2.0], "feature 'tags', weights 'scores': expected lists"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_one_line_with_the_row_and_both_columns(weights: Any, message: str) -> None:
    with pytest.raises(TableError, match=message) as caught:
        encoded(encoder_of(), [["a"], ["b", "c"]], weights)
    assert str(caught.value).startswith("feature 'tags'")
    assert "\n" not in str(caught.value)


def test_lengths_are_compared_before_lists_are_cut() -> None:
    with pytest.raises(
        TableError, match="column 'tags' has 3 items and 'scores' has 2 in row 0, expected one for each"
    ):
        encoded(encoder_of(max_length=1), [["a", "b", "c"]], [[1, 2]])


def test_a_missing_column_of_weights_is_named() -> None:
    with pytest.raises(TableError, match="no column 'scores'"):
        encoder_of().encode({"tags": [["a"]]}, labels=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "max"}, "weights are those of pooling 'mean' or 'sum', found 'max'"),
        ({"pooling": gw.GRU()}, "weights are those of pooling 'mean' or 'sum', found 'gru'"),
        ({"pooling": None}, "weights are those of pooling 'mean' or 'sum', found None"),
        ({"column": "scores"}, "weights: expected another column than that of the items, 'scores'"),
    ],
)
def test_options_that_do_not_fit_weights_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        gw.Sequence("tags", weights="scores", **options)


def test_a_label_cannot_be_weights_and_a_name_cannot_be_that_of_weights() -> None:
    tasks = [gw.Binary("click")]
    with pytest.raises(DeclarationError, match="feature 'tags' reads 'click', which is the label of task 'click'"):
        gw.Schema(features=[gw.Sequence("tags", weights="click")], tasks=tasks)
    with pytest.raises(DeclarationError, match=r"feature 'tags\.weights': this is the name of the weights of 'tags'"):
        gw.Schema(features=[gw.Sequence("tags", weights="w"), gw.Numeric("tags.weights")], tasks=tasks)


def test_values_of_a_request_are_encoded_as_a_table_is() -> None:
    encoder = encoder_of(padding="-", max_length=2)
    found = encoder.columns["tags"].encode_values(TAGS, WEIGHTS)
    table = encoder.encode({"tags": TAGS, "scores": WEIGHTS}, labels=False)
    np.testing.assert_array_equal(found.lists["tags"].values, table.lists[0].values)
    np.testing.assert_array_equal(found.lists["tags.weights"].padded(), table.number_lists[0].padded())


def test_made_up_rows_have_weights_for_all_their_items() -> None:
    features = [
        gw.Sequence("tags", dim=2, weights="scores", padding="-"),
        gw.Sequence("other", dim=2, weights="further", column="tags", pooling="sum"),
        gw.Sequence("plain", dim=2, column="tags", max_length=40),
    ]
    table = {"tags": TAGS, "scores": WEIGHTS, "further": WEIGHTS, "click": [0, 1, 0, 1]}
    encoder, _ = TableEncoder.fit(gw.Schema(features=features, tasks=[gw.Binary("click")]), table)
    rows = sample_rows(encoder)
    assert encoder.encode(rows, labels=False).number_lists[0].values.max() > 0
    assert {None} < {None if row is None else 0 for row in rows["scores"].to_pylist()}


def test_an_encoder_grows_with_items_that_have_weights() -> None:
    encoder = encoder_of()
    grown = encoder.extended({"tags": [["new"]], "scores": [[2.0]]})
    assert grown.vocabularies["tags"].rows == encoder.vocabularies["tags"].rows + 1
