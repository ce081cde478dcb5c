"""Every recipe in ``recipes/datasets`` reads what its reader gives and, where the real data are at hand, learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
import torch

import gatewise as gw
from gatewise.datasets import CENSUS_NOMINAL, CENSUS_NUMERIC
from gatewise.jobs import find_tables
from gatewise.ranker import Ranker

FOLDER = Path(__file__).parents[1] / "recipes" / "datasets"
RECIPES = sorted(FOLDER.glob("*.yaml"))
CENSUS = ["census_education", "census_income"]
KUAIRAND = (131_352, 18_536, 30_134)
# fmt: off
ALI_CCP = [
    "click", "purchase", "101", "121", "122", "124", "125", "126", "127", "128", "129", "205", "206", "207",
    "210", "216", "508", "509", "702", "853", "301", "109_14", "110_14", "127_14", "150_14", "D109_14",
    "D110_14", "D127_14", "D150_14", "D508", "D509", "D702", "D853",
]
# fmt: on


def read(stem: str, *overrides: str) -> gw.Recipe:
    return gw.Recipe.read(FOLDER / f"{stem}.yaml", overrides)


def names(recipe: gw.Recipe, what: str) -> list[str]:
    return [declared.name for declared in getattr(recipe, what)]


def test_the_recipes_of_real_data():
    assert [path.stem for path in RECIPES] == ["ali_ccp", *CENSUS, "kuairand", "kuairand_funnel"]
    for path in RECIPES:
        assert read(path.stem).output == f"runs/{path.stem}"


@pytest.mark.parametrize("stem", CENSUS)
def test_census_has_the_features_and_tasks_of_the_paper(stem: str):
    recipe = read(stem)
    assert sorted(names(recipe, "features")) == sorted((*CENSUS_NUMERIC, *CENSUS_NOMINAL))
    assert names(recipe, "tasks") == [{"census_income": "income", "census_education": "college"}[stem], "never_married"]


@pytest.mark.filterwarnings("ignore:task 'purchase'.*without 'click'")  # what is made up knows no funnel
def test_ali_ccp_is_plain_csv(tmp_path: Path):
    recipe = read("ali_ccp", *(f"data.{part}={part}.csv" for part in ("train", "valid", "test")), "training.epochs=1")
    assert [*names(recipe, "tasks"), *names(recipe, "features")] == ALI_CCP
    rng = np.random.default_rng(0)
    for part in ("train", "valid", "test"):
        ids, weights = rng.integers(0, 9, (300, 25)), rng.random((300, 8)).round(4)
        ids[:, :2] = rng.random((300, 2)) < [0.3, 0.1]
        columns = [*ids.T, *weights.T]
        pyarrow.csv.write_csv(pa.table(dict(zip(ALI_CCP, columns, strict=True))), tmp_path / f"{part}.csv")
    tables = find_tables(recipe, tmp_path)
    ranker = Ranker.from_options(recipe.schema(), recipe).fit(tables.train, tables.valid, progress=False)
    assert ranker.predict(tables.test).column_names == ["click", "purchase_given_click", "click_and_purchase"]


@pytest.mark.filterwarnings("ignore:expert .* is dead")  # after one epoch
@pytest.mark.filterwarnings("ignore:the gate of task")
@pytest.mark.filterwarnings("ignore:task .*:gatewise.errors.GatewiseWarning")  # long views without a click
@pytest.mark.parametrize(
    ("stem", "folder", "sizes", "least"),
    [
        ("kuairand", "kuairand_pure", KUAIRAND, {"click": 0.70, "long_view": 0.70, "like": 0.65}),
        ("kuairand_funnel", "kuairand_pure", KUAIRAND, {"click": 0.70, "click_and_long_view": 0.70, "like": 0.65}),
        ("census_income", "census_kdd", (159_618, 19_953, 19_952), {"income": 0.88, "never_married": 0.97}),
        ("census_education", "census_kdd", (159_618, 19_953, 19_952), {"college": 0.84, "never_married": 0.97}),
    ],
)
def test_a_recipe_learns_from_real_data_in_one_epoch(stem: str, folder: str, sizes, least, shared_data):
    recipe = read(stem, f"data.path={shared_data(folder)}", "training.epochs=1")
    if folder == "census_kdd":  # has no numeric attributes
        recipe = replace(recipe, features=[f for f in recipe.features if f.name not in CENSUS_NUMERIC])
    tables = find_tables(recipe, FOLDER)
    assert (tables.train.num_rows, tables.valid.num_rows, tables.test.num_rows) == sizes
    torch.manual_seed(0)
    ranker = Ranker.from_options(recipe.schema(), recipe).fit(tables.train, tables.valid, progress=False)
    metrics = ranker.evaluate(tables.test)
    for task, auc in least.items():
        assert metrics[task]["auc"] > auc
    assert ("gauc" in next(iter(metrics.values()))) == (recipe.group is not None)


def test_the_two_recipes_of_kuairand_differ_in_their_tasks_alone():
    plain, funnel = read("kuairand"), read("kuairand_funnel")
    assert plain.group == "user_id"
    assert replace(funnel, tasks=plain.tasks, output=plain.output) == plain
    steps = {task.name: task.after for task in funnel.tasks if isinstance(task, gw.Binary) and task.after}
    assert steps == {"long_view": "click", "comment": "click"}
