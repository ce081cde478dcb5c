"""ONNX files of every kind of feature, task and calibration, run by ONNX Runtime."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.errors import DeclarationError, ExportError
from gatewise.export import EncodedForm, OnnxScorer, export_onnx, onnx_bytes, sample_rows
from gatewise.version import __version__

SIZES = (400, 1, 0)


@pytest.fixture(scope="module")
def path(ranker: gw.Ranker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file whose inputs are raw; what follows the look-ups and transforms is that of the encoded form."""
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    export_onnx(ranker.scorer, path)
    return path


def assert_same(scorer, found: dict[str, np.ndarray], table: pa.Table) -> None:
    """Compare with what the scorer predicts, by the tolerance that is promised."""
    expected = scorer.predict(table, calibrated=bool(scorer.calibration))
    gates = scorer.gates(table)
    assert list(found) == [*expected.column_names, *([] if gates is None else ["gates"])]
    for name in expected.column_names:
        np.testing.assert_allclose(found[name], expected[name].to_numpy(), rtol=1e-5, atol=1e-5, err_msg=name)
    if gates is not None:
        np.testing.assert_allclose(found["gates"], gates, atol=1e-5)


def test_every_kind_of_feature_in_batches_of_any_size(path: Path, ranker: gw.Ranker, everything: pa.Table) -> None:
    exported = OnnxScorer(path, ranker.scorer)
    for table in (everything, sample_rows(ranker.scorer.encoder, 400, seed=1)):
        for rows in SIZES:
            assert_same(ranker.scorer, exported.run(table.slice(0, rows)), table.slice(0, rows))
    assert exported.predict(everything).column_names == ["click", "stars", "play", "fused"]


def test_raw_inputs_are_columns_and_say_what_they_take(path: Path) -> None:
    session = onnxruntime.InferenceSession(path)
    types = {found.name: found.type for found in session.get_inputs()}
    meta = session.get_modelmeta().custom_metadata_map
    told = json.loads(meta["gatewise.inputs"])
    assert list(told) == list(types)
    assert types["user"] == "tensor(int64)"
    assert types["name"] == "tensor(string)"
    assert types["standard"] == "tensor(double)"
    # read as a number and as a category
    assert {"whole.float64", "whole.int64"} < types.keys()
    assert {"name.row", "list_sum.row", "length"} < types.keys()
    # what only stands on the side of the model, and labels
    assert not {"position", "whole", "click", "play"} & types.keys()
    assert told["user"]["null"] == -(2**63)
    # values of the table that would mean null are not taken for it
    assert told["name"]["null"] == "<null>___"
    assert told["list_gru"]["padding"] == -(2**63) + 1
    assert meta["gatewise.version"] == __version__
    assert meta["gatewise.fusion"] == "click^0.5 * (0.2 + play / 5) + log(click)"
    assert json.loads(meta["gatewise.calibration"]) == {"click": "platt"}
    assert [task["name"] for task in json.loads(meta["gatewise.tasks"])] == ["click", "stars", "play"]


def test_raw_values_are_looked_up_in_the_graph(path: Path, ranker: gw.Ranker) -> None:
    """One row by hand, with nothing of Gatewise in between."""
    session = onnxruntime.InferenceSession(path)
    null, padding = -(2**63), -(2**63) + 1
    row = {
        "user": [2**60 + 3], "name": ["<null>_"], "name.row": [5], "tags": [["a", "unseen", "c"]],
        "list_attention": [[3, null, 5]], "list_gru": [[null]], "list_transformer": [[1, 2, 3, 4, 5, padding]],
        "list_max": [[padding]], "list_sum.row": [[3, -1]], "standard": [1.5], "log": [np.nan], "quantile": [0.7],
        "bucket": [np.nan], "piecewise": [2.0], "periodic": [1.0], "whole.float64": [4.0], "whole.int64": [4],
        "vector": [[np.nan] * 3], "length": [np.nan],
    }  # fmt: skip
    kinds = {"tensor(int64)": np.int64, "tensor(double)": np.float64, "tensor(float)": np.float32}
    feed = {i.name: np.array(row[i.name], kinds.get(i.type, object)) for i in session.get_inputs()}
    found = dict(zip([o.name for o in session.get_outputs()], session.run(None, feed), strict=True))
    table = {
        "user": [2**60 + 3], "name": ["<null>_"], "tags": ["a|unseen|c"], "list_attention": [[3, None, 5]],
        "list_gru": [None], "list_transformer": [[1, 2, 3, 4, 5]], "list_max": pa.array([[]], pa.list_(pa.int64())),
        "list_sum": [[0]], "standard": [1.5], "log": pa.array([None], pa.float64()), "quantile": [0.7],
        "bucket": pa.array([None], pa.float64()), "piecewise": [2.0], "periodic": [1.0], "whole": [4],
        "vector": pa.array([None], pa.list_(pa.float64())), "length": pa.array([None], pa.float64()),
    }  # fmt: skip
    columns = pa.table(table)
    hashed = ranker.scorer.encode(columns, labels=False)
    names = [name for name, _ in ranker.scorer.encoder.layout.ids]
    feed["name.row"] = hashed.ids[:, names.index("hashed")].astype(np.int64)
    feed["list_sum.row"] = np.append(hashed.lists[-1].values, -1)[np.newaxis].astype(np.int64)
    found = dict(zip(found, session.run(None, feed), strict=True))
    assert_same(ranker.scorer, found, columns)


def test_a_file_is_lean_and_tells_nothing_of_this_machine(path: Path, ranker: gw.Ranker) -> None:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    weights = 4 * sum(weight.numel() for weight in ranker.scorer.model.state_dict().values())
    assert path.stat().st_size < weights + 150_000
    content = path.read_bytes()
    assert str(Path(gw.__file__).parent).encode() not in content
    assert b"stack_trace" not in content


def test_a_file_runs_where_gatewise_is_not(path: Path) -> None:
    program = (
        "import sys; sys.modules['gatewise'] = sys.modules['torch'] = None\n"
        "import numpy as np, onnxruntime as ort\n"
        f"session = ort.InferenceSession({str(path)!r})\n"
        "kinds = {'tensor(int64)': np.int64, 'tensor(float)': np.float32, 'tensor(double)': np.float64}\n"
        "size = lambda dim: 2 if dim == 'batch' else dim if isinstance(dim, int) else 0\n"
        "zeros = lambda sizes, kind: np.zeros(sizes, kind) if kind else np.full(sizes, 'x', object)\n"
        "feed = {i.name: zeros([size(d) for d in i.shape], kinds.get(i.type)) for i in session.get_inputs()}\n"
        "print([output.shape[0] for output in session.run(None, feed)])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[2, 2, 2, 2, 2]"


def test_bytes_are_those_of_the_encoded_form(fitted: gw.Ranker, feed: pa.Table) -> None:
    mode = fitted.scorer.model.training
    model = onnx_bytes(fitted.scorer)
    session = onnxruntime.InferenceSession(model)
    form = EncodedForm(fitted.scorer)
    assert [i.name for i in session.get_inputs()] == ["ids", "floats", "tags"] == [port.name for port in form.ports]
    assert [o.name for o in session.get_outputs()] == ["click", "stars", "gates"]
    assert session.get_inputs()[2].shape == ["batch", "length of tags"]
    inputs = form.feed(fitted.scorer.encode(feed, labels=False))
    longer = inputs | {"tags": np.pad(inputs["tags"], ((0, 0), (0, 5)), constant_values=-1)}
    for given in (inputs, longer):
        assert_same(fitted.scorer, dict(zip(("click", "stars", "gates"), session.run(None, given), strict=True)), feed)
    # making it leaves the model as it was
    assert fitted.scorer.model.training is mode
    assert all(weight.requires_grad for weight in fitted.scorer.model.parameters())


def test_what_cannot_be_is_said(fitted: gw.Ranker, feed: pa.Table, tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="inputs: expected raw or encoded, found 'row'; did you mean 'raw'"):
        export_onnx(fitted.scorer, tmp_path / "model.onnx", inputs="row")
    schema = gw.Schema(features=[gw.Categorical("stars")], tasks=[gw.Regression("stars", column="rating")])
    table = {"stars": [1, 2, 3], "rating": [1.0, 2.0, 4.0]}
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1).fit(table, progress=False)
    with pytest.raises(ExportError, match="an input and an output are called 'stars': rename the feature or the task"):
        export_onnx(ranker.scorer, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["ids", "floats", "click", "gates", "fused"])
def test_a_list_may_be_called_like_what_stands_beside_it(tmp_path: Path, feed: pa.Table, name: str) -> None:
    schema = gw.Schema(
        features=[gw.Categorical("user", dim=2), gw.Numeric("price"), gw.Sequence(name, column="tags", dim=2)],
        tasks=[gw.Binary("click")],
    )
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1, fusion="2 * click").fit(
        feed.slice(0, 200)
    )
    for form in ("raw", "encoded"):
        # what was written is compared with the model
        ranker.export_onnx(tmp_path / f"{form}.onnx", inputs=form, check=feed.slice(0, 30))
