"""What the encoder learns of numbers that are embedded: the edges of their bins."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data import TableEncoder
from gatewise.data.columns.numeric import _bin_edges
from gatewise.declare import Binary, Categorical, Numeric, Periodic, PiecewiseLinear, Schema, Vector
from gatewise.layout import NumberColumn, PeriodicNumber, PiecewiseLinearNumber

TRANSFORMS = ["standard", "log", "quantile", "none"]


def fit(column, bins=4, **options):
    schema = Schema(features=[Numeric("a", embedding=PiecewiseLinear(bins=bins), **options)], tasks=[Binary("y")])
    return TableEncoder.fit(schema, {"a": column, "y": np.arange(len(column)) % 2})


def edges(encoder):
    return encoder.layout.numbers[0].embedding.edges


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_edges_are_quantiles_of_what_the_model_reads(transform):
    column = np.random.default_rng(0).lognormal(size=1_000)
    encoder, encoded = fit(column, bins=7, transform=transform)
    expected = np.quantile(encoded.floats[:, 0], np.linspace(0, 1, 8))
    np.testing.assert_allclose(edges(encoder), expected, atol=0.02)
    assert set(edges(encoder)) <= set(encoded.floats[:, 0].tolist())
    in_bins, _ = np.histogram(encoded.floats[:, 0], edges(encoder))
    assert (in_bins.min(), in_bins.max()) == pytest.approx((1_000 / 7, 1_000 / 7), abs=2)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_numbers_themselves_stay_as_they_are(transform):
    column = [3.0, None, -1.0, 8.0, 0.5]
    _, encoded = fit(column, transform=transform)
    schema = Schema(features=[Numeric("a", transform=transform)], tasks=[Binary("y")])
    _, plain = TableEncoder.fit(schema, {"a": column, "y": [0, 1, 0, 1, 0]})
    np.testing.assert_array_equal(encoded.floats, plain.floats)


@pytest.mark.parametrize("zeros", range(85, 95))
def test_ties_are_one_edge(zeros):
    encoder, encoded = fit([0.0] * zeros + [1.0] * (100 - zeros), bins=10)
    assert edges(encoder) == (encoded.floats[0, 0], encoded.floats[-1, 0])


def test_nulls_move_no_edge():
    with_nulls, _ = fit([None, 1.0, 2.0, None, 4.0, 8.0])
    without, _ = fit([1.0, 2.0, 4.0, 8.0])
    assert edges(with_nulls) == edges(without)
    assert with_nulls.layout.floats == ("a", "a is null")


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("column", [[7.0] * 5, [0.1] * 7, [-1e9] * 3, [1e30] * 7, [None, None], [None, 3.0]])
def test_a_column_without_two_numbers_has_one_bin(transform, column):
    encoder, _ = fit(column, transform=transform)
    assert len(edges(encoder)) == 2
    left, right = np.float32(edges(encoder))
    assert right - left >= 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e30, 1e30), min_size=2, max_size=30), st.integers(1, 9), st.sampled_from(TRANSFORMS))
def test_edges_rise_and_there_are_no_more_bins_than_asked_for(column, bins, transform):
    found = np.float32(edges(fit(column, bins, transform=transform)[0]))
    assert 2 <= len(found) <= bins + 1
    assert (np.diff(found) > 0).all()
    assert np.isfinite(found).all()


def test_the_layout_says_which_columns_are_embedded():
    schema = Schema(
        features=[
            Vector("v", 2),
            Numeric("plain"),
            Numeric("waves", embedding=Periodic(frequencies=3, sigma=0.5, dim=6)),
            Categorical("c"),
            Numeric("bins", embedding=PiecewiseLinear(bins=2, dim=5)),
        ],
        tasks=[Binary("y")],
    )
    rows = {"v": [[1.0, 2.0], None], "plain": [1.0, None], "waves": [2.0, 3.0], "c": [1, 2], "bins": [0.0, 1.0]}
    encoder, _ = TableEncoder.fit(schema, {**rows, "y": [0, 1]})
    layout = encoder.layout
    assert layout.floats == ("v[0]", "v[1]", "v is null", "plain", "plain is null", "waves", "bins")
    assert layout.numbers == (
        NumberColumn("waves", 5, PeriodicNumber(3, 0.5, 6)),
        NumberColumn("bins", 6, PiecewiseLinearNumber((-1.0, 1.0), 5)),
    )


def test_edges_are_saved():
    encoder, _ = fit(np.random.default_rng(0).normal(size=50))
    state = json.loads(json.dumps(encoder.state()))
    assert TableEncoder.from_state(encoder.schema, state).layout == encoder.layout


def test_a_column_that_is_mostly_one_value_has_bins_for_its_tail() -> None:
    rng = np.random.default_rng(0)
    tail = rng.lognormal(3, 1.5, 400)
    edges = _bin_edges(np.concatenate([np.zeros(9_600), tail]).astype(np.float32), 16)
    assert 10 < len(edges) <= 17
    # the tail's bins are about equally filled
    counts, _ = np.histogram(tail, edges)
    assert counts[1:].max() < 3 * counts[1:].min()


def test_bins_of_a_column_that_does_not_repeat_are_quantiles_of_its_rows() -> None:
    values = np.random.default_rng(0).normal(size=1_000).astype(np.float32)
    wanted = np.quantile(values, np.linspace(0, 1, 9), method="nearest")
    np.testing.assert_array_equal(_bin_edges(values, 8), wanted)


@pytest.mark.parametrize("values", [[0, 1] * 50, [3], [], [0] * 99 + [1e-30], [-1e30, 0, 1e30] * 5])
@pytest.mark.parametrize("bins", [1, 2, 16, 1_000])
def test_edges_rise_and_are_not_more_than_asked_for(values: list[float], bins: int) -> None:
    edges = _bin_edges(np.array(values, dtype=np.float32), bins)
    assert 2 <= len(edges) <= bins + 1
    assert (np.diff(edges) > 0).all()
