"""The Open Inference Protocol as the client of Triton speaks it, and what does not speak it well."""

from __future__ import annotations

import json
import random
import struct

import numpy as np
import pytest

import gatewise

tritonclient = pytest.importorskip("tritonclient.http")
from tritonclient.utils import InferenceServerException  # noqa: E402

HEADER = "Inference-Header-Content-Length"


@pytest.fixture(scope="module")
def triton(served):
    client = tritonclient.InferenceServerClient(served.url.removeprefix("http://"))
    yield client
    client.close()


@pytest.fixture(scope="module")
def rows(feed):
    return feed.slice(0, 37).select(["user", "item", "tags", "price"])


def tensor(name: str, values: np.ndarray, datatype: str, binary: bool):
    found = tritonclient.InferInput(name, values.shape, datatype)
    found.set_data_from_numpy(values, binary_data=binary)
    return found


def tensors(rows, binary: bool, column: bool = False) -> list:
    filled = rows.column("price").fill_null(1.0).to_numpy()
    words = {name: np.array(rows.column(name).fill_null("").to_pylist(), dtype=object) for name in ("item", "tags")}
    ids = rows.column("user").to_numpy()
    shaped = (lambda array: array[:, np.newaxis]) if column else (lambda array: array)
    return [
        tensor("user", shaped(ids), "INT64", binary),
        tensor("item", shaped(words["item"]), "BYTES", binary),
        tensor("tags", words["tags"], "BYTES", binary),
        tensor("price", shaped(filled), "FP64", binary),
    ]


def wanted(shelf, rows, name: str) -> np.ndarray:
    table = rows.set_column(2, "tags", rows.column("tags").fill_null(""))
    table = table.set_column(3, "price", table.column("price").fill_null(1.0))
    return shelf.first.predict(table, calibrated=True).column(name).to_numpy()


@pytest.mark.parametrize("binary_in", [False, True])
@pytest.mark.parametrize("binary_out", [False, True])
def test_the_client_gets_what_predict_gives(triton, shelf, rows, binary_in, binary_out):
    outputs = [
        tritonclient.InferRequestedOutput(name, binary_data=binary_out) for name in ("stars", "click", "fused", "gates")
    ]
    answer = triton.infer("first", tensors(rows, binary_in), outputs=outputs, request_id="mine")
    for name in ("click", "stars", "fused"):
        assert answer.as_numpy(name).dtype == np.float64
        np.testing.assert_allclose(answer.as_numpy(name), wanted(shelf, rows, name), rtol=1e-5, atol=1e-5)
    assert answer.as_numpy("gates").shape == (len(rows), 2, 3)
    found = answer.get_response()
    assert (found["id"], found["model_name"], found["model_version"]) == ("mine", "first", "1")
    assert [output["name"] for output in found["outputs"]] == ["stars", "click", "fused", "gates"]


def test_without_outputs_all_scores_are_given_and_columns_may_have_a_second_axis(triton, shelf, rows):
    answer = triton.infer("first", tensors(rows, True, column=True), model_version="1")
    assert {output["name"] for output in answer.get_response()["outputs"]} == {"click", "stars", "fused"}
    np.testing.assert_allclose(answer.as_numpy("stars"), wanted(shelf, rows, "stars"), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("binary", [False, True])
def test_lists_are_a_second_axis_whose_empty_strings_are_no_items(triton, shelf, binary):
    tags = np.array([["a", ""], ["b", "c"], ["", ""], ["c", "new"]], dtype=object)
    given = [
        tensor("user", np.full(4, 10_000_000_003), "INT64", binary),
        tensor("item", np.array(["i1"] * 4, dtype=object), "BYTES", binary),
        tensor("tags", tags, "BYTES", binary),
        tensor("price", np.ones(4, np.float32), "FP32", binary),
    ]
    lists = {"user": [10_000_000_003] * 4, "item": ["i1"] * 4, "price": [1.0] * 4}
    lists["tags"] = [["a"], ["b", "c"], [], ["c", "new"]]
    found = triton.infer("first", given).as_numpy("click")
    table = shelf.first.predict(lists, calibrated=True)
    np.testing.assert_allclose(found, table.column("click").to_numpy(), rtol=1e-5, atol=1e-5)


def predicted(shelf, **changes: list) -> np.ndarray:
    columns = {"user": [10_000_000_003] * 3, "item": ["i1"] * 3, "tags": [["a"], ["b"], []], "price": [1.0] * 3}
    return shelf.first.predict({**columns, **changes}, calibrated=True).column("click").to_numpy()


def three(**changes) -> list:
    """Return tensors of three rows in bytes, some of which are others."""
    given = {
        "user": tensor("user", np.full(3, 10_000_000_003), "INT64", True),
        "item": tensor("item", np.array(["i1"] * 3, dtype=object), "BYTES", True),
        "tags": tensor("tags", np.array([["a"], ["b"], [""]], dtype=object), "BYTES", True),
        "price": tensor("price", np.ones(3), "FP64", True),
    }
    return [*{**given, **changes}.values()]


def clicks(triton, inputs: list) -> np.ndarray:
    return triton.infer("first", inputs).as_numpy("click")


def test_a_list_of_one_axis_more_is_a_string_with_separators(triton, shelf):
    """Clients send every column as ``[rows, 1]``."""
    tags = tensor("tags", np.array([["a|b"], ["b"], [""]], dtype=object), "BYTES", True)
    wanted = predicted(shelf, tags=[["a", "b"], ["b"], []])
    np.testing.assert_allclose(clicks(triton, three(tags=tags)), wanted, atol=1e-5)


@pytest.mark.parametrize("datatype", ["FP64", "FP32", "FP16"])
def test_nan_is_a_missing_number(triton, shelf, datatype):
    values = np.array([1.0, np.nan, 1.0], dtype={"FP64": float, "FP32": np.float32, "FP16": np.float16}[datatype])
    found = clicks(triton, three(price=tensor("price", values, datatype, True)))
    np.testing.assert_allclose(found, predicted(shelf, price=[1.0, None, 1.0]), atol=1e-5)
    assert found[0] != found[1]


def test_an_empty_string_in_bytes_is_a_missing_category_unless_it_was_learnt(triton, shelf):
    items = np.array(["i1", "", "i1"], dtype=object)
    found = [clicks(triton, three(item=tensor("item", items, "BYTES", binary))) for binary in (True, False)]
    np.testing.assert_allclose(found[0], predicted(shelf, item=["i1", None, "i1"]), atol=1e-5)
    # JSON has a null of its own
    np.testing.assert_allclose(found[1], predicted(shelf, item=["i1", "", "i1"]), atol=1e-5)


@pytest.mark.parametrize("name", ["user", "item", "tags", "price"])
def test_any_input_can_say_which_rows_are_missing(triton, shelf, name):
    marks = np.array([[False], [True], [False]])
    inputs = three(**{f"{name}.missing": tensor(f"{name}.missing", marks, "BOOL", True)})
    whole = {"user": [10_000_000_003] * 3, "item": ["i1"] * 3, "tags": [["a"], ["b"], []], "price": [1.0] * 3}
    values = [None if place == 1 else value for place, value in enumerate(whole[name])]
    np.testing.assert_allclose(clicks(triton, inputs), predicted(shelf, **{name: values}), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "values", "datatype", "message"),
    [
        ("price.missing", np.ones(3, np.int64), "INT64", "input 'price.missing': expected BOOL of a shape of .rows."),
        ("price.missing", np.ones((3, 2), bool), "BOOL", "input 'price.missing': expected BOOL of a shape of .rows."),
        ("prize.missing", np.ones(3, bool), "BOOL", "no feature reads 'prize.missing'"),
    ],
)
def test_marks_that_mark_nothing_are_refused(triton, name, values, datatype, message):
    with pytest.raises(InferenceServerException, match=message):
        triton.infer("first", three(**{name: tensor(name, values, datatype, True)}))


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_the_client_compresses_both_ways(triton, shelf, algorithm):
    both = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
    answer = triton.infer("first", three(), **both)
    np.testing.assert_allclose(answer.as_numpy("click"), predicted(shelf), atol=1e-5)


def test_the_service_says_what_it_is(triton):
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.get_server_metadata()["version"] == gatewise.__version__
    assert triton.is_model_ready("first")
    assert triton.is_model_ready("first", "1")
    assert not triton.is_model_ready("first", "2")
    assert not triton.is_model_ready("third")
    found = triton.get_model_metadata("first")
    assert {one["name"]: (one["datatype"], one["shape"]) for one in found["inputs"]} == {
        "user": ("INT64", [-1]),
        "item": ("BYTES", [-1]),
        "tags": ("BYTES", [-1, -1]),
        "price": ("FP64", [-1]),
    }
    assert [one["name"] for one in found["outputs"]] == ["click", "stars", "fused", "gates"]
    assert [one["name"] for one in triton.get_model_metadata("second")["outputs"]] == ["click", "stars"]
    states = {one["name"]: one["state"] for one in triton.get_model_repository_index()}
    assert states == {"first": "READY", "second": "READY"}


def test_the_client_is_told_what_is_wrong(triton, rows):
    with pytest.raises(InferenceServerException, match="no feature reads 'prize'; did you mean 'price'"):
        triton.infer("first", [*tensors(rows, True)[:3], tensor("prize", np.ones(37), "FP64", True)])
    with pytest.raises(InferenceServerException, match="inputs: 'price' missing"):
        triton.infer("first", tensors(rows, True)[:3])
    with pytest.raises(InferenceServerException, match="feature 'price': found inf in row 2"):
        triton.infer(
            "first", [*tensors(rows, True)[:3], tensor("price", np.array([1, 1, np.inf] * 12 + [1]), "FP64", True)]
        )
    with pytest.raises(InferenceServerException, match=r"outputs\[0\]: no output 'clicks'; did you mean 'click'"):
        triton.infer("first", tensors(rows, True), outputs=[tritonclient.InferRequestedOutput("clicks")])


def body(**changes: object) -> dict:
    inputs = {
        "user": {"name": "user", "datatype": "INT64", "shape": [2], "data": [10_000_000_003, 10_000_000_004]},
        "item": {"name": "item", "datatype": "BYTES", "shape": [2], "data": ["i1", "i2"]},
        "tags": {"name": "tags", "datatype": "BYTES", "shape": [2], "data": ["a|b", None]},
        "price": {"name": "price", "datatype": "FP64", "shape": [2], "data": [1.5, None]},
    }
    inputs["price"] |= changes
    return {"inputs": [*inputs.values()]}


WRONG = [
    ({"shape": [3]}, "input 'price': has 3 rows, 'user' has 2"),
    ({"data": [1.5]}, "input 'price': its shape says 2 values, found 1"),
    ({"data": [[1.5], 2]}, "input 'price': expected lists of one depth"),
    ({"data": "ab"}, "input 'price': expected a list as its data"),
    ({"data": [1.5, "x"]}, "input 'price': expected FP64, found 'x' at 1"),
    ({"datatype": "FP63"}, "input 'price': no datatype 'FP63'; did you mean 'FP64'"),
    ({"datatype": [[]]}, "input 'price': no datatype [[]]"),
    ({"shape": [2, 1, 1]}, "input 'price': expected a shape of [rows] or [rows, items], found [2, 1, 1]"),
    ({"shape": [-1]}, "input 'price': expected a shape"),
    ({"shape": [2, 2], "data": [1, 2, 3, 4]}, "input 'price': expected a shape of [2], found [2, 2]"),
    ({"shape": [2_000_000_000]}, "input 'price': has 2,000,000,000 rows"),
    ({"name": "user"}, "input 'user': is there twice"),
    ({"name": None}, "inputs[3]: expected an object with a name"),
    ({"parameters": 3}, "input 'price': expected an object as its parameters, found a number"),
    ({"parameters": {"binary_data_size": 16}}, "input 'price': binary_data_size 16, and 0 bytes are left"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message[:50] for _, message in WRONG])
def test_a_tensor_that_cannot_be_is_named(served, change, message):
    answer = served.client.post("/v2/models/first/infer", json=body(**change))
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(message)


def test_null_is_a_missing_value_and_data_may_be_nested(served, shelf):
    answer = served.client.post("/v2/models/first/infer", json=body(shape=[2, 1], data=[[1.5], [None]])).json()
    rows = [
        {"user": 10_000_000_003, "item": "i1", "tags": "a|b", "price": 1.5},
        {"user": 10_000_000_004, "item": "i2", "tags": None, "price": None},
    ]
    scores = {output["name"]: output["data"] for output in answer["outputs"]}
    found = shelf.first.predict(rows, calibrated=True)
    np.testing.assert_allclose(scores["click"], found.column("click").to_numpy(), rtol=1e-5, atol=1e-5)


def binary_request() -> tuple[bytes, bytes]:
    """Return the JSON and the bytes of a request in which all tensors are bytes."""
    strings = [
        b"".join(struct.pack("<I", len(text)) + text for text in texts) for texts in ([b"i1", b"i2"], [b"a", b""])
    ]
    raw = [np.array([10_000_000_003, 5]).tobytes(), *strings, np.array([1.0, 2.0]).tobytes()]
    head = body()
    for one, data in zip(head["inputs"], raw, strict=True):
        del one["data"]
        one["parameters"] = {"binary_data_size": len(data)}
    return json.dumps(head).encode(), b"".join(raw)


def test_no_damage_to_a_binary_request_is_an_internal_error(served):
    """Bytes are changed, cut out, put in and cut off, in the JSON, in the tensors and in the header."""
    text, raw = binary_request()
    path, drawn = "/v2/models/first/infer", random.Random(0)
    assert served.client.post(path, content=text + raw, headers={HEADER: str(len(text))}).status_code == 200
    statuses = set()
    for _ in range(400):
        damaged, length = bytearray(text + raw), len(text)
        start = 0 if drawn.random() < 0.5 else len(text)
        for _ in range(drawn.choice([1, 1, 2, 8])):
            place = drawn.randrange(min(start, len(damaged) - 4), len(damaged))
            match drawn.randrange(4):
                case 0:
                    damaged[place] = drawn.randrange(256)
                case 1:
                    damaged[place:place] = drawn.randbytes(drawn.choice([1, 4]))
                case 2:
                    del damaged[place : place + drawn.choice([1, 4, 40])]
                case 3:
                    damaged[place : place + 4] = struct.pack("<I", drawn.choice([0, 1, 2**31, 2**32 - 1]))
        if drawn.random() < 0.2:
            length = drawn.choice([0, 1, len(text) - 1, len(text) + 1, len(damaged), len(damaged) + 1, 2**40])
        answer = served.client.post(path, content=bytes(damaged), headers={HEADER: str(length)})
        statuses.add(answer.status_code)
        assert answer.status_code in (200, 400, 422), answer.text
        assert answer.status_code == 200 or "\n" not in answer.json()["error"]
    assert statuses == {200, 400, 422}


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9999999999999999", ""])
def test_a_header_that_is_no_length_is_refused(served, length):
    answer = served.client.post("/v2/models/first/infer", content=b"{}", headers={HEADER: length})
    assert answer.status_code == 400
    assert HEADER in answer.json()["error"]
