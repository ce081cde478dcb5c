from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from gatewise.data import TableEncoder
from gatewise.declare import Binary, Schema, Vector
from gatewise.errors import TableError

SCHEMA = Schema(features=[Vector("a", 2)], tasks=[Binary("y")])
ROWS = [[9.0, 9.0], [1.0, 2.0], None, [3.0, -4.5]]


def fit(column):
    return TableEncoder.fit(SCHEMA, {"a": column, "y": np.arange(len(column)) % 2})


def floats(encoder, column):
    return encoder.encode({"a": column}, labels=False).floats.tolist()


@pytest.mark.parametrize(
    "column",
    [
        ROWS,
        pa.array(ROWS, pa.list_(pa.float32(), 2)),
        pa.array(ROWS, pa.large_list(pa.float64())),
        pa.array(ROWS, pa.list_view(pa.float64())),
        pa.chunked_array([ROWS[:1], ROWS[1:]], pa.list_(pa.float64())),
    ],
)
def test_vectors_of_all_kinds_pass_as_they_are(column):
    encoder, encoded = fit(column)
    assert encoded.floats.dtype == np.float32
    assert encoded.floats.tolist() == [[9, 9, 0], [1, 2, 0], [0, 0, 1], [3, -4.5, 0]]
    assert encoder.layout.floats == ("a[0]", "a[1]", "a is null")
    assert floats(encoder, column[1:]) == [[1, 2, 0], [0, 0, 1], [3, -4.5, 0]]


def test_without_nulls_in_training_there_is_no_flag():
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    encoder, encoded = fit(matrix)
    assert encoded.floats.tolist() == matrix.tolist()
    assert encoder.layout.floats == ("a[0]", "a[1]")
    assert floats(encoder, [None, [5, 6]]) == [[0, 0], [5, 6]]


def test_nulls_alone_and_no_rows():
    encoder, encoded = fit([None, None])
    assert encoded.floats.tolist() == [[0, 0, 1], [0, 0, 1]]
    assert floats(encoder, []) == []


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([None, [1.0, 2.0], [1.0]], ": found 1 numbers in row 2, expected 2"),
        ([[1.0, 2.0], []], ": found 0 numbers in row 1, expected 2"),
        ([None, [1.0, 2.0], [1.0, None]], ": found a null in the list of row 2, expected 2 numbers"),
        ([None, [1.0, 2.0], [1.0, float("nan")]], ", an item: found nan in row 2, expected finite numbers"),
        ([[1.0, 2.0], [1.0, 1e300]], r", an item: found 1e\+300 in row 1, expected finite numbers"),
        ([["a", "b"]], ", an item: expected numbers, found string"),
        ([1.0], ": expected lists of 2 numbers, found double"),
        (["1|2"], ": expected lists of 2 numbers, found string"),
    ],
)
def test_what_is_no_vector_is_named(column, message):
    encoder, _ = fit(ROWS)
    with pytest.raises(TableError, match=rf"^feature 'a'{message}"):
        floats(encoder, column)
