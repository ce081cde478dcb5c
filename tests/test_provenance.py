"""An artefact says when, by what and from which rows it was trained, and what it was updated from."""

from __future__ import annotations

import datetime
import json
import platform
import subprocess
from pathlib import Path

import torch

import gatewise as gw
from gatewise.provenance import Origin, Provenance, RecipeFile, commit_of, trained_now

EARLIER = Path(__file__).parent / "serving" / "earlier"


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_a_fit_says_when_by_what_and_from_which_rows(feed, make_ranker, tmp_path):
    train, valid = feed.slice(0, 1000), feed.slice(1000, 300)
    ranker = make_ranker(epochs=1)
    assert ranker.provenance is None
    known = ranker.fit(train, valid).provenance
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(known.trained)
    assert datetime.timedelta(0) <= age < datetime.timedelta(minutes=1)
    assert known.versions["torch"].startswith(torch.__version__.partition("+")[0])
    assert (known.versions["gatewise"], known.versions["python"]) == (gw.__version__, platform.python_version())
    assert {part: seen.rows for part, seen in known.data.items()} == {"training": 1000, "validation": 300}
    assert known.parents == ()
    ranker.save(tmp_path / "saved")
    assert gw.load(tmp_path / "saved").provenance == known
    # the same rows have the same fingerprint, other rows another one, and every training a name of its own
    again, other = make_ranker(epochs=1).fit(train, valid), make_ranker(epochs=1).fit(feed.slice(1, 1000), valid)
    assert again.provenance.data == known.data != other.provenance.data
    assert again.provenance.id != known.id


def test_an_update_keeps_the_chain_of_what_it_went_on_from(feed, make_ranker, tmp_path):
    first = make_ranker(epochs=1).fit(feed.slice(0, 1000))
    first.save(tmp_path / "first")
    second = gw.load(tmp_path / "first").update(feed.slice(1000, 500), progress=False)
    second.save(tmp_path / "second")
    third = gw.load(tmp_path / "second").update(feed.slice(1500, 400), progress=False)
    chain = third.provenance.parents
    assert [parent.id for parent in chain] == [first.provenance.id, second.provenance.id]
    assert [parent.data["training"].rows for parent in chain] == [1000, 500]
    assert third.provenance.data["training"].rows == 400
    # a new training of the same ranker begins a chain anew
    reloaded = gw.load(tmp_path / "second").fit(feed.slice(0, 500), fresh=True)
    assert reloaded.provenance.parents == ()


def test_a_recipe_stands_once_in_a_chain():
    recipe, other = RecipeFile("a.yaml", "lr: 1"), RecipeFile("b.yaml", "lr: 2")
    first = Provenance("1", recipe=recipe)
    second = Provenance("2").updated_from(first)
    assert (second.recipe, second.parents) == (recipe, (Origin("1"),))
    third = Provenance("3", recipe=other).updated_from(second)
    assert (third.recipe, third.parents) == (other, (Origin("1"), Origin("2", recipe=recipe)))
    assert Provenance("4").updated_from(None) == Provenance("4")


def test_an_artefact_of_an_earlier_version_says_versions_alone(feed):
    ranker = gw.load(EARLIER / "events" / "artefact")
    saved = json.loads((EARLIER / "events" / "artefact" / "metrics.json").read_text())
    assert ranker.provenance.versions == saved["made"]
    assert {part: seen.rows for part, seen in ranker.provenance.data.items()} == saved["rows"]
    assert "provenance" not in ranker.metrics
    assert trained_now({}, ranker.provenance).parents[0].trained is None


def test_the_commit_is_the_folders_and_says_what_is_not_committed(tmp_path):
    assert commit_of(tmp_path) is None
    assert commit_of(tmp_path / "absent") is None
    git(tmp_path, "init", "-q")
    # a repository without a commit
    assert commit_of(tmp_path) is None
    (tmp_path / "recipe.yaml").write_text("a: 1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    assert commit_of(tmp_path) == git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "recipe.yaml").write_text("a: 2")
    assert commit_of(tmp_path) == git(tmp_path, "rev-parse", "HEAD") + "-dirty"


def test_git_that_is_absent_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(Path(__file__).parent) is None
