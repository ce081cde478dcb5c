"""Names typed out of habit are answered with ours."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import gatewise as gw
from gatewise.aliases import OURS, ours_for
from gatewise.cli.hints import hint
from gatewise.declare import Recipe, from_dict, path_of
from gatewise.errors import DeclarationError, did_you_mean
from gatewise.estimator import INSTEAD

SCHEMA = gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Binary("y")])


@pytest.mark.parametrize(
    ("make", "meant"),
    [
        (lambda: gw.Ranker(SCHEMA, learning_rate=1), "lr"),
        (lambda: gw.Ranker(SCHEMA, early_stopping=3), "patience"),
        (lambda: gw.Ranker(SCHEMA, num_epochs=3), "epochs"),
        (lambda: gw.Ranker(SCHEMA, batchsize=3), "batch_size"),
        (lambda: gw.Ranker(SCHEMA, balance="uwl"), "uncertainty"),
        (lambda: gw.Categorical("u", embedding_dim=3), "dim"),
        (lambda: gw.MMoE(num_experts=3), "experts"),
        (lambda: gw.MMoE(expert_hidden_units=[3]), "expert_dims"),
        (lambda: gw.PLE(specific_expert_num=3), "own_experts"),
    ],
)
def test_what_others_call_an_option_is_answered_with_ours(make, meant):
    with pytest.raises(DeclarationError, match=f"did you mean '{meant}'\\?"):
        make()


def test_every_alias_is_of_an_option_or_kind_and_stands_once():
    options = {name for cls in vars(gw.declare).values() for name in getattr(cls, "__dataclass_fields__", {})}
    kinds = {
        cls.__dataclass_fields__["kind"].default
        for cls in vars(gw.declare).values()
        if isinstance(cls, type) and "kind" in getattr(cls, "__dataclass_fields__", {})
    }
    assert set(OURS) - {"adamw"} <= options | kinds
    theirs = [name for names in OURS.values() for name in names]
    assert len(theirs) == len(set(theirs))
    # a name of ours is never read as another of ours
    assert not set(theirs) & set(OURS)


def test_a_name_is_translated_only_where_ours_is_known():
    assert ours_for("Learning-Rate", ["lr"]) == "lr"
    assert ours_for("learning_rate", ["dim"]) is None
    assert did_you_mean("learning_rate", ["dim", "learning_rat"]) == "; did you mean 'learning_rat'?"


def test_an_unknown_option_lists_those_there_are():
    with pytest.raises(DeclarationError, match=r"unknown option \(options: .*expert_dims.*\)"):
        gw.MMoE(zzz=1)


@pytest.mark.parametrize(
    ("options", "meant"), [({"epochs": 3}, "training.epochs"), ({"learning_rate": 1}, "training.lr")]
)
def test_an_option_in_the_wrong_place_of_a_recipe_is_shown_its_place(options, meant):
    values = {
        "data": {"train": "a.csv"},
        "features": [{"kind": "numeric", "name": "x"}],
        "tasks": [{"kind": "binary", "name": "y"}],
    }
    with pytest.raises(DeclarationError, match=f"unknown option; did you mean '{meant}'"):
        from_dict(Recipe, values | options)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "a.yaml", "--epochs", "3"], "--set training.epochs=3"),
        (["train", "a.yaml", "--batch-size=64"], "--set training.batch_size=64"),
        (["train", "a.yaml", "--learning-rate"], "--set training.lr=VALUE"),
        (["train", "a.yaml", "--nothing"], ""),
        (["train", "--", "epochs"], ""),
    ],
)
def test_an_option_of_the_recipe_is_no_option_of_the_command(arguments, said):
    assert hint(arguments) == (f"hint: an option of the recipe goes by {said}" if said else "")


def test_the_path_of_an_option_that_no_part_has():
    assert path_of(Recipe, "zzz") is None


def test_python_runs_the_package_and_says_what_to_type_instead():
    command = [sys.executable, "-m", "gatewise", "train", "recipe.yaml", "--epochs", "3"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "hint: an option of the recipe goes by --set training.epochs=3" in found.stderr


def test_modules_are_there_after_the_import_and_names_are_corrected():
    command = "import gatewise as gw; print(gw.datasets.__name__, gw.declare.__name__, gw.nn.__name__)"
    found = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["gatewise.datasets", "gatewise.declare", "gatewise.nn"]
    with pytest.raises(AttributeError, match="has no attribute 'MMoe'; did you mean 'MMoE'"):
        _ = gw.MMoe


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"device": "gpu"},
            "Training.device: expected 'auto', 'cpu', 'mps', 'cuda' or one such as 'cuda:0', found 'gpu'",
        ),
        (
            {"monitor": "auc"},
            "Training.monitor: expected 'mean', or a task and a metric such as 'click.auc', found 'auc'",
        ),
    ],
)
def test_no_message_shows_a_regular_expression(options, said):
    with pytest.raises(DeclarationError) as caught:
        gw.Ranker(SCHEMA, **options)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", INSTEAD)
def test_methods_known_from_elsewhere_are_answered_with_what_to_call(name):
    ranker = gw.Ranker(SCHEMA)
    assert not hasattr(ranker, name)
    with pytest.raises(AttributeError, match=re.escape(INSTEAD[name])):
        getattr(ranker, name)
    named = re.findall(r"\b(?:predict|evaluate|update|summary|save|fit|model|feature_importance)\b", INSTEAD[name])
    assert named or "gatewise.load" in INSTEAD[name] or "compile=True" in INSTEAD[name]
    assert all(word in dir(gw.Ranker) for word in named)


def test_a_misspelt_method_has_its_nearest_name():
    with pytest.raises(AttributeError, match=r"^Ranker has no 'evalute'; did you mean 'evaluate'\?$"):
        _ = gw.Ranker(SCHEMA).evalute
    with pytest.raises(AttributeError, match=r"^Ranker has no '_repr_latex_'$"):
        _ = gw.Ranker(SCHEMA)._repr_latex_
