"""Values that fill short lists: what is declared is not an item, and what seems to be padding is remarked on."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gatewise as gw
from gatewise.data import TableEncoder, as_matrix
from gatewise.errors import DeclarationError, GatewiseWarning, TableError

ROWS = 200
RNG = np.random.default_rng(0)


def fit(column, *others, **options):
    schema = gw.Schema(features=[gw.Sequence("a", **options), *others], tasks=[gw.Binary("y")])
    encoder, encoded = TableEncoder.fit(schema, {"a": column, "y": np.arange(len(column)) % 2})
    return encoder, as_matrix(encoded.lists[0]).tolist()


ITEMS = st.lists(st.none() | st.integers(0, 3), max_size=5)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.none() | ITEMS, min_size=2, max_size=9),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(["first", "last"]),
)
def test_padding_is_not_an_item_wherever_it_stands(lists, length, keep):
    without = [None if items is None else [item for item in items if item != 0] for items in lists]
    encoder, found = fit(pa.array(lists, pa.list_(pa.int64())), padding=0, max_length=length, keep=keep)
    same, expected = fit(pa.array(without, pa.list_(pa.int64())), max_length=length, keep=keep)
    assert found == expected
    assert encoder.vocabularies["a"].values.to_pylist() == same.vocabularies["a"].values.to_pylist()
    assert as_matrix(encoder.columns["a"].encode_values(lists)).tolist() == expected


def test_a_padded_array_is_its_lists():
    array = np.array([[3, 5, 0], [5, 0, 0], [0, 0, 0], [3, 5, 5]])
    _, found = fit(array, padding=0)
    _, expected = fit([[3, 5], [5], [], [3, 5, 5]])
    assert found == expected
    assert fit(array.astype(np.float32), padding=0)[1] == expected


@pytest.mark.parametrize("padding", [0, "0"])
@pytest.mark.parametrize("column", [[[7, 0], [0, 7]], [["7", "0"], ["0", "7"]], ["7|0", "0| 7"]])
def test_a_number_and_its_text_are_one_padding(column, padding):
    assert fit(column, padding=padding)[1] == [[2], [2]]


def test_padding_of_a_shared_table_stays_an_id_there():
    schema = gw.Schema(
        features=[gw.Categorical("item", size=3), gw.Sequence("seen", shares="item", padding=-1)],
        tasks=[gw.Binary("y")],
    )
    table = {"item": [0, 1, 2], "seen": [[0, -1], [-1, -1], [2, 1]], "y": [0, 1, 0]}
    encoder, encoded = TableEncoder.fit(schema, table)
    assert as_matrix(encoded.lists[0]).tolist() == [[2, -1], [-1, -1], [4, 3]]
    with pytest.raises(TableError, match=r"'seen'.*found 7 in row 1, expected ids from 0 to 2"):
        encoder.encode(table | {"seen": [[0], [-1, 7], []]})


def test_values_of_a_request_of_another_type_are_encoded_as_a_table():
    encoder, _ = fit([[1, 2, 0], [2, 0, 0]], padding=0)
    for values in ([[0.0, 2.0]], [[False, True]], [[0, None, 1], None]):
        table = encoder.encode({"a": values}, labels=False)
        expected = as_matrix(table.lists[0]).tolist()
        assert as_matrix(encoder.columns["a"].encode_values(values)).tolist() == expected


def test_what_cannot_be_padding_is_one_line():
    with pytest.raises(TableError, match="feature 'a': its padding is 'PAD', its items are integers"):
        fit([[1, 2], [3]], padding="PAD")
    for wrong in (0.5, True, [0], 2**64):
        with pytest.raises(
            DeclarationError, match=r"Sequence\.padding: expected an integer of 64 bits or a text, found"
        ):
            gw.Sequence("a", padding=wrong)


def padded(value, lengths, low=1, high=500, width=12, front=False):
    rows = [RNG.integers(low, high, n).tolist() for n in lengths]
    return [([value] * (width - len(r)) + r if front else r + [value] * (width - len(r))) for r in rows]


LENGTHS = RNG.integers(0, 13, ROWS)
SUSPICIOUS = {
    "zeros behind": np.array(padded(0, LENGTHS)),
    "floats": np.array(padded(0, LENGTHS), np.float32),
    "zeros before": np.array(padded(0, LENGTHS, front=True)),
    "minus one": padded(-1, LENGTHS, low=0),
    "an unusual value": padded(999, LENGTHS),
    "a fifth of the rows": padded(0, np.where(RNG.random(ROWS) < 0.2, RNG.integers(1, 6, ROWS), 12)),
    "texts": [[f"page {i}" if i else "<pad>" for i in row] for row in padded(0, LENGTHS, high=9)],
    "texts that are split": ["|".join(map(str, row)) for row in padded(0, LENGTHS)],
    "with null lists": [None if i % 5 == 0 else row for i, row in enumerate(padded(0, LENGTHS))],
}
ORDINARY = {
    "ids, 0 among them": RNG.integers(0, 50, (ROWS, 5)),
    "few ids": RNG.integers(0, 3, (ROWS, 4)),
    "one place": RNG.integers(0, 2, (ROWS, 1)),
    "two places": RNG.integers(0, 9, (ROWS, 2)),
    "constant last place": np.column_stack([RNG.integers(1, 90, (ROWS, 3)), np.zeros(ROWS, int)]),
    "constant": np.zeros((ROWS, 6), int),
    "flags that end": [[1] * n + [0] * (12 - n) for n in LENGTHS],
    "states that end": [RNG.choice(["new", "paid", "late", "back"], n).tolist() + ["left"] * (12 - n) for n in LENGTHS],
    "sorted counts": np.sort(RNG.poisson(1, (ROWS, 8)), axis=1)[:, ::-1],
    "sorted ids": np.sort(RNG.integers(0, 30, (ROWS, 6)), axis=1),
    "lists of any length": [RNG.integers(0, 9, n).tolist() for n in LENGTHS],
    "lists that end in zeros": [row[:n] for row, n in zip(padded(0, LENGTHS // 2), 1 + LENGTHS % 12, strict=True)],
    "a few rows": padded(0, LENGTHS[:15]),
    "a popular item": np.where(RNG.random((ROWS, 6)) < 0.4, 7, RNG.integers(1, 90, (ROWS, 6))),
    "a popular item at the end": np.column_stack([RNG.integers(1, 90, (ROWS, 5)), RNG.integers(0, 2, ROWS)]),
    "nulls": [[None, None]] * ROWS,
}


@pytest.mark.parametrize("name", SUSPICIOUS)
def test_what_looks_padded_is_remarked_on_once(name):
    with pytest.warns(GatewiseWarning, match=r"feature 'a': all its lists have 12 items, .*padding=") as found:
        encoder, _ = fit(SUSPICIOUS[name])
    assert len(found) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.encode({"a": SUSPICIOUS[name]}, labels=False)
        fit(SUSPICIOUS[name], padding=str(found[0].message).split("padding=")[1].split(" ")[0].strip("'"))


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_lists_are_not_remarked_on(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(ORDINARY[name])
