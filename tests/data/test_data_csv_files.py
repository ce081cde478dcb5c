from __future__ import annotations

import gzip

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatewise.data import TableEncoder, read_table, stream_table
from gatewise.data.sources import csv_files
from gatewise.declare import Binary, Categorical, Multiclass, Numeric, Regression, Schema, Sequence
from gatewise.errors import GatewiseWarning

WORDS = ["NA", "null", "NULL", "nan", "NaN", "N/A", "n/a", "None", "-"]


def write(path, text):
    path.write_bytes(gzip.compress(text.encode()) if path.name.endswith("gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_text_stays_text_and_the_empty_field_alone_is_null(tmp_path, name):
    rows = [*WORDS, "", '""', '"NA"']
    path = write(tmp_path / name, "a,b\n" + "".join(f"{row},{place}\n" for place, row in enumerate(rows)))
    expected = [*WORDS, None, "", "NA"]
    assert read_table(path)["a"].to_pylist() == expected
    assert pa.concat_tables(stream_table(path))["a"].to_pylist() == expected
    assert read_table(path, ["a"], {"a": pa.large_string()})["a"].to_pylist() == expected


def test_in_numbers_the_usual_spellings_of_nothing_are_null(tmp_path):
    rows = ["1", *WORDS[:-1], "", '""', '"NA"', "<NA>", "2.5"]
    path = write(tmp_path / "a.csv", "a,b\n" + "".join(f"{row},x\n" for row in rows))
    for table in (read_table(path), read_table(path, types={"a": pa.float64()}), pa.concat_tables(stream_table(path))):
        assert table["a"].to_pylist() == [1.0, *[None] * (len(rows) - 2), 2.5]
        assert table["b"].null_count == 0


def test_pieces_after_the_first_empty_text_have_it_null_too(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)
    texts = [None if row % 50 == 49 else "" if row % 7 == 6 else f"t{row}" for row in range(200)]
    written = ["" if text is None else f'"{text}"' for text in texts]
    path = write(tmp_path / "a.csv", "n,a,b\n" + "".join(f"{row},{text},NA\n" for row, text in enumerate(written)))
    pieces = list(stream_table(path))
    assert len(pieces) > 10
    table = pa.concat_tables(pieces)
    assert table.to_pydict() == {"n": list(range(200)), "a": texts, "b": [None] * 200}
    assert read_table(path)["a"].to_pylist() == texts


def test_a_row_is_the_same_from_a_csv_a_parquet_file_and_a_dict(tmp_path):
    schema = Schema(features=[Categorical("country"), Numeric("price")], tasks=[Binary("click"), Multiclass("kind")])
    table = {"country": ["NA", "DE", None, ""], "price": [1.0, None, 2.0, 3.0], "click": [0, 1, None, 1]}
    table["kind"] = ["None", "b", "b", None]
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    text = 'country,price,click,kind\nNA,1.0,0,None\nDE,NA,1,b\n,2.0,,b\n"",3.0,1,\n'
    encoder, expected = TableEncoder.fit(schema, table)
    for source in (write(tmp_path / "a.csv", text), tmp_path / "a.parquet"):
        other, found = TableEncoder.fit(schema, source)
        assert other.state() == encoder.state()
        for encoded in (found, encoder.encode(source)):
            assert encoded.ids.tolist() == expected.ids.tolist()
            assert encoded.floats.tolist() == expected.floats.tolist()
            assert str(encoded.labels) == str(expected.labels)


def test_codes_with_leading_zeros_stay_text_and_this_is_said_once(tmp_path):
    path = write(tmp_path / "a.csv", "code,click\n" + "7,1\n07,0\n12,0\n0012,1\n" * 5)
    schema = Schema(features=[Categorical("code")], tasks=[Binary("click")])
    with pytest.warns(GatewiseWarning, match=r"a\.csv': column 'code' has leading zeros, such as '07', and is") as said:
        encoder, encoded = TableEncoder.fit(schema, path)
    assert len(said) == 1
    assert encoder.vocabularies["code"].values.to_pylist() == ["0012", "07", "12", "7"]
    # the type is known now
    assert encoder.encode(path).ids.tolist() == encoded.ids.tolist()
    assert encoder.encode({"code": ["07", "7"]}, labels=False).ids[:, 0].tolist() == encoded.ids[[1, 0], 0].tolist()


def test_numbers_may_have_leading_zeros(tmp_path):
    path = write(tmp_path / "a.csv", "n,w,y,click\n01,010,007,01\n2,1,3,00\n")
    schema = Schema(features=[Numeric("n")], tasks=[Regression("y", weight_column="w"), Binary("click")])
    _, encoded = TableEncoder.fit(schema, path)
    assert encoded.labels.tolist() == [[7, 1], [3, 0]]
    assert encoded.weights[:, 0].tolist() == [10, 1]


def test_a_declared_type_is_read_without_a_word(tmp_path):
    path = write(tmp_path / "a.csv", "code,click\n" + "7,1\n07,0\n12,0\n")
    for dtype, expected in (("string", ["07", "12", "7"]), ("integer", [7, 12])):
        schema = Schema(features=[Categorical("code", dtype=dtype)], tasks=[Binary("click")])
        encoder, _ = TableEncoder.fit(schema, path)
        assert encoder.vocabularies["code"].values.to_pylist() == expected


def test_lists_that_were_written_as_text_are_remarked_on(tmp_path):
    schema = Schema(features=[Sequence("tags")], tasks=[Binary("click")])
    frame = pd.DataFrame({"tags": [["a", "b"], ["c"], []], "click": [0, 1, 0]})
    frame.to_csv(tmp_path / "lists.csv", index=False)
    with pytest.warns(GatewiseWarning, match=r"^feature 'tags': its lists were written as text, such as .*to Parquet"):
        TableEncoder.fit(schema, tmp_path / "lists.csv")
    encoder, _ = TableEncoder.fit(schema, frame)
    with pytest.warns(GatewiseWarning, match="feature 'tags': its lists were written as text"):
        encoder.encode(tmp_path / "lists.csv")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["[1 2]", "[3]", None], "written as text, such as '\\[1 2\\]'"),
        (["('a',)", "('b', 'c')"], "written as text"),
        (["a, b", "c", "d, a"], r"its separator '\|' splits no row, such as 'a, b'; is separator=',' meant\?"),
        (["a b", "c"], "is separator=' ' meant"),
        (pa.array(["a;b", "c"]).dictionary_encode(), "is separator=';' meant"),
    ],
    ids=str,
)
def test_a_separator_that_splits_nothing_is_remarked_on(texts, message):
    schema = Schema(features=[Sequence("tags")], tasks=[Binary("click")])
    with pytest.warns(GatewiseWarning, match=message):
        TableEncoder.fit(schema, {"tags": texts, "click": [0, 1, 0][: len(texts)]})


@pytest.mark.parametrize(
    "texts", [["a", "b"], ["a|b, c", "d, e"], ["", None], [["a, b"], ["c"]], [*["a, b"] * 2000, "c|d"]], ids=len
)
def test_lists_that_are_split_or_need_not_be_are_passed_over(texts):
    schema = Schema(features=[Sequence("tags")], tasks=[Binary("click")])
    TableEncoder.fit(schema, {"tags": texts, "click": [row % 2 for row in range(len(texts))]})
