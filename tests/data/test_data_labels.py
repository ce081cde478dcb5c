from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gatewise.data import TableEncoder
from gatewise.declare import Binary, Categorical, Regression, Schema
from gatewise.errors import GatewiseWarning, TableError

NAN = float("nan")


def fit(task, **columns):
    rows = len(next(iter(columns.values())))
    return TableEncoder.fit(Schema(features=[Categorical("a")], tasks=[task]), {"a": range(rows), **columns})


def labels(task, column):
    return fit(task, y=column)[1].labels[:, 0].tolist()


@pytest.mark.parametrize(
    "column",
    [
        [1, 0, None],
        [True, False, None],
        [1.0, 0.0, NAN],
        np.array([1, 0, NAN]),
        np.array([1, 0, NAN], np.float32),
        pd.Series([1, 0, None]),
        pl.Series([1.0, 0.0, NAN]),
        pa.array([1, 0, None], pa.uint8()),
        pa.array([7.0, 1.0, 0.0, NAN])[1:],
        pa.chunked_array([[1.0], [0.0, None]]),
    ],
)
@pytest.mark.parametrize("kind", [Binary, Regression])
def test_null_and_nan_are_missing_labels(kind, column):
    encoder, encoded = fit(kind("y"), y=column)
    assert encoded.labels.dtype == np.float64
    np.testing.assert_array_equal(encoded.labels[:, 0], [1, 0, NAN])
    assert encoder.labels["y"].statistics == ({"rate": 0.5} if kind is Binary else {"mean": 0.5, "std": 0.5})


def test_regression_labels_keep_their_unit():
    encoder, encoded = fit(Regression("y", column="stars"), stars=[1e6, -0.1, None, 16_777_217])
    np.testing.assert_array_equal(encoded.labels[:, 0], [1e6, -0.1, NAN, 16_777_217])
    known = np.array([1e6, -0.1, 16_777_217])
    assert encoder.labels["y"].statistics == {"mean": known.mean(), "std": known.std()}


@pytest.mark.parametrize(
    ("kind", "column", "message"),
    [
        (Binary, [0, 1, 2], "found 2 in row 2, expected 0, 1 or null"),
        (Binary, [0, None, 0.5, 3], r"found 0\.5 in row 2, expected 0, 1 or null"),
        (Binary, [0, -1], "found -1 in row 1"),
        (Binary, ["0", "1"], "found strings, such as '0' in row 0, expected 0, 1 or null"),
        (Binary, ["0", None, "yes"], "found strings, such as 'yes' in row 2, expected 0, 1 or null"),
        (Regression, [0.0, float("inf")], "found inf in row 1"),
        (Regression, [[1.0], [2.0]], "expected numbers, found list"),
        (Regression, [None, NAN, None], "all 3 rows of the training table are null"),
        (Binary, [None, None], "all 2 rows of the training table are null"),
        (Binary, [1, 1, None], "is 1 in every row of the training table"),
        (Regression, [2.5, 2.5], r"is 2\.5 in every row of the training table"),
    ],
)
def test_labels_that_cannot_be_learnt_are_named(kind, column, message):
    with pytest.raises(TableError, match=rf"^label of task 'y': {message}"):
        labels(kind("y"), column)


def test_what_cannot_be_learnt_from_can_be_judged():
    encoder, _ = fit(Binary("y"), y=[0, 1])
    for column in ([1, 1], [None, None], [NAN], []):
        encoded = encoder.encode({"a": [0] * len(column), "y": column})
        assert encoded.labels.shape == (len(column), 1)
    assert encoder.encode({"a": [0]}, labels=False).labels is None


def test_weights_stand_beside_ones():
    schema = Schema(features=[Categorical("a")], tasks=[Binary("y", weight_column="w"), Regression("z")])
    table = {"a": [1, 2, 3], "y": [0, 1, None], "z": [0.5, 1.0, 2.0], "w": [0, 2.5, 1]}
    encoder, encoded = TableEncoder.fit(schema, table)
    assert encoded.weights.dtype == np.float32
    assert encoded.weights.tolist() == [[0, 1], [2.5, 1], [1, 1]]
    assert encoder.encode({"a": [1]}, labels=False).weights is None


def test_weights_that_are_all_zero_are_remarked_on():
    with pytest.warns(GatewiseWarning, match="weight of task 'y': every row weighs 0, so the task learns nothing"):
        fit(Binary("y", weight_column="w"), y=[0, 1], w=[0, 0.0])


def test_without_a_weight_column_there_are_no_weights():
    assert fit(Binary("y"), y=[0, 1])[1].weights is None


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, -0.5], r"found -0\.5 in row 1, expected numbers of 0 or more"),
        ([1.0, None], "found null in row 1, expected numbers of 0 or more"),
        ([NAN, 1.0], "found nan in row 0"),
        ([1e300, 1.0], r"found 1e\+300 in row 0"),
        (["1", "2"], "expected numbers, found string"),
    ],
)
def test_weights_that_are_none_are_named(weights, message):
    with pytest.raises(TableError, match=rf"^weight of task 'y': {message}"):
        fit(Binary("y", weight_column="w"), y=[0, 1], w=weights)


def test_missing_columns_are_named():
    with pytest.raises(
        TableError, match=r"^label of task 'y': the table has no column 'clicked'; did you mean 'click'\?"
    ):
        fit(Binary("y", column="clicked"), click=[0, 1])
    with pytest.raises(TableError, match=r"^weight of task 'y': the table has no column 'w' \(columns: a, y\)"):
        fit(Binary("y", weight_column="w"), y=[0, 1])
