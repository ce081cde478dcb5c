"""Tables of text: printed, and as HTML in notebooks."""

from __future__ import annotations

import copy
import json
import pickle
from html.parser import HTMLParser

import pytest

from gatewise.grids import Grid, ShownDict, ShownList, bar, html_of, number

WIDE = Grid(["name", "value"], [["城市", "1.5"], ["a", "undefined"]], "title", "note")


def grids(items):
    return [Grid(["item"], [[str(item)] for item in items])]


class Balanced(HTMLParser):
    """Collects tags and text, and the tags that are still open."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.seen, self.text = [], set(), ""

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.add(tag)
        assert not {"src", "href", "onclick"} & {name for name, _ in attrs}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_columns_are_aligned_also_where_letters_are_wide():
    assert WIDE.text().splitlines() == [
        "title",
        "name      value",
        "城市        1.5",
        "a     undefined",
        "note",
    ]


def test_a_table_without_headings_or_rows_is_its_title_and_note():
    assert Grid([], [], "title", "note").text() == "title\nnote"
    assert Grid(["", ""], [["a", "b"]]).text() == "a  b"
    assert Grid([], [], "title").html() == "<p><b>title</b></p>"


def test_html_is_whole_escaped_and_without_files_or_scripts():
    said = "<img src=x onerror=alert(1)>&'\""
    page = Balanced()
    page.feed(html_of(ShownList([1], lambda _: [Grid([said, "b"], [[said, "2"]], said, said)])))
    assert page.open == []
    assert page.seen == {"style", "div", "p", "b", "table", "thead", "tbody", "tr", "th", "td"}
    assert page.text.count(said) == 4


def test_lists_and_dicts_stay_what_they_are_and_print_as_tables():
    listed, named = ShownList([1, 2], grids), ShownDict({"a": 1}, grids)
    assert (listed, named) == ([1, 2], {"a": 1})
    assert str(listed) == "item\n1\n2"
    assert "<td>a</td>" in named._repr_html_()
    assert repr(listed) == "[1, 2]"
    assert json.loads(json.dumps({"a": listed, "b": named})) == {"a": [1, 2], "b": {"a": 1}}
    for made in (copy.deepcopy(listed), pickle.loads(pickle.dumps(listed))):
        assert made == listed
        assert str(made) == str(listed)


@pytest.mark.parametrize(("share", "drawn"), [(0.5, " " * 12 + "|██████"), (-1, "█" * 12 + "|"), (0, " " * 12 + "|")])
def test_a_bar_has_its_side(share, drawn):
    assert bar(share) == drawn


def test_numbers_may_be_undefined():
    assert [number(0.12345), number(None), number(-1, "+.1f")] == ["0.1235", "undefined", "-1.0"]
