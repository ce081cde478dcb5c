"""Events: equal lengths, one cut for all parts, vocabularies of other features, and refusals by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gatewise as gw
from gatewise.data import TableEncoder, sample_rows
from gatewise.errors import ArtefactError, DeclarationError, TableError

TABLE = {
    "item": [1, 2, 3, 4],
    "past": [[1, 2, 3], [], None, [9]],
    "acts": [["view", "buy", "view"], [], None, ["buy"]],
    "dwell": [[1.0, None, 3.0], [], None, [5.0]],
    "click": [0, 1, 0, 1],
}
PARTS: dict[str, Any] = {
    "ids": [gw.EventId("item", shares="item", column="past"), gw.EventId("acts", dim=2)],
    "numbers": [gw.EventNumber("dwell")],
}


def schema_of(**options: Any) -> gw.Schema:
    events = gw.Events("history", **{**PARTS, **options})
    return gw.Schema(features=[gw.Categorical("item", dim=4), events], tasks=[gw.Binary("click")])


def test_parts_share_vocabularies_and_numbers_are_standardised_over_all_events() -> None:
    encoder, table = TableEncoder.fit(schema_of(), TABLE)
    items, acts = table.lists
    assert items.offsets.tolist() == acts.offsets.tolist() == table.number_lists[0].offsets.tolist() == [0, 3, 3, 4, 5]
    known = encoder.columns["item"].encode_values([1, 2, 3, None, 9]).tolist()
    assert items.values.tolist() == known
    assert 0 not in known
    std = np.std([1.0, 3.0, 5.0])
    expected = np.array([-2 / std, 0, 0, 0, 2 / std], np.float32)
    np.testing.assert_allclose(table.number_lists[0].values, expected, atol=1e-6)
    assert set(encoder.vocabularies) == {"item", "history.acts"}


@pytest.mark.parametrize(("keep", "kept"), [("last", [2, 3]), ("first", [1, 2])])
def test_all_parts_are_cut_alike(keep: str, kept: list[int]) -> None:
    encoder, _ = TableEncoder.fit(schema_of(max_length=2, keep=keep, numbers=[gw.EventNumber("dwell", "none")]), TABLE)
    rows = {**TABLE, "dwell": [[10.0, 20.0, 30.0], [], None, [5.0]]}
    found = encoder.encode(rows, labels=False)
    assert found.lists[0].values[:2].tolist() == encoder.columns["item"].encode_values(kept).tolist()
    assert found.number_lists[0].values[:2].tolist() == [10.0 * place for place in kept]


def test_a_saved_state_is_restored() -> None:
    encoder, table = TableEncoder.fit(schema_of(), TABLE)
    again = TableEncoder.from_state(encoder.schema, encoder.state()).encode(TABLE)
    for found, expected in zip((*again.lists, *again.number_lists), (*table.lists, *table.number_lists), strict=True):
        np.testing.assert_array_equal(found.values, expected.values)
    state = encoder.state()
    state["features"]["history"]["numbers"] = {"history.dwell": {"mean": "high"}}
    with pytest.raises(ArtefactError, match=r"features\.history\.numbers"):
        TableEncoder.from_state(encoder.schema, state)


def test_strings_of_a_file_are_split(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("item,past,acts,dwell,click\n1,1|2,view|buy,0.5|2,1\n2,,,,0\n", encoding="utf-8")
    encoder, table = TableEncoder.fit(schema_of(), path)
    assert np.diff(table.lists[0].offsets).tolist() == [2, 1]
    assert encoder.columns["history"].vocabularies["history.acts"].rows == 4
    np.testing.assert_array_equal(encoder.encode(path).number_lists[0].values, table.number_lists[0].values)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("acts", [["view", "buy"], [], None, ["buy"]], "column 'past' has 3 items and 'acts' has 2 in row 0"),
        ("dwell", [[1, 2, 3], [], None, []], "feature 'history': column 'past' has 1 items and 'dwell' has 0 in row 3"),
        ("dwell", [[1, 2, float("inf")], [], None, [1]], "an item of column 'dwell' beside 'past': found inf in row 0"),
        ("acts", ["a", "b", "c", "d"], "'past' has 3 items and 'acts' has 1 in row 0"),
        ("dwell", [1.0, 2.0, 3.0, 4.0], "feature 'history.dwell': expected lists"),
        ("past", [[1.5], [], None, [1]], "'history.item', an item: expected integers or strings, found 1.5 in row 0"),
    ],
)  # fmt: skip
def test_columns_that_do_not_belong_together_are_one_line(column: str, values: Any, message: str) -> None:
    encoder, _ = TableEncoder.fit(schema_of(), TABLE)
    with pytest.raises(TableError, match=re.escape(message)):
        encoder.encode({**TABLE, column: values}, labels=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": []}, "Events.ids: value should have at least 1 item"),
        ({"ids": [gw.EventId("past"), gw.EventId("x", column="past")]}, "column 'past' is declared twice"),
        ({"numbers": [gw.EventNumber("acts")]}, "part 'acts' is declared twice"),
        ({"ids": [gw.EventId("past", shares="itme")]}, "'itme', which is no categorical feature; did you mean 'item'"),
        ({"ids": [gw.EventId("past", 3, shares="item")]}, "'history.past' has dim 3, the shared table of 'item' has 4"),
        ({"pooling": gw.EventAttention(["itme"])}, "its target 'itme' is no categorical feature; did you mean 'item'"),
        ({"pooling": gw.Transformer(heads=4)}, "its width 7 is no multiple of 4 heads: give the transformer a dim"),
        ({"numbers": [gw.EventNumber("click")]}, "feature 'history' reads 'click', which is the label of task 'click'"),
    ],
)  # fmt: skip
def test_declarations_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        schema_of(**options)


def test_stem_refuses_events() -> None:
    with pytest.raises(
        DeclarationError, match="feature 'history': stem has vectors a set, and events are joined to one"
    ):
        gw.STEM().check(schema_of())


def test_values_of_a_request_are_encoded_as_a_table_is() -> None:
    encoder, table = TableEncoder.fit(schema_of(), TABLE)
    column = encoder.columns["history"]
    found = column.encode_values(*(TABLE[name] for name in column.columns)).lists
    assert [*found] == ["history.item", "history.acts", "history.dwell"]
    np.testing.assert_array_equal(found["history.dwell"].values, table.number_lists[0].values)


def test_made_up_rows_and_descriptions_have_all_columns() -> None:
    encoder, _ = TableEncoder.fit(schema_of(), TABLE)
    rows = sample_rows(encoder)
    assert {"past", "acts", "dwell"} <= set(rows.column_names)
    assert encoder.encode(rows, labels=False).lists[0].longest > 1
    described = encoder.columns["history"].descriptions()
    assert {name: one.dtype for name, one in described.items()} == {
        "past": "int64",
        "acts": "string",
        "dwell": "float64",
    }
    assert len({len(one.example) for one in described.values()}) == 1
