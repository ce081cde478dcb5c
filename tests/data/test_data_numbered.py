"""Ids that are 0 to n - 1 already: no vocabulary, and nothing outside."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.data import TableEncoder, sample_rows
from gatewise.errors import DeclarationError, GatewiseError, TableError

TABLE = {
    "shop": [0, 5, None, 3, 3, 1] * 10,
    "seen": [[0, 1], [], None, [5, None], [2], [3, 3, 4]] * 10,
    "price": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] * 10,
    "click": [0, 1, 1, 0, 1, 0] * 10,
}
SCHEMA = gw.Schema(
    features=[
        gw.Categorical("shop", dim=4, size=6),
        gw.Sequence("seen", shares="shop", max_length=2),
        gw.Sequence("bought", size=6, dim=3, column="seen"),
        gw.Numeric("price"),
    ],
    tasks=[gw.Binary("click")],
)


@pytest.fixture(scope="module")
def ranker() -> gw.Ranker:
    return gw.Ranker(SCHEMA, gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4]), epochs=2).fit(TABLE)


def encoded(values, **options):
    schema = gw.Schema(features=[gw.Categorical("shop", size=6, **options)], tasks=[gw.Binary("click")])
    table = {"shop": values, "click": [i % 2 for i in range(len(values))]}
    return TableEncoder.fit(schema, table)[1].ids[:, 0].tolist()


@pytest.mark.parametrize(
    "values",
    [
        [0, 5, None],
        [0.0, 5.0, None],
        pa.array([0, 5, None], pa.uint8()),
        pa.array([0, 5, None], pa.int32()).dictionary_encode(),
    ],
)
def test_ids_keep_their_order_behind_the_reserved_rows(values):
    assert encoded(values) == [2, 7, 1]


def test_texts_are_ids_where_integers_are_declared():
    assert encoded(["0", " 5", None], dtype="integer") == [2, 7, 1]


def test_the_table_has_all_rows_though_training_saw_some():
    encoder, found = TableEncoder.fit(SCHEMA, {**TABLE, "shop": [0] * 60, "seen": [[0]] * 60})
    assert encoder.layout.fields[0].rows == 8
    assert set(found.lists[0].values.tolist()) == {2}
    assert encoder.encode({**TABLE, "shop": [4] * 60}).ids[0, 0] == 6


def test_lists_share_the_ids_and_are_cut(ranker):
    shared, own = ranker.scorer.encoder.encode(TABLE, labels=False).lists
    assert shared.values[:8].tolist() == [2, 3, 1, 7, 1, 4, 5, 6]
    assert own.values[:9].tolist() == [2, 3, 1, 7, 1, 4, 5, 5, 6]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shop": [0, 6, 1]}, "feature 'shop': found 6 in row 1, expected ids from 0 to 5 (size=6) or null"),
        ({"shop": [0, 1, -1]}, "feature 'shop': found -1 in row 2, expected ids from 0 to 5 (size=6) or null"),
        ({"shop": ["a", "b", "c"]}, "feature 'shop': found strings, size says that its ids are integers"),
        (
            {"seen": [[], [1], [0, 1, 9]]},
            "feature 'seen': found 9 in row 2, expected ids from 0 to 5 (size=6) or null",
        ),
    ],
)
def test_others_are_errors_wherever_they_come_from(ranker, changes, message):
    rows = {"shop": [0, 1, 2], "seen": [[], [1], [2]], "price": [1.0, 2.0, 3.0], "click": [0, 1, 0]} | changes
    for work in (ranker.predict, lambda table: TableEncoder.fit(SCHEMA, table), ranker.scorer.encoder.extended):
        with pytest.raises(TableError) as raised:
            work(rows)
        assert str(raised.value).replace(", whose size is declared and does not grow", "") == message
    (name, values), *_ = changes.items()
    with pytest.raises(TableError) as raised:
        ranker.scorer.encoder.columns[name].encode_values(values)
    assert str(raised.value) == message


def test_growth_says_that_a_size_does_not_grow(ranker):
    rows = {"shop": [0, 6], "seen": [[], [1]]}
    with pytest.raises(TableError, match="'shop', whose size is declared and does not grow: found 6 in row 1"):
        ranker.extend_vocabulary(rows)
    assert ranker.extend_vocabulary({"shop": [0, 5], "seen": [[], [4]]}) == {"shop": 0, "bought": 0}


def test_values_of_requests_need_no_table(ranker, monkeypatch):
    monkeypatch.setattr("gatewise.data.columns.column.read_table", lambda _: pytest.fail("a table was made"))
    columns = ranker.scorer.encoder.columns
    assert columns["shop"].encode_values([5, None, 0]).tolist() == [7, 1, 2]
    assert columns["seen"].encode_values([[5, 1], None]).values.tolist() == [7, 3, 1]


def test_nothing_is_saved_of_it_and_predictions_stay(ranker, tmp_path):
    assert ranker.scorer.encoder.state()["vocabularies"] == {}
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(TABLE) == ranker.predict(TABLE)


@pytest.mark.parametrize("form", ["raw", "encoded"])
def test_exports_predict_the_same(ranker, tmp_path, form):
    pytest.importorskip("onnxruntime")
    from gatewise.export import export_onnx

    assert export_onnx(ranker.scorer, tmp_path / "model.onnx", inputs=form).difference < 1e-5


def test_made_up_rows_fit_whoever_else_reads_the_column():
    features = [gw.Categorical("shop", size=6), gw.Categorical("again", column="shop"), gw.Numeric("n", column="shop")]
    encoder, _ = TableEncoder.fit(gw.Schema(features=features, tasks=[gw.Binary("click")]), TABLE)
    assert set(sample_rows(encoder)["shop"].to_pylist()) == {*range(6), None}


def test_an_export_takes_what_is_outside_for_unseen(ranker):
    onnxruntime = pytest.importorskip("onnxruntime")
    from gatewise.export.onnx_model import _bytes
    from gatewise.export.program import Program
    from gatewise.export.raw_form import RawForm

    form = RawForm(ranker.scorer)
    session = onnxruntime.InferenceSession(_bytes(Program(ranker.scorer, form, None)))
    null = form.ports[0].keys.null

    def click(shops: list[int]) -> list[float]:
        given = {
            "shop": np.array(shops),
            "seen": np.full((len(shops), 1), 2),
            "price": np.ones(len(shops)),
        }
        return session.run(["click"], given)[0].tolist()

    inside, below, above, missing = click([3, -1, 6, null])
    assert below == above
    known = ranker.predict({"shop": [3, None], "seen": [[2], [2]], "price": [1.0, 1.0]})["click"].to_pylist()
    np.testing.assert_allclose([inside, missing], known, atol=1e-6)
    assert inside != below


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size: input should be greater than 0"),
        ({"size": 5, "hash_buckets": 3}, "size says that values are rows already"),
        ({"size": 5, "min_count": 2}, "size says that values are rows already"),
        ({"size": 5, "dtype": "string"}, "integers from 0 to 4: give no dtype 'string'"),
    ],
)
@pytest.mark.parametrize("kind", [gw.Categorical, gw.Sequence])
def test_options_that_contradict(kind, options, message):
    with pytest.raises(DeclarationError, match=message):
        kind("shop", **options)


def test_lists_that_share_a_table_have_no_size_of_their_own():
    with pytest.raises(DeclarationError, match="the table is that of 'shop': declare size, min_count, keep_days"):
        gw.Sequence("seen", shares="shop", size=6)


def test_a_recipe_may_say_it():
    schema = gw.Schema.from_yaml(SCHEMA.to_yaml())
    assert schema == SCHEMA
    assert schema.features[0].size == 6


def test_it_is_described(ranker):
    found = ranker.scorer.encoder.columns["shop"].description()
    assert (found.holds, found.dtype, found.dims, found.some) == ("id", "int64", (), [0, 1, 2, 3, 4, 5])
    items = ranker.scorer.encoder.columns["bought"].description()
    assert (items.holds, items.dtype, items.dims, items.some) == ("list", "int64", (None,), [0, 1, 2, 3, 4, 5])


def test_one_line_each(ranker):
    with pytest.raises(GatewiseError) as raised:
        ranker.predict({"shop": [2**40], "seen": [[]], "price": [1.0]})
    assert "\n" not in str(raised.value)
