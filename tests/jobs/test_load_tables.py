from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gatewise import Binary, Categorical, Recipe
from gatewise.declare import Data, Split
from gatewise.errors import TableError
from gatewise.jobs import load_tables


def recipe(**data: object) -> Recipe:
    return Recipe(data=Data(**data), features=[Categorical("user")], tasks=[Binary("click")])


def test_one_table_is_cut_forward_in_time(feed, tmp_path: Path):
    pq.write_table(feed.take(list(range(feed.num_rows))[::-1]), tmp_path / "all.parquet")
    tables = load_tables(recipe(table="all.parquet", split=Split("when", valid=0.2, test=0.1)), tmp_path)
    whens = [part["when"].to_pylist() for part in (tables.train, tables.valid, tables.test)]
    assert [len(when) for when in whens] == [1400, 400, 200]
    assert max(whens[0]) < min(whens[1])
    assert max(whens[1]) < min(whens[2])


def test_files_are_relative_to_the_recipe_and_read_only_what_is_needed(feed, tmp_path: Path):
    pq.write_table(feed, tmp_path / "train.parquet")
    tables = load_tables(recipe(train="train.parquet"), tmp_path)
    assert tables.train.column_names == ["user", "click"]
    assert tables.valid is None


def test_the_time_column_is_looked_for_too(feed, tmp_path: Path):
    pq.write_table(feed, tmp_path / "all.parquet")
    with pytest.raises(TableError, match="no column 'wehn'; did you mean 'when'"):
        load_tables(recipe(table="all.parquet", split=Split("wehn")), tmp_path)
