from __future__ import annotations

import re

import pytest

from gatewise.declare import Binary, Numeric, Periodic, PiecewiseLinear, Schema
from gatewise.errors import DeclarationError


def declared(embedding) -> Schema:
    values = {"features": [{"kind": "numeric", "name": "a", "embedding": embedding}], "tasks": [Binary("y")]}
    return Schema.from_dict(values)


@pytest.mark.parametrize("made", [PiecewiseLinear(), Periodic()])
def test_an_embedding_goes_by_its_name(made):
    assert (
        Numeric("a", embedding=made.kind) == Numeric("a", embedding={"kind": made.kind}) == Numeric("a", embedding=made)
    )
    assert declared(made.kind).features[0].embedding == made


def test_options_of_an_embedding():
    found = declared({"kind": "piecewise_linear", "bins": 32}).features[0].embedding
    assert found == PiecewiseLinear(bins=32, dim=8)
    assert declared(None).features[0].embedding is None


@pytest.mark.parametrize("kind", ["piecewise_linear", "periodic"])
def test_buckets_are_an_embedding_already(kind):
    with pytest.raises(DeclarationError, match=r"^Numeric: transform 'bucket' embeds the number already"):
        Numeric("a", transform="bucket", embedding=kind)


@pytest.mark.parametrize(
    ("embedding", "message"),
    [
        ("periodical", "expected kind 'piecewise_linear', 'periodic', found 'periodical'; did you mean 'periodic'"),
        ({"kind": "periodic", "bins": 3}, ".bins: unknown option"),
        ({"kind": "periodic", "sigme": 3}, ".sigme: unknown option; did you mean 'sigma'"),
        ({"bins": 3}, "needs a 'kind'"),
        ({"kind": "piecewise_linear", "bins": 0}, ".bins: input should be greater than 0, found 0"),
        ({"kind": "periodic", "sigma": -1}, ".sigma: input should be greater than 0, found -1"),
        (7, "found 7"),
    ],
)
def test_mistakes_are_one_line_that_names_the_option(embedding, message):
    for make in (lambda: Numeric("a", embedding=embedding), lambda: declared(embedding)):
        with pytest.raises(DeclarationError, match=re.escape(message)) as caught:
            make()
        assert "embedding" in str(caught.value)
        assert "\n" not in str(caught.value)
