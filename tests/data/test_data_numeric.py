from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data import TableEncoder
from gatewise.declare import Binary, Numeric, Schema
from gatewise.errors import DeclarationError

VALUES = np.array([-3.0, 0.0, 0.5, 2.0, 2.0, 10.0, 1000.0])
FLOATS = ["standard", "log", "quantile"]


def fit(column, **options):
    schema = Schema(features=[Numeric("a", **options)], tasks=[Binary("y")])
    encoder, encoded = TableEncoder.fit(schema, {"a": column, "y": np.arange(len(column)) % 2})
    return encoder, encoded


def floats(encoder, column):
    return encoder.encode({"a": column}, labels=False).floats


def buckets(encoder, column):
    return encoder.encode({"a": column}, labels=False).ids[:, 0].tolist()


def test_standard():
    encoder, encoded = fit(VALUES)
    np.testing.assert_allclose(encoded.floats[:, 0], (VALUES - VALUES.mean()) / VALUES.std(), rtol=1e-6)
    np.testing.assert_allclose(floats(encoder, [5])[0, 0], (5 - VALUES.mean()) / VALUES.std(), rtol=1e-6)
    assert encoded.floats.dtype == np.float32


def test_log():
    encoder, encoded = fit(VALUES, transform="log")
    logs = [-np.log(4.0), 0.0, *np.log([1.5, 3.0, 3.0, 11.0, 1001.0])]
    np.testing.assert_allclose(encoded.floats[:, 0], (logs - np.mean(logs)) / np.std(logs), rtol=1e-6)
    np.testing.assert_allclose(floats(encoder, [-7])[0, 0], (-np.log(8.0) - np.mean(logs)) / np.std(logs), rtol=1e-6)


def test_quantile():
    values = np.arange(1001.0) ** 3
    encoder, encoded = fit(values, transform="quantile")
    level = np.arange(1001) / 1000
    np.testing.assert_allclose(encoded.floats[:, 0], (level - 0.5) * np.sqrt(12), atol=1e-6)
    assert encoded.floats.std() == pytest.approx(1, abs=2e-3)
    ends = floats(encoder, [-1e9, 1e30])[:, 0]
    np.testing.assert_allclose(ends, [-np.sqrt(3), np.sqrt(3)], rtol=1e-6)


def test_a_value_that_fills_several_quantiles_gets_their_middle():
    _, encoded = fit(np.repeat([0.0, 1.0], 500), transform="quantile")
    np.testing.assert_allclose(np.unique(encoded.floats), [-0.25 * np.sqrt(12), 0.25 * np.sqrt(12)], atol=2e-3)


def test_without_a_transform_the_model_reads_the_number():
    encoder, encoded = fit([-3.0, None, 0.1, 1e30, 7.0], transform="none")
    assert encoder.layout.floats == ("a", "a is null")
    np.testing.assert_array_equal(encoded.floats[[0, 2, 3, 4], 0], np.array([-3, 0.1, 1e30, 7], np.float32))
    assert floats(encoder, [1e38, -5, 2.5])[:, 0].tolist() == np.array([1e38, -5, 2.5], np.float32).tolist()


@pytest.mark.parametrize(("training", "mean"), [([2.0, None, 4.0], 3), ([2.0, 4.0], 3), ([None, None], 0)])
def test_without_a_transform_a_null_is_the_mean_too(training, mean):
    encoder, _ = fit(training, transform="none")
    assert floats(encoder, [None, 5.0])[:, 0].tolist() == [mean, 5]
    assert encoder.columns["a"].encode_values([None, 5])[:, 0].tolist() == [mean, 5]
    assert ("a is null" in encoder.layout.floats) == (None in training)


def test_numbers_that_are_encoded_stay_as_they_are_in_the_table():
    # a copy, not a view: clipping and filling must not reach the caller's array
    values = np.array([1.0, 2.0, 3.0])
    column = fit(values, transform="none")[0].columns["a"]
    prepared = column.prepare(column.pick(pa.table({"a": [1.0, None, 3.0]})))
    before = prepared.values.copy()
    column.encode(prepared)
    np.testing.assert_array_equal(prepared.values, before)


def test_bucket_edges_belong_to_the_upper_bucket():
    encoder, encoded = fit(np.arange(8.0), transform="bucket", buckets=4, dim=3)
    assert encoded.ids[:, 0].tolist() == [2, 2, 3, 3, 4, 4, 5, 5]
    np.testing.assert_allclose(encoder.columns["a"].knots, [1.75, 3.5, 5.25])
    assert buckets(encoder, [1.75, np.nextafter(1.75, 0), -1e9, 1e9, None]) == [3, 2, 2, 5, 1]
    assert (encoder.layout.fields[0].rows, encoder.layout.fields[0].dim) == (6, 3)
    assert encoded.floats.shape == (8, 0)


def test_declared_boundaries_are_those_of_the_buckets():
    for training in ([5.0, 5.0, 5.0], [None, None]):
        encoder, _ = fit(training, transform="bucket", boundaries=[-1, 0, 2.5], dim=3)
        assert buckets(encoder, [-9, -1, -0.5, 0, 2.4, 2.5, 1e30, None]) == [2, 3, 3, 4, 4, 5, 5, 1]
        assert encoder.layout.fields[0].rows == 6
        again = TableEncoder.from_state(encoder.schema, encoder.state())
        assert buckets(again, [-9, 2.5]) == [2, 5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"boundaries": [1, 1]}, "Numeric.boundaries: expected rising numbers, found 1 after 1"),
        ({"boundaries": []}, "Numeric.boundaries"),
        ({"boundaries": [1, float("nan")]}, "Numeric.boundaries"),
        ({"boundaries": [True]}, "boundaries: expected a number, found true"),
        ({"boundaries": [1], "buckets": 4}, "give no buckets beside them"),
        ({"boundaries": [1], "transform": "log"}, "boundaries are those of transform 'bucket', found 'log'"),
    ],
)
def test_boundaries_that_make_no_buckets_are_refused(options, message):
    with pytest.raises(DeclarationError, match=message) as caught:
        Numeric("a", **{"transform": "bucket"} | options)
    assert "\n" not in str(caught.value)


def test_buckets_are_fewer_where_values_repeat():
    encoder, encoded = fit([1.0] * 90 + [2.0] * 10, transform="bucket", buckets=10)
    assert len(set(encoded.ids[:90, 0])) == len(set(encoded.ids[90:, 0])) == 1
    assert encoded.ids[0, 0] != encoded.ids[99, 0]
    assert encoded.ids.max() < encoder.layout.fields[0].rows <= 6


@pytest.mark.parametrize("transform", FLOATS)
@pytest.mark.parametrize("constant", [0.0, 7.0, 0.1, -1e9, 1e-20, 1e30])
def test_a_constant_column_says_nothing(transform, constant):
    _, encoded = fit([constant] * 7, transform=transform)
    np.testing.assert_allclose(encoded.floats, 0, atol=1e-6 if abs(constant) < 1e20 else 1e-6 * constant)


@pytest.mark.parametrize("scale", [1e-30, 1e-13, 1.0, 1e9, 1e30])
@pytest.mark.parametrize("transform", ["standard", "quantile"])
def test_the_unit_of_a_column_does_not_matter(transform, scale):
    _, expected = fit(VALUES, transform=transform)
    _, scaled = fit(VALUES * scale, transform=transform)
    np.testing.assert_allclose(scaled.floats, expected.floats, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("transform", FLOATS)
def test_a_null_is_the_mean_and_flagged(transform):
    encoder, encoded = fit([1.0, None, 4.0, 9.0], transform=transform)
    _, known = fit([1.0, 4.0, 9.0], transform=transform)
    assert encoder.layout.floats == ("a", "a is null")
    assert encoded.floats[:, 1].tolist() == [0, 1, 0, 0]
    assert encoded.floats[1, 0] == 0
    np.testing.assert_array_equal(encoded.floats[[0, 2, 3], 0], known.floats[:, 0])


@pytest.mark.parametrize("transform", FLOATS)
def test_without_nulls_in_training_there_is_no_flag(transform):
    encoder, encoded = fit(VALUES, transform=transform)
    assert encoder.layout.floats == ("a",)
    assert encoded.floats.shape == (7, 1)
    assert floats(encoder, [None, 2.0]).tolist() == [[0.0], [encoded.floats[3, 0]]]


@pytest.mark.parametrize("transform", FLOATS)
def test_a_column_without_a_number(transform):
    _, encoded = fit([None, None], transform=transform)
    assert encoded.floats.tolist() == [[0, 1], [0, 1]]


def test_buckets_of_a_column_without_a_number():
    encoder, encoded = fit([None, None], transform="bucket")
    assert encoded.ids.tolist() == [[1], [1]]
    assert max(buckets(encoder, [-5.0, 0.0, 5.0])) < encoder.layout.fields[0].rows


NUMBERS = st.lists(st.floats(-1e30, 1e30), min_size=2, max_size=30)


@settings(max_examples=25, deadline=None)
@given(NUMBERS, NUMBERS, st.sampled_from([*FLOATS, "none", "bucket"]))
def test_what_is_larger_stays_larger(training, others, transform):
    encoder, encoded = fit(training, transform=transform, buckets=5)
    others = sorted(others)
    found = buckets(encoder, others) if transform == "bucket" else floats(encoder, others)[:, 0]
    # differences of what float32 just holds would be infinite
    assert np.all(np.asarray(found[1:]) >= np.asarray(found[:-1]))
    assert np.isfinite(encoded.floats).all()
    if transform == "bucket":
        assert 2 <= min(found) <= max(found) < encoder.layout.fields[0].rows
    if transform == "quantile":
        assert np.abs(found).max() <= np.sqrt(3) + 1e-6


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-99, 99), min_size=2, max_size=30), st.randoms(use_true_random=False))
@pytest.mark.parametrize("transform", [*FLOATS, "none", "bucket"])
def test_the_order_of_rows_changes_nothing(transform, values, random):
    encoder, _ = fit(values, transform=transform)
    shuffled, _ = fit(random.sample(values, len(values)), transform=transform)
    left, right = encoder.state()["features"]["a"], shuffled.state()["features"]["a"]
    assert left["knots"] == right["knots"]
    assert (left["mean"], left["std"]) == pytest.approx((right["mean"], right["std"]), rel=1e-9, abs=1e-9)


def test_no_rows_and_one_row():
    encoder, encoded = fit(VALUES)
    assert floats(encoder, []).shape == (0, 1)
    assert floats(encoder, [2.0]).tolist() == [[encoded.floats[3, 0]]]
