from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from gatewise.data import TableEncoder, needed_columns
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
)
from gatewise.errors import TableError

NAN = float("nan")


def fit(task, *others, **columns):
    rows = len(next(iter(columns.values())))
    return TableEncoder.fit(Schema(features=[Categorical("a")], tasks=[task, *others]), {"a": range(rows), **columns})


def learnt(task, column):
    return fit(task, y=column)[0].labels["y"].statistics


@pytest.mark.parametrize(
    "column",
    [
        ["tv", "phone", None, "tv"],
        pd.Series(["tv", "phone", None, "tv"], dtype="category"),
        pl.Series(["tv", "phone", None, "tv"]),
        # a dictionary may hold values that no row has
        pa.DictionaryArray.from_arrays(pa.array([2, 1, None, 2], pa.int8()), pa.array(["web", "phone", "tv"])),
    ],
)
def test_classes_are_learnt_sorted(column):
    encoder, encoded = fit(Multiclass("y"), y=column)
    np.testing.assert_array_equal(encoded.labels[:, 0], [1, 0, NAN, 1])
    assert encoder.labels["y"].statistics == {"classes": ["phone", "tv"], "rates": pytest.approx([1 / 3, 2 / 3])}


@pytest.mark.parametrize(
    ("column", "classes"),
    [([30, 4, None, 30], [4, 30]), ([30.0, 4.0, NAN, 30.0], [4, 30]), ([True, False, None, True], [0, 1])],
)
def test_classes_may_be_integers_or_booleans(column, classes):
    encoder, encoded = fit(Multiclass("y"), y=column)
    assert encoder.labels["y"].statistics["classes"] == classes
    np.testing.assert_array_equal(encoded.labels[:, 0], [1, 0, NAN, 1])


def test_declared_classes_keep_their_order_and_each_counts_once_at_least():
    encoder, encoded = fit(Multiclass("y", classes=["web", "tv", "phone"]), y=["tv", "phone", "tv"])
    assert encoded.labels[:, 0].tolist() == [1, 2, 1]
    assert encoder.labels["y"].statistics["rates"] == pytest.approx([1 / 4, 2 / 4, 1 / 4])


def test_rates_are_those_of_the_tasks_own_sample():
    encoder, _ = fit(Multiclass("y", within="z"), Binary("z"), y=["a", "b", "b", "a"], z=[1, 1, 1, 0])
    assert encoder.labels["y"].statistics["rates"] == pytest.approx([1 / 3, 2 / 3])


def test_levels_are_learnt_or_declared():
    assert learnt(Ordinal("y"), [5, 1, None, 2.5, 5]) == {
        "levels": [1, 2.5, 5],
        "rates": pytest.approx([1 / 4, 1 / 4, 2 / 4]),
    }
    assert learnt(Ordinal("y", levels=[1, 2, 3]), [1, 3, 3])["rates"] == pytest.approx([1 / 4, 1 / 4, 2 / 4])


def test_statistics_of_numbers():
    assert learnt(Regression("y"), [1, 2, 6]) == {"mean": 3, "std": pytest.approx(np.std([1, 2, 6]))}
    assert learnt(Regression("y", loss="mae"), [1, 2, 6])["start"] == 2
    assert learnt(Regression("y", loss="quantile", quantile=0.75), [1, 2, 6])["start"] == 4
    assert learnt(Count("y"), [0, 2, None, 4]) == {"mean": 2}
    assert learnt(Custom("y", by="mine"), [0, 2, None, 4]) == {"mean": 2, "std": pytest.approx(np.std([0, 2, 4]))}
    logs = np.log([3.0, 8.0])
    found = learnt(LifetimeValue("y"), [0, 3, 0, 8, None])
    assert found == pytest.approx(
        {"rate": 2.5 / 5, "log_mean": logs.mean(), "log_std": logs.std(), "log_largest": logs.max()}
    )
    # all values the same: their logarithms have no spread to divide by
    assert learnt(LifetimeValue("y"), [0, 3, 0])["log_std"] == 1
    assert 0.5 < learnt(LifetimeValue("y"), [1, 3, 2])["rate"] < 1
    logs = np.log1p([0.0, 2.0, 4.0])
    found = learnt(Duration("y", unit=2.0), [0, 4, 8, None])
    assert found == pytest.approx({"log_mean": logs.mean(), "log_std": logs.std()})


def test_a_limit_stands_beside_the_time_and_is_known_before_it():
    schema = Schema(features=[Categorical("a"), Numeric("length")], tasks=[Duration("y", limit="length"), Binary("z")])
    table = {"a": [1, 2, 3], "length": [10, None, 4.5], "y": [3, 5, None], "z": [0, 1, 1]}
    encoder, encoded = TableEncoder.fit(schema, table)
    np.testing.assert_array_equal(encoded.labels, [[3, 10, 0], [5, NAN, 1], [NAN, 4.5, 1]])
    known = encoder.encode({"a": [1, 2], "length": [7, None]}, labels=False)
    np.testing.assert_array_equal(known.labels, [[NAN, 7, NAN], [NAN, NAN, NAN]])
    assert needed_columns(schema, labels=False) == ["a", "length"]


def test_a_file_is_read_with_its_limits(tmp_path):
    schema = Schema(features=[Categorical("a")], tasks=[Duration("y", limit="length")])
    assert needed_columns(schema, labels=False) == ["a", "length"]
    path = tmp_path / "table.csv"
    pacsv.write_csv(pa.table({"a": [1, 2], "other": [0, 0], "length": [4.5, None], "y": [1, 2]}), path)
    encoder, encoded = TableEncoder.fit(schema, path)
    np.testing.assert_array_equal(encoded.labels, [[1, 4.5], [2, NAN]])
    np.testing.assert_array_equal(encoder.encode(path, labels=False).labels, [[NAN, 4.5], [NAN, NAN]])


def test_a_limit_is_needed_when_predicting():
    schema = Schema(
        features=[Categorical("a"), Numeric("s")], tasks=[Duration("y", limit="s"), Duration("z", limit="l")]
    )
    encoder, _ = TableEncoder.fit(schema, {"a": [1, 2], "s": [3, 4], "l": [5, 6], "y": [1, 2], "z": [1, 2]})
    with pytest.raises(TableError, match=r"^limit of task 'z': the table has no column 'l'"):
        encoder.encode({"a": [1], "s": [3]}, labels=False)
    # a feature that may be absent is there all the same where it limits
    with pytest.raises(TableError, match="the table has no column 's'"):
        encoder.encode({"a": [1], "l": [3]}, labels=False, optional=["s"])


@pytest.mark.parametrize(
    ("task", "column", "message"),
    [
        (Multiclass("y"), ["a", "a"], "is 'a' in every row of the training table"),
        (Multiclass("y"), [None, None], "all 2 rows of the training table are null"),
        (Multiclass("y"), [0.5, 1], r"expected integers or strings, found 0\.5 in row 0"),
        (Multiclass("y"), [[1], [2]], "expected integers, strings or booleans, found list"),
        (
            Multiclass("y", classes=["phone", "tv"]),
            ["tv", None, "Phone"],
            r"found 'Phone' in row 2.*did you mean 'phone'",
        ),
        (Multiclass("y", classes=[1, 2]), [1, 2, 3], r"found 3 in row 2, expected one of 1, 2$"),
        (Multiclass("y", classes=[1, 2]), ["1", "2"], r"found '1' in row 0, expected one of 1, 2$"),
        (Ordinal("y"), [1, 2], "expected three levels or more, found 1 and 2; take Binary"),
        (Ordinal("y"), list(range(101)), "has 101 levels, expected 100 or fewer; take Regression"),
        (Ordinal("y"), [3, 3], "is 3 in every row of the training table"),
        (Ordinal("y", levels=[1, 2, 3]), [1, 2.5], r"found 2\.5 in row 1, expected one of 1, 2, 3$"),
        (Ordinal("y"), ["1", "2", "3"], "expected numbers, found string"),
        (Count("y"), [1, -2], "found -2 in row 1, expected numbers of 0 or more, or null"),
        (Count("y"), [1, 1.5], r"found 1\.5 in row 1, expected whole numbers or null \(loss 'tweedie' takes others\)"),
        (Count("y", loss="tweedie"), [0.5, -0.5], r"found -0\.5 in row 1, expected numbers of 0 or more"),
        (Count("y"), [0, 0], "is 0 in every row"),
        (LifetimeValue("y"), [0, 3, -1], "found -1 in row 2, expected numbers of 0 or more"),
        (LifetimeValue("y"), [0, 0], "is 0 in every row"),
        (Duration("y"), [5, -1], "found -1 in row 1, expected numbers of 0 or more"),
        (Custom("y", by="mine"), [1, "a"], ""),
    ],
)
def test_labels_that_a_kind_does_not_have_are_named(task, column, message):
    if message:
        with pytest.raises(TableError, match=rf"^label of task 'y': .*{message}"):
            fit(task, y=column)
    else:
        with pytest.raises(TableError, match="'y'"):
            fit(task, y=column)


@pytest.mark.parametrize("limit", [0, -3])
def test_limits_are_above_0(limit):
    with pytest.raises(
        TableError, match=rf"^limit of task 'y': found {limit} in row 1, expected numbers above 0 or null"
    ):
        fit(Duration("y", limit="l"), y=[1, 2], l=[4, limit])


@pytest.mark.parametrize(
    ("task", "seen", "later", "message"),
    [
        (Multiclass("y"), ["phone", "tv"], ["tv", "phon"], r"found 'phon' in row 1.*did you mean 'phone'"),
        (Multiclass("y"), [1, 2], [None, 7], "found 7 in row 1, expected one of 1, 2"),
        (Ordinal("y"), [1, 2, 3], [3, 4], "found 4 in row 1, expected one of 1, 2, 3"),
    ],
)
def test_what_training_did_not_see_is_named_in_a_later_table(task, seen, later, message):
    encoder, _ = fit(task, y=seen)
    with pytest.raises(TableError, match=rf"^label of task 'y': {message}"):
        encoder.encode({"a": range(len(later)), "y": later})


@pytest.mark.parametrize("task", [Multiclass("y"), Multiclass("y", classes=["007", "a"])])
def test_classes_of_a_text_file_stay_the_strings_they_were(task, tmp_path):
    encoder, _ = fit(task, y=["007", "a"])
    path = tmp_path / "later.csv"
    pacsv.write_csv(pa.table({"a": [1, 2], "y": ["007", "007"]}), path, pacsv.WriteOptions(quoting_style="none"))
    assert encoder.encode(path).labels[:, 0].tolist() == [0, 0]
    if task.classes:
        pacsv.write_csv(pa.table({"a": [1, 2], "y": ["007", "a"]}), path, pacsv.WriteOptions(quoting_style="none"))
        assert TableEncoder.fit(encoder.schema, path)[1].labels[:, 0].tolist() == [0, 1]


def test_what_was_learnt_comes_back():
    tasks = [Multiclass("m"), Ordinal("o"), Duration("d", limit="l")]
    table = {"a": [1, 2, 3], "m": ["x", "y", "x"], "o": [1, 2, 3], "d": [1, 2, 3], "l": [2, None, 3]}
    encoder, encoded = TableEncoder.fit(Schema(features=[Categorical("a")], tasks=tasks), table)
    again = TableEncoder.from_state(encoder.schema, encoder.state())
    np.testing.assert_array_equal(again.encode(table).labels, encoded.labels)
    assert again.statistics == encoder.statistics
