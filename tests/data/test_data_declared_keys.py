from __future__ import annotations

import pyarrow as pa
import pytest

from gatewise.data import TableEncoder
from gatewise.data.declared_keys import as_declared
from gatewise.declare import Binary, Categorical, Schema, Sequence
from gatewise.errors import DeclarationError, TableError


@pytest.mark.parametrize(
    ("column", "dtype", "expected"),
    [
        (pa.array([7, None]), "string", ["7", None]),
        (pa.array([2**63 + 1], pa.uint64()), "string", ["9223372036854775809"]),
        (pa.array([7.0, None]), "string", ["7", None]),
        (pa.array([True, None]), "string", ["true", None]),
        (pa.array(["07", None]), "string", ["07", None]),
        (pa.array(["07", " 7 ", None]), "integer", [7, 7, None]),
        (pa.array(["9223372036854775809"]), "integer", [2**63 + 1]),
        (pa.array([7, None]), "integer", [7, None]),
        (pa.array(["7", "07"]).dictionary_encode(), "integer", [7, 7]),
        (pa.array([[7, None], None, []]), "string", [["7", None], None, []]),
        (pa.array([["07"], None]), "integer", [[7], None]),
        (pa.nulls(2), "integer", [None, None]),
    ],
    ids=str,
)
def test_keys_become_what_is_declared(column, dtype, expected):
    assert as_declared(column, dtype, "feature 'x'").to_pylist() == expected


def test_a_text_that_is_no_integer_is_named():
    with pytest.raises(TableError, match=r"^feature 'x': expected integers as declared: [^\n]*'abc'"):
        as_declared(pa.array(["1", "abc"]), "integer", "feature 'x'")
    with pytest.raises(TableError, match=r"^feature 'x': expected integers or strings, found 1\.5 in row 0"):
        as_declared(pa.array([1.5]), "string", "feature 'x'")


def test_codes_meet_whatever_type_a_table_has():
    schema = Schema(features=[Categorical("x", dtype="string"), Sequence("y", dtype="integer")], tasks=[Binary("c")])
    encoder, encoded = TableEncoder.fit(schema, {"x": ["7", "8"], "y": ["1|2", "3"], "c": [0, 1]})
    assert encoder.column_types()["x"] == pa.string()
    other = encoder.encode({"x": [7, 8], "y": [[1, 2], [3]], "c": [0, 1]})
    assert other.ids.tolist() == encoded.ids.tolist()
    assert other.lists[0].values.tolist() == encoded.lists[0].values.tolist()


def test_what_shares_a_vocabulary_declares_no_type():
    with pytest.raises(DeclarationError, match="declare size, min_count, keep_days, max_rows, hash_buckets and dtype"):
        Sequence("y", shares="x", dtype="string")
    with pytest.raises(DeclarationError, match="dtype: expected 'string' or 'integer', found 'text'"):
        Categorical("x", dtype="text")
