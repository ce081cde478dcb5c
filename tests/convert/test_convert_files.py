"""Files of weights with a specification become artefacts, and nothing in them is executed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from live_models import trained
from torch_rechub.basic.features import DenseFeature, SequenceFeature, SparseFeature
from torch_rechub.models.multi_task import SharedBottom
from typer.testing import CliRunner

import gatewise as gw
from gatewise import convert
from gatewise.cli.app import app
from gatewise.convert.files import convert_file
from gatewise.convert.source import Source
from gatewise.errors import DeclarationError

SPEC: dict[str, Any] = {
    "model": "SharedBottom",
    "features": [
        {"name": "user"},
        {"name": "age", "kind": "dense"},
        {"name": "bought", "kind": "sequence", "pooling": "sum", "padding": 0},
    ],
    "tasks": [{"name": "click"}, {"name": "rating", "kind": "regression"}],
    "dropout": 0.1,
}


def predicted(model: torch.nn.Module, rows: dict[str, np.ndarray]) -> np.ndarray:
    with torch.no_grad():
        return model({name: torch.tensor(rows[name]) for name in ("user", "age", "bought")}).numpy()


@pytest.fixture(scope="module")
def model(rows: dict[str, np.ndarray]) -> torch.nn.Module:
    features = [SparseFeature("user", 30, 6), DenseFeature("age"), SequenceFeature("bought", 20, 6, "sum", None, 0)]
    made = SharedBottom(features, ["classification", "regression"], {"dims": [8]}, [{"dims": [4]}] * 2)
    return trained(made, lambda model: predicted(model, rows))


def written(folder: Path, weights: Any, **changes: Any) -> tuple[Path, Path]:
    torch.save(weights, folder / "model.pth")
    (folder / "spec.yaml").write_text(yaml.safe_dump(SPEC | changes))
    return folder / "model.pth", folder / "spec.yaml"


def test_a_file_becomes_an_artefact(model: torch.nn.Module, rows: dict[str, np.ndarray], tmp_path: Path) -> None:
    weights = {f"module.{name}": value for name, value in model.state_dict().items()}
    convert_file(*written(tmp_path, weights), "torch-rechub").save(tmp_path / "artefact")
    ranker = gw.load(tmp_path / "artefact")
    found = ranker.predict(rows)
    np.testing.assert_allclose(np.column_stack(list(found.columns)), predicted(model, rows), rtol=1e-6, atol=1e-6)
    assert ranker.options.model.dropout == 0.1
    assert ranker.evaluate({**rows, "click": [0, 1] * 32, "rating": np.arange(64)})["rating"]


def test_a_whole_model_is_refused(model: torch.nn.Module, tmp_path: Path) -> None:
    files = written(tmp_path, model)
    with pytest.raises(DeclarationError, match=r"holds a whole model, .* torch\.save\(model\.state_dict\(\), \.\.\.\)"):
        convert_file(*files, "torch-rechub")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "SharedBotom"}, "found 'SharedBotom'; did you mean 'SharedBottom'?"),
        (
            {"model": "PLE"},
            "torch-rechub PLE: expected weights of 'cgc_layers', found embedding",
        ),
        ({"features": SPEC["features"][:2]}, "features: the weights read 13 columns, the features have 7"),
        (
            {"features": [{"name": "users"}, *SPEC["features"][1:]]},
            "expected a weight 'embedding.embed_dict.users.weight'",
        ),
        ({"features": [*SPEC["features"], {"name": "day"}]}, "expected a weight 'embedding.embed_dict.day.weight'"),
        ({"tasks": SPEC["tasks"][:1]}, "tasks: the weights have 2 towers, found 1 name"),
        ({"tasks": [*SPEC["tasks"], {"name": "buy"}]}, "tasks: the weights have 2 towers, found 3 names"),
        ({"activation": "rleu"}, "activation"),
        ({"optimiser": "adam"}, "optimiser"),
    ],
)
def test_what_does_not_fit_is_one_line(
    model: torch.nn.Module, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)) as raised:
        convert_file(*written(tmp_path, model.state_dict(), **changes), "torch-rechub")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("weights", "message"),
    [({"epoch": 3}, "expected a state dictionary of tensors, found dict"), (torch.ones(2), "found Tensor")],
)
def test_files_of_something_else(weights: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=message):
        convert_file(*written(tmp_path, weights), "torch-rechub")


def test_files_that_are_none_of_torch(tmp_path: Path) -> None:
    files = written(tmp_path, {})
    files[0].write_bytes(b"no weights")
    with pytest.raises(DeclarationError, match="is no file of weights"):
        convert_file(*files, "torch-rechub")
    with pytest.raises(DeclarationError, match="found 'torch_rechub'; did you mean 'torch-rechub'"):
        convert_file(*files, "torch_rechub")


def test_weights_need_a_specification(model: torch.nn.Module) -> None:
    with pytest.raises(DeclarationError, match="give a spec"):
        convert.torch_rechub(model.state_dict(), ["click", "rating"])


def test_a_source_counts_members_and_remembers() -> None:
    source = Source({"a.0.w": torch.ones(1), "a.1.w": torch.ones(1), "a.b": torch.ones(1)}, "it")
    assert (source.count("a"), source.count("b")) == (2, 0)
    source.take("a.0.w")
    source.pass_over("a.1")
    assert source.rest() == ["a.b"]


def test_the_command_writes_an_artefact(
    model: torch.nn.Module, rows: dict[str, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, spec = written(tmp_path, model.state_dict())
    given = [str(weights), "--from", "torch-rechub", "--spec", str(spec), "-o", str(tmp_path / "made")]
    result = CliRunner().invoke(app, ["convert", *given])
    assert result.exit_code == 0, result.output
    assert "shared_bottom with 3 features and 2 tasks" in result.stderr
    assert gw.load(tmp_path / "made").predict(rows).column_names == ["click", "rating"]
