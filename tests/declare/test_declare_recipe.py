from __future__ import annotations

import datetime

import pytest

from gatewise.declare import (
    DEFAULT_MODEL,
    Binary,
    Categorical,
    Cosine,
    Data,
    Numeric,
    Recipe,
    Regression,
    Schema,
    SharedBottom,
    Split,
    Static,
    Training,
    Uncertainty,
)
from gatewise.errors import DeclarationError

GOOD = """
data:
  table: ratings.csv
  split: {time: timestamp, valid: 0.2}
features:
  - {kind: categorical, name: user, dim: 4}
  - {kind: numeric, name: age, transform: log}
tasks:
  - {kind: binary, name: liked}
  - {kind: regression, name: rating, weight: 0.5}
model: {kind: shared_bottom, bottom_dims: [8, 4], dropout: 1e-1}
balance: uncertainty
training: {lr: 1e-3, epochs: 3, schedule: {kind: cosine, floor: 1e-2}}
output: runs/one
"""
SHORT = """
data: {train: a.csv}
features: [{kind: categorical, name: user}]
tasks: [{kind: binary, name: liked}]
"""


def read(folder, text):
    path = folder / "recipe.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Recipe.read(path)


def problems(folder, text):
    with pytest.raises(DeclarationError) as caught:
        read(folder, text)
    start = f"{folder / 'recipe.yaml'}: "
    lines = str(caught.value).splitlines()
    assert all(line.startswith(start) for line in lines)
    return sorted(line.removeprefix(start) for line in lines)


def test_a_good_recipe(tmp_path):
    recipe = read(tmp_path, GOOD)
    schema = Schema(
        features=[Categorical("user", dim=4), Numeric("age", transform="log")],
        tasks=[Binary("liked"), Regression("rating", 0.5)],
    )
    assert recipe == Recipe(
        data=Data(table="ratings.csv", split=Split("timestamp", valid=0.2)),
        features=schema.features,
        tasks=schema.tasks,
        model=SharedBottom(bottom_dims=[8, 4], dropout=0.1),
        balance=Uncertainty(),
        training=Training(lr=0.001, epochs=3, schedule=Cosine(floor=0.01)),
        output="runs/one",
    )
    assert recipe.schema() == schema


def test_what_a_recipe_leaves_out_has_the_defaults_of_python(tmp_path):
    recipe = read(tmp_path, SHORT)
    assert (recipe.model, recipe.balance, recipe.training) == (DEFAULT_MODEL, Static(), Training())


@pytest.mark.parametrize("kind", ["mmoe", "omoe", "shared_bottom", "single_task"])
def test_a_model_goes_by_its_name(tmp_path, kind):
    assert read(tmp_path, SHORT + f"model: {kind}").model.kind == kind


def test_all_mistakes_are_told_at_once_each_with_its_path(tmp_path):
    text = """
data: {train: a.csv, tset: b.csv}
features:
  - {kind: categorical, name: user, dmi: 4}
  - {kind: numeric, name: age, transform: lgo}
  - {kind: vectr, name: text}
tasks:
  - {kind: regression, name: rating, weight: -1}
model: {kind: mmoe, expert_dims: [8, 0]}
balance: uncertanty
training: {lr: fast, schedule: {kind: cosine, flor: 1}}
outptu: there
"""
    found = problems(tmp_path, text)
    assert [line.split(": ")[0] for line in found] == [
        "Recipe.balance",
        "Recipe.data.tset",
        "Recipe.features[0].dmi",
        "Recipe.features[1].transform",
        "Recipe.features[2]",
        "Recipe.model.expert_dims[1]",
        "Recipe.outptu",
        "Recipe.tasks[0].weight",
        "Recipe.training.lr",
        "Recipe.training.schedule.flor",
    ]
    nearest = ["uncertainty", "test", "dim", "log", "vector", None, "output", None, None, "floor"]
    for line, name in zip(found, nearest, strict=True):
        assert line.endswith(f"did you mean {name!r}?") if name else "did you mean" not in line


def test_mistakes_of_the_schema_are_mistakes_of_the_recipe(tmp_path):
    [line] = problems(tmp_path, SHORT.replace("name: user", "name: liked"))
    assert line.endswith("feature 'liked' reads 'liked', which is the label of task 'liked'")


@pytest.mark.parametrize("text", ["", "just text", "[1, 2]", "3"])
def test_a_recipe_is_a_mapping(tmp_path, text):
    assert problems(tmp_path, text) == ["expected a mapping with data, features and tasks"]


def test_a_key_that_is_no_text_is_named(tmp_path):
    [line] = problems(tmp_path, SHORT + "1: 2")
    assert "keys should be strings" in line


def test_not_yaml(tmp_path):
    [line] = problems(tmp_path, "data: [1\nfeatures: 2")
    assert line.startswith("line 2, column 9 is not valid YAML")


def test_not_utf8(tmp_path):
    with pytest.raises(DeclarationError, match=r"recipe '.*recipe\.yaml' is not UTF-8 text"):
        read(tmp_path, "output: né".encode("latin1"))


@pytest.mark.parametrize("name", ["none.yaml", "."])
def test_a_file_that_cannot_be_read(tmp_path, name):
    with pytest.raises(DeclarationError, match=r"cannot read recipe '.*': (No such file|Is a directory)"):
        Recipe.read(tmp_path / name)


SPLIT = Split("t")


@pytest.mark.parametrize(
    "options",
    [
        {"train": "a"},
        {"train": "a", "valid": "b", "test": "c"},
        {"table": "a", "split": SPLIT},
        {"dataset": "movielens", "split": SPLIT},
        {"dataset": "movielens", "split": SPLIT, "path": "b"},
        {"dataset": "kuairand", "split": SPLIT, "path": "b"},
        {"dataset": "census", "split": Split(seed=0), "path": "b"},
    ],
)
def test_data_has_one_source(options):
    assert {name: getattr(Data(**options), name) for name in options} == options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "expected exactly one of train, table and dataset, found none"),
        ({"split": SPLIT}, "expected exactly one of train, table and dataset, found none"),
        ({"train": "a", "table": "b", "split": SPLIT}, "found train and table"),
        ({"train": "a", "dataset": "movielens"}, "found train and dataset"),
        ({"table": "a", "dataset": "movielens", "split": SPLIT}, "found table and dataset"),
        ({"table": "a"}, "table needs a split"),
        ({"dataset": "movielens"}, "dataset needs a split"),
        ({"table": "a", "split": SPLIT, "valid": "b"}, "valid is a file beside train"),
        ({"dataset": "movielens", "split": SPLIT, "test": "b"}, "test is a file beside train"),
        ({"train": "a", "split": SPLIT}, "split cuts a table or a dataset"),
        ({"train": "a", "path": "b"}, "path belongs to dataset"),
        ({"table": "a", "split": SPLIT, "path": "b"}, "path belongs to dataset"),
        ({"dataset": "kuairand", "split": SPLIT}, "dataset 'kuairand' needs path, the folder or archive"),
        ({"dataset": "census", "split": SPLIT}, "dataset 'census' needs path"),
        ({"dataset": "movielense", "split": SPLIT}, r"dataset: .*did you mean 'movielens'\?"),
    ],
)
def test_data_of_no_or_two_sources_is_an_error(options, message):
    with pytest.raises(DeclarationError, match=message):
        Data(**options)


@pytest.mark.parametrize(("valid", "test"), [(0.5, 0.5), (0.9, 0.2)])
def test_a_split_leaves_rows_for_training(valid, test):
    with pytest.raises(DeclarationError, match=r"Split: .*leave no rows for training"):
        Split("t", valid, test)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Split: expected a column as time, or a seed for a split at random, found neither"),
        ({"valid": 0.2}, "found neither"),
        ({"time": "t", "seed": 0}, "found both"),
        ({"time": "t", "group": "u"}, "Split: group 'u' is kept whole by a split at random: give seed instead of time"),
        ({"seed": -1}, r"Split\.seed: .*greater than or equal to 0"),
        ({"seed": 0, "valid_from": 3}, "valid_from is a value of time; a split at random goes by shares"),
        ({"time": "t", "test_from": 3, "valid": 0.1}, "expected times or shares, found test_from and valid"),
        ({"time": "t", "valid_from": 3, "test_from": 3}, "expected valid_from before test_from, found 3 and 3"),
        ({"time": "t", "valid_from": "b", "test_from": "a"}, "expected valid_from before test_from, found b and a"),
        ({"time": "t", "valid_from": "b", "test_from": 3}, "cannot compare valid_from 'b' and test_from 3"),
        ({"time": "t", "valid_form": 3}, r"Split\.valid_form: unknown option; did you mean 'valid_from'\?"),
        ({"time": "t", "valid_from": [3]}, "valid_from"),
    ],
)
def test_a_split_that_is_not_one_way_to_cut(options, message):
    with pytest.raises(DeclarationError, match=message):
        Split(**options)


@pytest.mark.parametrize(
    ("written", "bound"),
    [
        ("20220503", 20220503),
        ("1.5", 1.5),
        ("2022-05-03", "2022-05-03"),
        ("2022-05-03 12:00:00", "2022-05-03T12:00:00"),
        ('"2022-05"', "2022-05"),
    ],
)
def test_bounds_are_numbers_or_text(tmp_path, written, bound):
    text = GOOD.replace("{time: timestamp, valid: 0.2}", f"{{time: day, valid_from: {written}}}")
    split = read(tmp_path, text).data.split
    assert (split.valid_from, type(split.valid_from), split.test_from) == (bound, type(bound), None)
    assert split.at_times


def test_a_date_is_kept_as_text():
    day = datetime.date(2022, 5, 3)
    assert Split("t", valid_from=day, test_from="2022-05-04") == Split(
        "t", valid_from="2022-05-03", test_from="2022-05-04"
    )


def test_shares_have_defaults():
    assert Split("t").shares == Split(seed=1).shares == (0.1, 0.1)
    assert Split("t", test=0).shares == (0.1, 0)
    assert not Split("t").at_times


def test_a_model_that_does_not_fit_the_tasks_is_told_with_its_option(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "data: {train: a.csv}\nfeatures: [{kind: categorical, name: user}]\n"
        "tasks: [{kind: binary, name: click}, {kind: binary, name: buy}]\nmodel: {kind: aitm, order: [clik, buy]}\n"
    )
    with pytest.raises(DeclarationError) as caught:
        Recipe.read(path)
    expected = "Recipe: model: order: no task 'clik' (tasks: click, buy); did you mean 'click'?"
    assert str(caught.value) == f"{path}: {expected}"
