"""Where options are searched: what is searched by default fits every architecture, and mistakes are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatewise.declare import Between, OneOf, Recipe, from_dict, read_values, search_space, to_dict, with_option
from gatewise.declare.search_space import DEFAULTS
from gatewise.errors import DeclarationError

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
VALUES: dict[str, Any] = {
    "data": {"train": "t.parquet", "valid": "v.parquet"},
    "features": [
        {"kind": "categorical", "name": "user", "dim": 4},
        {"kind": "categorical", "name": "friend", "shares": "user"},
        {"kind": "numeric", "name": "price"},
    ],
    "tasks": [{"kind": "binary", "name": "click"}, {"kind": "regression", "name": "stars"}],
}


def declared(**more: Any) -> Recipe:
    return from_dict(Recipe, {**VALUES, **more})


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_default_value_fits_every_architecture(path: Path) -> None:
    values, recipe = read_values(path), Recipe.read(path)
    space = search_space(recipe)
    assert "training.lr" in space
    for option, given in space.items():
        for value in given.values if isinstance(given, OneOf) else (given.low, given.high):
            changed = from_dict(Recipe, with_option(recipe, values, option, value))
            assert changed != recipe or value in (1, 4) or to_dict(changed) == to_dict(recipe)


def test_a_recipe_says_where_to_look_and_where_not() -> None:
    own = {"training.lr": ["1e-4", 1e-2, "log"], "model.experts": [3, 5], "balance": [], "features.user.dim": [2, 4]}
    recipe = declared(model="mmoe", tune={**own, "training.epochs": [2, 9, "even"]})
    space = search_space(recipe)
    assert space["training.lr"] == Between(1e-4, 1e-2, log=True)
    assert space["training.epochs"].whole
    assert space["model.experts"] == OneOf((3, 5))
    assert space["features.user.dim"] == OneOf((2, 4))
    assert not {"balance", "features.*.dim", "model.members"} & set(space)
    assert set(search_space(declared())) <= set(DEFAULTS)
    assert "model.members" in search_space(declared())
    assert from_dict(Recipe, to_dict(recipe)) == recipe
    # what a recipe declares is among what is tried by default
    assert search_space(declared(model={"kind": "mmoe", "experts": 5}))["model.experts"] == OneOf((2, 4, 8, 5))
    assert search_space(declared(balance="upgrad"))["balance"].values[-1] == "upgrad"
    hash(recipe)


def test_one_option_is_changed_and_the_rest_stays() -> None:
    recipe = declared(model="mmoe")
    values = {**VALUES, "model": "mmoe"}
    assert with_option(recipe, values, "model.experts", 2)["model"] == {"kind": "mmoe", "experts": 2}
    assert with_option(recipe, values, "training.lr", 0.1)["training"] == {"lr": 0.1}
    assert with_option(recipe, values, "balance", "dwa")["balance"] == "dwa"
    wide = with_option(recipe, values, "features.*.dim", 9)["features"]
    # neither a feature that reads another's table nor a plain number has a width
    assert [feature.get("dim") for feature in wide] == [9, None, None]
    # the default model is no textbook's: its other options stay
    whole = declared()
    changed = from_dict(Recipe, with_option(whole, VALUES, "model.shared_experts", 3))
    assert (changed.model.id_dropout, changed.model.shared_experts) == (20.0, 3)
    assert values == {**VALUES, "model": "mmoe"}


@pytest.mark.parametrize(
    ("tune", "message"),
    [
        ({"training.rl": [1, 2]}, "no option 'training.rl'; did you mean 'training.lr'"),
        ({"features.usr.dim": [1, 2]}, "did you mean 'features.user.dim'"),
        ({"training.lr": [1, 2, 3, "log"]}, r"training.lr: expected \[low, high, log\] with two numbers"),
        ({"training.lr": [0.0, 1.0, "log"]}, r"training.lr: expected low below high, above 0 for log"),
        ({"training.lr": [2, 1, "even"]}, r"training.lr: expected low below high, found"),
        ({"training.lr": [1]}, "training.lr: expected two values or more"),
    ],
)
def test_a_mistake_is_named_by_its_path(tune: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        declared(tune=tune)


def test_the_page_has_every_default_range() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tune.md").read_text(encoding="utf-8")
    table = page.partition("<!-- ranges: begin -->")[2].partition("<!-- ranges: end -->")[0]
    rows = [f"| `{path}` | `{json.dumps(given)}` |" for path, given in DEFAULTS.items()]
    assert table.strip().splitlines()[2:] == rows


def test_the_page_s_example_is_a_valid_space() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tune.md").read_text(encoding="utf-8")
    tune = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])["tune"]
    features = [{"kind": "categorical", "name": "user_id"}]
    space = search_space(from_dict(Recipe, {**VALUES, "features": features, "model": "mmoe", "tune": tune}))
    assert space["training.epochs"] == Between(5, 40, log=False)
    assert "balance" not in space
