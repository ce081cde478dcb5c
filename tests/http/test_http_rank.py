"""``/rank`` and ``/predict``: the scores of ``predict`` in the right order, and refusals that name what is wrong."""

from __future__ import annotations

import json

import httpx
import numpy as np
import pyarrow as pa
import pytest

USER = 10_000_000_003
VALUES = ["item", "tags", "price"]


def expected(ranker, rows: list[dict], user: int = USER) -> dict[str, np.ndarray]:
    """Return what Python says of the rows."""
    calibrated = bool(ranker.scorer.calibration)
    table = ranker.predict([{"user": user, **row} for row in rows], calibrated=calibrated)
    return {name: table.column(name).to_numpy() for name in table.column_names}


def in_request_order(answer: dict) -> list[dict]:
    return sorted(answer["candidates"], key=lambda one: one["index"])


def check(answer: dict, wanted: dict[str, np.ndarray], order: str) -> None:
    found = in_request_order(answer)
    for name, column in wanted.items():
        np.testing.assert_allclose([one["scores"][name] for one in found], column, rtol=1e-5, atol=1e-5)
    ranked = [one["scores"][order] for one in answer["candidates"]]
    assert answer["order"] == order
    assert ranked == sorted(ranked, reverse=True)
    assert ranked[0] > ranked[-1]


@pytest.fixture(scope="module")
def candidates(items) -> list[dict]:
    unusual = [{"item": "new", "tags": "a|new", "price": 3}, {"item": None, "tags": None, "price": None}]
    return [*items.to_pylist(), *unusual, {"item": "i1", "tags": "", "price": 1e9}]


def test_candidates_as_values_come_back_in_fused_order_with_the_scores_of_predict(served, shelf, candidates):
    answer = served.rank(model="first", context={"user": USER}, candidates=candidates)
    check(answer, expected(shelf.first, candidates), "fused")
    assert (answer["model"], answer["version"]) == ("first", "1")


def test_ids_of_the_item_table_give_what_their_values_give(served, items):
    rows = items.to_pylist()[::-2]
    by_id = served.rank(model="first", context={"user": USER}, candidates=[row["item"] for row in rows])
    by_value = served.rank(model="first", context={"user": USER}, candidates=rows)
    assert [one["id"] for one in by_id["candidates"]] == [rows[one["index"]]["item"] for one in by_id["candidates"]]
    assert [one["scores"] for one in by_id["candidates"]] == [one["scores"] for one in by_value["candidates"]]


def test_a_value_of_a_candidate_comes_before_the_context_and_that_before_the_item_table(served, items):
    rows = items.to_pylist()[:4]
    ids = [row["item"] for row in rows]
    own = [{"item": one, "price": 5.0} for one in ids]
    wanted = served.rank(model="first", context={"user": USER}, candidates=[{**row, "price": 5.0} for row in rows])
    for context, candidates in (({"price": 5.0}, ids), ({}, own), ({"price": 77.0}, own)):
        answer = served.rank(model="first", context={"user": USER, **context}, candidates=candidates)
        scores = [one["scores"] for one in in_request_order(answer)]
        assert scores == [one["scores"] for one in in_request_order(wanted)]


def test_an_unknown_item_is_left_out_and_named(served):
    asked = {"model": "first", "context": {"user": USER}}
    wanted = served.rank(**asked, candidates=["i1", "i2", "i3"])
    for strange, given in (("i99", ["i1", "i99", "i2", "i3"]), ("i99", [{"item": f"i{n}"} for n in (1, 99, 2, 3)])):
        answer = served.rank(**asked, candidates=given, gates=True)
        assert answer["skipped"] == [{"index": 1, "id": strange}]
        assert [one["id"] for one in answer["candidates"]] == [one["id"] for one in wanted["candidates"]]
        assert [one["scores"] for one in answer["candidates"]] == [one["scores"] for one in wanted["candidates"]]
        assert sorted(one["index"] for one in answer["candidates"]) == [0, 2, 3]
    assert "skipped" not in wanted
    # who brings all values of an item needs no table
    whole = [{"item": "i99", "tags": "a", "price": 1.0}, {"item": "i1", "tags": "a", "price": 1.0}]
    assert "skipped" not in served.rank(**asked, candidates=whole)


def test_a_list_may_be_written_as_a_list(served):
    as_text = [{"item": "i1", "tags": "b|c", "price": 1}, {"item": "i2", "tags": "", "price": 1}]
    as_list = [{**one, "tags": one["tags"].split("|") if one["tags"] else []} for one in as_text]
    answers = [served.rank(model="first", context={"user": USER}, candidates=given) for given in (as_text, as_list)]
    assert answers[0] == answers[1]


def test_without_a_fusion_the_first_prediction_orders_or_the_one_that_is_asked_for(served, shelf, candidates):
    wanted = expected(shelf.second, candidates)
    check(served.rank(model="second", context={"user": USER}, candidates=candidates), wanted, "click")
    check(served.rank(model="second", context={"user": USER}, candidates=candidates, by="stars"), wanted, "stars")


def test_weights_take_the_place_of_the_fusions(served, shelf, candidates):
    wanted = expected(shelf.first, candidates)
    weights = [0.0, 1.0, 2.0, 3.0]
    wanted["fused"] = wanted["click"] ** 0.0 * (1.0 + wanted["stars"] / 2.0) ** 3.0
    answer = served.rank(model="first", context={"user": USER}, candidates=candidates, weights=weights)
    check(answer, wanted, "fused")
    assert answer["fusion"] == "click^0 * (1 + stars / 2)^3"


def test_top_cuts_and_ties_keep_their_order(served, candidates):
    asked = {"model": "first", "context": {"user": USER}, "candidates": candidates}
    assert served.rank(**asked, top=3)["candidates"] == served.rank(**asked)["candidates"][:3]
    # to the power of 0 all are 1
    tied = served.rank(**asked, weights=[0.0, 1.0, 1.0, 0.0])
    assert [one["index"] for one in tied["candidates"]] == [*range(len(candidates))]


def test_gates_are_those_of_the_ranker(served, shelf, candidates):
    answer = served.rank(model="first", context={"user": USER}, candidates=candidates, gates=True)
    wanted = shelf.first.gates([{"user": USER, **row} for row in candidates], per_row=True)
    found = [[one["gates"][task] for task in ("click", "stars")] for one in in_request_order(answer)]
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_rows_are_predicted_as_predict_does(served, shelf, feed):
    rows = feed.slice(0, 50).select(["user", *VALUES]).to_pylist()
    answer = served.client.post("/predict", json={"model": "first", "rows": rows, "gates": True}).json()
    wanted = shelf.first.predict(rows, calibrated=True)
    for name in wanted.column_names:
        column = [row[name] for row in answer["rows"]]
        np.testing.assert_allclose(column, wanted.column(name).to_numpy(), rtol=1e-5, atol=1e-5)
    assert np.sum(answer["gates"][0]["click"]) == pytest.approx(1)


def test_requests_at_once_are_answered_apart(served, shelf, items):
    """Whatever is given to the model together: each request gets its own rows, with lists of its own length."""
    from concurrent.futures import ThreadPoolExecutor

    rows = items.to_pylist()
    asked = [(10_000_000_000 + place % 7, rows[place % 11 : place % 11 + 1 + place % 13]) for place in range(60)]

    def ask(one):
        body = {"model": "first", "context": {"user": one[0]}, "candidates": one[1]}
        return httpx.post(f"{served.url}/rank", json=body, timeout=30).json()

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, asked))
    for (user, given), answer in zip(asked, answers, strict=True):
        found = [one["scores"]["fused"] for one in in_request_order(answer)]
        np.testing.assert_allclose(found, expected(shelf.first, given, user)["fused"], rtol=1e-5, atol=1e-5)


GOOD = {"model": "first", "context": {"user": USER}, "candidates": [{"item": "i1", "tags": "a", "price": 2.0}]}
ONE = GOOD["candidates"][0]

REFUSED = [
    ({"candidates": []}, 422, "candidates: expected 1 to 300, found 0"),
    ({"candidates": [ONE] * 301}, 413, "candidates: expected 1 to 300, found 301"),
    ({"candidates": None}, 422, "candidates: input should be a valid list, found None"),
    ({"candidates": [{**ONE, "prize": 3}]}, 422, "candidates: no feature reads 'prize'; did you mean 'price'?"),
    ({"candidates": [ONE, {"item": "i2", "tags": "a"}]}, 422, "candidates[1]: has no 'price', unlike candidates[0]"),
    ({"candidates": [ONE, 3]}, 422, "candidates[1]: expected an object, found a number"),
    ({"candidates": [[1]]}, 422, "candidates[0]: expected an object, found a list"),
    ({"candidates": [True]}, 422, "candidates[0]: expected an object, found true or false"),
    ({"candidates": ["i98", "i99"]}, 422, "candidates[0]: no item has item 'i98'"),
    ({"candidates": [{"item": ["i1"]}]}, 422, "feature 'item': "),
    ({"candidates": [{**ONE, "price": "dear"}]}, 422, "feature 'price': expected numbers, found string"),
    ({"candidates": [{**ONE, "price": 1e300}]}, 422, "feature 'price': found 1e+300 in row 0, expected finite numbers"),
    (
        {"candidates": [{**ONE, "item": 5}]},
        422,
        "feature 'item': found integers, its vocabulary was learnt from",
    ),
    (
        {"candidates": [{**ONE, "tags": {"a": 1}}]},
        422,
        "feature 'tags': expected numbers, booleans, strings, times or lists of them, found struct",
    ),
    ({"candidates": [ONE, {**ONE, "price": "x"}]}, 422, "column 'price': Could not convert 'x'"),
    ({"context": {}}, 422, "context and candidates: 'user' missing"),
    ({"context": {"user": USER, "userr": 1}}, 422, "context: no feature reads 'userr'; did you mean 'user'?"),
    ({"context": {"user": 1.5}}, 422, "feature 'user': expected integers or strings, found 1.5"),
    ({"context": {"user": 2**70}}, 422, "feature 'user': expected integers or strings, found 1.18"),
    ({"context": [1]}, 422, "context: input should be a valid dictionary, found [1]"),
    ({"contxt": {}}, 422, "contxt: unknown option; did you mean 'context'?"),
    ({"model": "frist"}, 404, "model 'frist': is not served; did you mean 'first'?"),
    ({"version": "7"}, 404, "model 'first': no version '7' (versions: 1)"),
    ({"model": None}, 422, "model: is required, one of first, second"),
    ({"by": "clicks"}, 422, "by: no score 'clicks'; did you mean 'click'?"),
    ({"weights": [1.0]}, 422, "weights: expected 4, as 'click^1 * (0.2 + stars / 5)^0.5' has, found 1"),
    ({"weights": ["a", 1, 1, 1]}, 422, "weights[0]: input should be a valid number, found 'a'"),
    ({"model": "second", "weights": [1.0]}, 422, "weights: model 'second' has no fusion"),
    ({"model": "second", "gates": True}, 422, "gates: model 'second' has none"),
    ({"top": 0}, 422, "top: input should be greater than 0, found 0"),
]


@pytest.mark.parametrize(("change", "status", "message"), REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_a_refusal_is_one_line_that_names_the_field(served, change, status, message):
    error = served.rank(status, **{**GOOD, **change})["error"]
    assert error.startswith(message)
    assert "\n" not in error
    assert len(error) < 400


def test_nan_is_no_json(served):
    answer = served.client.post("/rank", content=json.dumps({**GOOD, "context": {"user": float("nan")}}))
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("body: is no JSON")


NESTED = b'{"candidates": ' + b"[" * 900 + b"]" * 900 + b"}"
NONSENSE = [b"", b"{", b"[]", b"3", b"null", b'"x"', b"[" * 5000, b"\xff", NESTED]


@pytest.mark.parametrize("body", NONSENSE)
@pytest.mark.parametrize("path", ["/rank", "/predict", "/v2/models/first/infer"])
def test_bodies_that_make_no_sense_are_refused(served, path, body):
    answer = served.client.post(path, content=body)
    assert answer.status_code in (400, 422)
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("chunked", [False, True])
def test_enormous_bodies_are_refused(served, chunked):
    body = b" " * 200_001
    answer = served.client.post("/rank", content=iter([body]) if chunked else body)
    assert answer.status_code == 413
    assert answer.json()["error"] == "body: expected 200,000 bytes or fewer, found more"


def test_too_many_rows_are_refused(served):
    row = {"user": USER, **ONE}
    answer = served.client.post("/predict", json={"model": "first", "rows": [row] * 501})
    assert (answer.status_code, answer.json()["error"]) == (413, "rows: expected 500 or fewer, found 501")


def test_unknown_addresses_and_methods(served):
    assert served.client.get("/nowhere").json() == {"error": "GET /nowhere: not found"}
    answer = served.client.get("/rank")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_metrics_count_what_was_answered(served):
    def count(name: str) -> float:
        lines = served.client.get("/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    names = ('gatewise_requests_total{path="/rank",status="200"}', 'gatewise_requests_total{path="/rank",status="422"}')
    before = [count(name) for name in names]
    served.rank(**GOOD)
    served.rank(422, **{**GOOD, "candidates": []})
    assert [count(name) for name in names] == [before[0] + 1, before[1] + 1]
    assert count('gatewise_stage_seconds_count{stage="infer"}') > 0


def test_the_item_table_is_refused_where_it_makes_no_sense(shelf, tmp_path):
    import pyarrow.parquet as pq

    from gatewise.errors import TableError
    from gatewise.http.columns import FeatureColumns
    from gatewise.http.items import ItemFile, ItemTable

    columns = FeatureColumns(shelf.first.scorer.encoder)
    path = tmp_path / "items.parquet"
    for table, message in (
        ({"items": ["a"]}, "no column 'item'; did you mean 'items'"),
        ({"item": ["a", "a"]}, "column 'item' holds a value twice"),
        ({"item": ["a", None]}, "column 'item' holds a null"),
        ({"item": ["a"], "price": ["x"]}, "feature 'price': expected numbers"),
    ):
        pq.write_table(pa.table(table), path)
        with pytest.raises(TableError, match=message):
            ItemTable.read(ItemFile(path, "item"), columns)
