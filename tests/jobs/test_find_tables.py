from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatewise import Binary, Categorical, Recipe, Sequence
from gatewise.declare import Data, Split
from gatewise.errors import TableError
from gatewise.jobs import Tables, find_tables
from gatewise.jobs.tables import READERS


def recipe(**data: object) -> Recipe:
    return Recipe(data=Data(**data), features=[Categorical("user")], tasks=[Binary("click")])


def test_one_table_is_cut_forward_in_time(feed, tmp_path: Path):
    pq.write_table(feed.take(list(range(feed.num_rows))[::-1]), tmp_path / "all.parquet")
    tables = find_tables(recipe(table="all.parquet", split=Split("when", valid=0.2, test=0.1)), tmp_path)
    whens = [part["when"].to_pylist() for part in (tables.train, tables.valid, tables.test)]
    assert [len(when) for when in whens] == [1400, 400, 200]
    assert max(whens[0]) < min(whens[1])
    assert max(whens[1]) < min(whens[2])


def test_one_table_is_cut_at_given_times(feed, tmp_path: Path):
    pq.write_table(feed, tmp_path / "all.parquet")
    tables = find_tables(recipe(table="all.parquet", split=Split("when", valid_from=1200, test_from=1900)), tmp_path)
    whens = [part["when"].to_pylist() for part in (tables.train, tables.valid, tables.test)]
    assert whens == [list(range(1200)), list(range(1200, 1900)), list(range(1900, 2000))]
    train_and_test = find_tables(recipe(table="all.parquet", split=Split("when", test_from=1900)), tmp_path)
    assert train_and_test.valid is None
    assert train_and_test.test.num_rows == 100


def test_a_table_with_dates_is_cut_at_dates_of_a_recipe(feed, tmp_path: Path):
    days = np.datetime64("2022-05-01") + np.arange(feed.num_rows) // 500
    for name, column in (("dates", days), ("moments", days.astype("datetime64[us]"))):
        pq.write_table(feed.set_column(6, "when", pa.array(column)), tmp_path / f"{name}.parquet")
        split = Split("when", valid_from=date(2022, 5, 3), test_from=date(2022, 5, 4))
        tables = find_tables(recipe(table=f"{name}.parquet", split=split), tmp_path)
        assert [part.num_rows for part in (tables.train, tables.valid, tables.test)] == [1000, 500, 500]


def test_one_table_is_cut_at_random_and_needs_no_time(feed, tmp_path: Path):
    pq.write_table(feed.drop_columns("when"), tmp_path / "all.parquet")
    split = Split(seed=3, valid=0.2, test=0.1)
    tables = find_tables(recipe(table="all.parquet", split=split), tmp_path)
    assert [part.num_rows for part in (tables.train, tables.valid, tables.test)] == [1400, 400, 200]
    pq.write_table(feed.drop_columns("when"), tmp_path / "pieces.parquet", row_group_size=77)
    again = find_tables(recipe(table="pieces.parquet", split=split), tmp_path)
    assert again.test.equals(tables.test)


def test_one_table_is_cut_by_groups_that_no_feature_reads(feed, tmp_path: Path):
    pq.write_table(feed.append_column("shop", pa.array(["a", "b", "c", "d"] * 500)), tmp_path / "all.parquet")
    tables = find_tables(
        recipe(table="all.parquet", split=Split(seed=0, group="shop", valid=0.25, test=0.25)), tmp_path
    )
    parts = [set(part["shop"].to_pylist()) for part in (tables.train, tables.valid, tables.test)]
    assert [len(part) for part in parts] == [2, 1, 1]
    assert set.union(*parts) == set("abcd")
    with pytest.raises(TableError, match=r"no column 'shp'; did you mean 'shop'\?"):
        find_tables(recipe(table="all.parquet", split=Split(seed=0, group="shp")), tmp_path)


def test_every_data_set_has_a_reader():
    declared = get_args(get_args(get_type_hints(Data)["dataset"])[0])
    assert set(declared) == set(READERS)


@pytest.mark.parametrize("name", ["kuairand", "census", "movielens"])
def test_a_data_set_is_read_from_its_path(name, tmp_path: Path):
    with pytest.raises(TableError, match=r"nowhere: no such folder, zip or tar"):
        find_tables(recipe(dataset=name, path="nowhere", split=Split("when")), tmp_path)


def test_files_are_relative_to_the_recipe(feed, tmp_path: Path):
    pq.write_table(feed, tmp_path / "train.parquet")
    tables = find_tables(recipe(train="train.parquet"), tmp_path)
    assert tables == Tables(tmp_path / "train.parquet", None, None)


def test_row_weights_are_needed_for_training_only(feed, tmp_path: Path):
    pq.write_table(feed, tmp_path / "plain.parquet")
    pq.write_table(feed.append_column("w", feed["when"]), tmp_path / "weighted.parquet")
    tasks = [Binary("click", weight_column="w")]
    data = Data(train="weighted.parquet", valid="plain.parquet")
    weighted = Recipe(data=data, features=[Categorical("user")], tasks=tasks)
    assert find_tables(weighted, tmp_path).valid == tmp_path / "plain.parquet"
    with pytest.raises(TableError, match=r"plain\.parquet: no column 'w'"):
        find_tables(replace(weighted, data=Data(train="plain.parquet")), tmp_path)


def test_lists_of_one_number_in_a_csv_that_is_cut_are_lists(tmp_path: Path):
    (tmp_path / "all.csv").write_text("seen,click,when\n" + "".join(f"{i % 3},{i % 2},{i}\n" for i in range(20)))
    sequence = Recipe(
        data=Data(table="all.csv", split=Split("when")), features=[Sequence("seen")], tasks=[Binary("click")]
    )
    assert find_tables(sequence, tmp_path).train["seen"].to_pylist()[:4] == ["0", "1", "2", "0"]


def test_the_time_column_is_looked_for_too(feed, tmp_path: Path):
    pq.write_table(feed, tmp_path / "all.parquet")
    with pytest.raises(TableError, match="no column 'wehn'; did you mean 'when'"):
        find_tables(recipe(table="all.parquet", split=Split("wehn")), tmp_path)
