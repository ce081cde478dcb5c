"""Names of features whose tables processes share: what has none is refused, by name."""

from __future__ import annotations

import pytest

import gatewise as gw
from gatewise.assembly import shared_matrices
from gatewise.declare import check_tables
from gatewise.errors import DeclarationError
from gatewise.layout import EmbeddingField

SCHEMA = gw.Schema(
    features=[gw.Categorical("user", dim=4), gw.Numeric("x"), gw.Sequence("seen", shares="user")],
    tasks=[gw.Binary("click")],
)


@pytest.mark.parametrize(
    ("named", "error"),
    [("usr", "no feature 'usr' has a table; did you mean 'user'?"), ("seen", "'seen' has the table of 'user'")],
)
def test_a_feature_without_a_table_of_its_own(named, error):
    with pytest.raises(DeclarationError, match=rf"^training.tables: {error[:25]}") as found:
        check_tables(SCHEMA, gw.Training(tables=[named]))
    assert error in str(found.value)
    with pytest.raises(DeclarationError, match=r"^training.tables: "):
        gw.Ranker(SCHEMA, tables=[named])


@pytest.mark.parametrize(
    ("tables", "shown"), [("shrad", "did you mean 'shard'"), ([], r"such as \[user_id\], found \[\]")]
)
def test_other_words(tables, shown):
    with pytest.raises(DeclarationError, match=shown):
        gw.Training(tables=tables)


def test_tables_of_one_width_are_shared_together():
    fields = [EmbeddingField("user", 9, 4), EmbeddingField("item", 9, 4), EmbeddingField("tag", 9, 2)]
    fields += [EmbeddingField("known", 9, 4, frozen=True)]
    assert shared_matrices(fields, "replicate") == ()
    assert shared_matrices(fields, "shard") == ("dim_4", "dim_2")
    assert shared_matrices(fields, ["item", "user"]) == ("dim_4",)
    with pytest.raises(DeclarationError, match="'known' has no table that is trained; these have one: user, item, tag"):
        shared_matrices(fields, ["known"])
