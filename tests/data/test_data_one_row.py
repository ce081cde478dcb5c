from __future__ import annotations

import pyarrow as pa
import pytest

from gatewise.data import row_and_others
from gatewise.errors import TableError

TABLE = pa.table({"user": list(range(10)), "tag": pa.array(list("abcdefghij")).dictionary_encode(), "click": [0] * 10})


@pytest.mark.parametrize("row", [0, 4, 9])
def test_the_row_comes_first_and_is_not_among_the_others(row: int) -> None:
    found = row_and_others(TABLE, row, ["user", "tag"], known=[])
    assert found.column_names == ["user", "tag"]
    first, *others = found["user"].to_pylist()
    assert first == row
    assert sorted(others) == [user for user in range(10) if user != row]
    few = row_and_others(TABLE, row, ["user"], known=[], others=3, seed=1)["user"].to_pylist()
    assert len(set(few)) == 4
    assert few != row_and_others(TABLE, row, ["user"], known=[], others=3, seed=2)["user"].to_pylist()


def test_given_values_take_the_tables_types() -> None:
    found = row_and_others(TABLE, {"user": 70, "tag": "z", "click": 1}, ["user", "tag"], known=["click"], others=2)
    assert found["user"].to_pylist()[0] == 70
    assert found["tag"].to_pylist()[0] == "z"
    assert (found.num_rows, found.schema.field("user").type) == (3, pa.int64())


def test_spared_columns_may_be_absent() -> None:
    found = row_and_others(TABLE, {"user": 1}, ["user", "tag", "place"], known=[], spared=["tag", "place"], others=1)
    assert found.column_names == ["user", "tag"]
    assert found["tag"].to_pylist()[0] is None
    with pytest.raises(TableError, match="the table has no column 'place'"):
        row_and_others(TABLE, 1, ["user", "place"], known=[])
