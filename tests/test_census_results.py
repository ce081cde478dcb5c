"""The script behind the Census-Income section of docs/results, on a few of the real rows."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

import gatewise as gw
from gatewise.datasets import CENSUS_NOMINAL
from gatewise.jobs import Tables, find_tables


@pytest.fixture(scope="module")
def results():
    return import_module("census_results")


@pytest.mark.filterwarnings("ignore::gatewise.errors.GatewiseWarning")  # few rows
def test_the_section_of_a_few_rows(results, shared_data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("lightgbm")
    monkeypatch.setattr(results, "SAMPLES", 20)
    monkeypatch.setattr(results, "CHOOSING", results.CHOOSING[:1])
    recipe = results.recipe_of("income", shared_data("census_kdd"), ["training.epochs=1"])
    assert [feature.name for feature in recipe.features] == [n for n in CENSUS_NOMINAL if n in _names(recipe)]
    assert len(recipe.features) == len(CENSUS_NOMINAL)
    whole = find_tables(recipe, tmp_path)
    few = Tables(*(part.slice(0, 1_500) for part in whole.parts.values()))
    group = results.compared(recipe, few, tmp_path, 1, 1)
    assert list(group.found.cost) == ["MMoE", "shared bottom", "OMoE", "PLE", "single task", "LightGBM"]
    sizes = [size for cost in group.found.cost.values() for size in cost.parameters or ()]
    assert max(sizes) < 1.05 * min(sizes)
    assert not {*group.found.seeds} & {*results.CHOOSING}
    moved = results.ablation(recipe, few, tmp_path)
    text = results.section({"income": group}, moved)
    for name in group.found.cost:
        assert f"\n| {name} | 0." in text
        assert (f"\n| {name} | +" in text or f"\n| {name} | -" in text) == (name != "LightGBM")
    assert "\nincome, models that share, beside LightGBM: " in text
    for change in results.CHANGES:
        assert f"\n| {change} | " in text
    # what both sides say of every test row, averaged, is what the interval is drawn from
    labels = results.labels_of(group, "income")
    assert labels.sum() == sum(few.test["income"].to_pylist())
    # nothing is learnt again
    monkeypatch.setattr(results.Ranker, "fit", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setattr(results, "tuned_trees", lambda *_: pytest.fail("tuned again"))
    assert results.compared(recipe, few, tmp_path, 1, 1).found.over_trees == group.found.over_trees
    assert results.ablation(recipe, few, tmp_path) == moved


def _names(recipe: gw.Recipe) -> set[str]:
    return {feature.name for feature in recipe.features}
