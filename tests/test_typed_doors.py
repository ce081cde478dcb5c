"""What people type is checked as they type it: mypy, editors and help know every option."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import gatewise as gw
from gatewise import declare

WRONG = """
import gatewise as gw

schema = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click")])
gw.Ranker(schema, gw.MMoE(), epochs=5, lr=0.01, schedule="cosine", patience=None)
gw.Ranker(schema, gw.MMoE(), epoch=5)  # unknown
gw.Ranker(schema, gw.MMoE(), lr="fast")  # another type
gw.compare("recipe.yaml", seeds=3, also=["ple"])
gw.compare("recipe.yaml", sedes=3)  # unknown
"""


def test_mypy_finds_wrong_options(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--no-incremental", "wrong.py"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    errors = [line for line in found.splitlines() if ": error:" in line]
    assert [line.split(":")[1] for line in errors] == ["6", "7", "9"], found
    for line, option in zip(errors, ["epoch", "lr", "sedes"], strict=True):
        assert f'"{option}"' in line


@pytest.mark.parametrize(
    ("options", "declaration"), [(declare.TrainingOptions, declare.Training), (declare.UpdateOptions, declare.Update)]
)
def test_typed_options_are_the_declared_ones(options: type, declaration: type) -> None:
    typed = typing.get_type_hints(options)
    declared = typing.get_type_hints(declaration)
    assert typed.keys() == declared.keys()
    for name, hint in typed.items():
        # a schedule may also be named
        named = {"step", "cosine", "plateau"} if name == "schedule" else set()
        assert set(_leaves(hint)) == set(_leaves(declared[name])) | named, name


def _leaves(hint: object) -> list[object]:
    parts = typing.get_args(hint)
    return [hint] if not parts else [leaf for part in parts for leaf in _leaves(part)]


@pytest.mark.parametrize("name", ["epochs", "batch_size", "lr", "seed"])
def test_help_shows_every_option(name: str) -> None:
    signature = inspect.signature(gw.Ranker)
    assert list(signature.parameters)[:4] == ["schema", "model", "balance", "fusion"]
    assert list(signature.parameters)[4:] == list(declare.TrainingOptions.__annotations__)
    assert signature.parameters[name].default == getattr(declare.Training(), name)
