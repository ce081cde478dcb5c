"""The reference is that of the code: pages are as they would be written now, and every recipe is one of the schema."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import proof_chart
import pytest

import gatewise as gw
from gatewise.declare.base import read_yaml
from gatewise.declare.json_schema import declarations, recipe_schema
from gatewise.declare.meanings import KIND, meanings

ROOT = Path(__file__).resolve().parent.parent
RECIPES = [*sorted((ROOT / "recipes").rglob("*.yaml")), *sorted((ROOT / "src/gatewise/recipes").glob("*.yaml"))]


def read(path: Path) -> Any:
    return as_an_editor_reads(read_yaml(path.read_text(encoding="utf-8"), str(path)))


def as_an_editor_reads(value: Any) -> Any:
    """Return values with ``1e-3`` as a number and a date as text, which they are in YAML 1.2 and not in ours."""
    if isinstance(value, dict):
        return {name: as_an_editor_reads(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_an_editor_reads(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, str) and re.fullmatch(r"\d+e-?\d+", value) else value


def mistakes(recipe: Any) -> list[str]:
    return [str(error.message) for error in jsonschema.Draft202012Validator(recipe_schema()).iter_errors(recipe)]


def test_pages_and_schema_are_those_of_the_code() -> None:
    # a process of its own: others register kinds of their own in this one
    command = [sys.executable, "scripts/reference_pages.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"python scripts/reference_pages.py writes anew: {done.stdout}{done.stderr}"


def test_the_chart_has_the_figures_of_the_results() -> None:
    for language in proof_chart.TITLES:
        drawn = (proof_chart.IMAGES / f"proof{language}.svg").read_text(encoding="utf-8")
        for bars in proof_chart.shown(language):
            assert all(f">{value:,.0f}</text>" in drawn for value in bars.values())


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_one_of_the_schema_and_names_it(path: Path) -> None:
    assert mistakes(read(path)) == []
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == ROOT / "recipes" / "schema.json"


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("epohcs", 3),
        ("training.epohcs", 3),
        ("training.epochs", "many"),
        ("training.batch_size", 0),
        ("model.kind", "mmeo"),
        ("balance", "uncertain"),
        ("tasks", [{"kind": "binary"}]),
    ],
)
def test_an_editor_finds_what_gatewise_refuses(where: str, value: Any) -> None:
    recipe = read(ROOT / "recipes" / "mmoe.yaml")
    *parents, last = where.split(".")
    inside = recipe
    for parent in parents:
        inside = inside[parent]
    inside[last] = value
    assert mistakes(recipe)
    with pytest.raises(gw.GatewiseError):
        gw.Recipe.read(ROOT / "recipes" / "mmoe.yaml", [f"{where}={json.dumps(value)}"])


@pytest.mark.parametrize("cls", [*declarations(gw.Recipe)], ids=lambda cls: cls.__name__)
def test_help_names_every_option_with_its_meaning(cls: Any) -> None:
    known = meanings(cls)
    text = inspect.getdoc(cls) or ""
    for name in (option.name for option in fields(cls) if option.name != KIND):
        assert f"    {name}: {known[name].split()[0]}" in text


def test_the_command_prints_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from gatewise.cli.schema import schema

    schema(None)
    assert json.loads(capsys.readouterr().out) == recipe_schema()
    schema(tmp_path / "recipe.json")
    assert json.loads((tmp_path / "recipe.json").read_text(encoding="utf-8")) == recipe_schema()
    assert "$schema=recipe.json" in capsys.readouterr().out


def test_a_kind_of_ones_own_has_help_and_is_part_of_the_schema() -> None:
    @gw.register("for_the_reference")
    class Mine(gw.nn.Trunk):
        """A trunk of one's own."""

        def __init__(self, input_dim: int, num_tasks: int, *, width: int = 32) -> None:
            super().__init__()

    text = type(Mine.declared()).__doc__ or ""
    assert text.startswith("A trunk of one's own.")
    assert "    width: " in text
    recipe = read(ROOT / "recipes" / "mmoe.yaml") | {"model": {"kind": "for_the_reference", "width": 8}}
    assert mistakes(recipe) == mistakes(recipe | {"model": "for_the_reference"}) == []
    assert mistakes(recipe | {"model": {"kind": "for_the_reference", "wdith": 8}})
    assert mistakes(recipe | {"model": "for_the_referenec"})
