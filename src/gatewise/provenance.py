"""Where a trained model comes from: when, by which versions and recipe, from which rows and earlier trainings."""

from __future__ import annotations

import datetime
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from gatewise.version import versions

GIT = ("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
GIT_SECONDS = 10


@dataclass(frozen=True)
class RowsSeen:
    """The rows of one part of a training, such as its validation rows.

    Attributes:
        rows: number of rows.
        digest: fingerprint of the encoded rows: the same encoder and rows give the same digest; None: not known.
        time: the column of times; None: no column is known to hold them.
        begin: the earliest time in this column.
        end: the latest time in this column.
    """

    rows: int
    digest: str | None = None
    time: str | None = None
    begin: str | None = None
    end: str | None = None


@dataclass(frozen=True)
class RecipeFile:
    """A recipe as a person wrote it.

    Attributes:
        name: name of the file.
        text: the whole file, with its comments.
        overrides: the options that were given beside the file, such as ``training.epochs=3``.
    """

    name: str
    text: str
    overrides: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path, overrides: Sequence[str] = ()) -> RecipeFile:
        """Return the content of a file that was read as a recipe before."""
        return cls(path.name, path.read_text(encoding="utf-8"), tuple(overrides))


@dataclass(frozen=True)
class Origin:
    """Where the weights of one training come from.

    Attributes:
        id: name of this training, which no other one has; None: the training is older than such names.
        trained: when the training ended, in UTC, such as ``2026-11-29T10:15:03+00:00``; None: not known.
        versions: versions of Gatewise, PyTorch, NumPy and Python, by name.
        commit: git commit of the recipe's folder or, without a recipe, of the working directory; ``-dirty`` behind it
            where tracked files differ from the commit; None: no repository.
        recipe: the recipe as written; None: trained from Python, or, of a parent, the recipe of the training after it.
        data: the rows by part: ``training``, ``validation``, ``test``.
    """

    id: str | None = None
    trained: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    recipe: RecipeFile | None = None
    data: Mapping[str, RowsSeen] = field(default_factory=dict)


@dataclass(frozen=True)
class Provenance(Origin):
    """Where a model comes from: the training that made its weights, and the trainings that this one went on from.

    Attributes:
        parents: what the model was updated from, the oldest training first; empty: trained from nothing.
    """

    parents: tuple[Origin, ...] = ()

    def updated_from(self, parent: Provenance | None) -> Provenance:
        """Return this provenance of a training that went on from another one's weights; None: nothing is known of it.

        Without a recipe of its own an update has its parent's.
        """
        if parent is None:
            return self
        recipe = parent.recipe if self.recipe is None else self.recipe
        own = {name: value for name, value in vars(parent).items() if name != "parents"}
        if own["recipe"] == recipe:
            own["recipe"] = None
        return replace(self, recipe=recipe, parents=(*parent.parents, Origin(**own)))

    def written_as(self, recipe: RecipeFile, commit: str | None) -> Provenance:
        """Return this provenance with the recipe, and the commit of the recipe's folder."""
        return replace(self, recipe=recipe, commit=commit)

    def with_period(self, part: str, time: str, begin: str, end: str, rows: int) -> Provenance:
        """Return this provenance with the earliest and the latest time of a part, which is new or known already."""
        seen = replace(self.data.get(part, RowsSeen(rows)), time=time, begin=begin, end=end)
        return replace(self, data={**self.data, part: seen})


def trained_now(data: Mapping[str, RowsSeen], parent: Provenance | None = None) -> Provenance:
    """Return the provenance of a training that has just ended, from the working directory's commit.

    Args:
        data: the rows by part.
        parent: provenance of the weights that the training began with; None: they were drawn at random.
    """
    own = Provenance(secrets.token_hex(6), now(), versions(), commit_of(Path()), data=dict(data))
    return own.updated_from(parent)


def provenance_of(saved: dict[str, Any], rows: Mapping[str, int]) -> Provenance | None:
    """Take the provenance out of an artefact's saved values; one of an earlier version holds versions alone.

    Raises:
        ValidationError: it is not what was written.
    """
    found, made = saved.pop("provenance", None), saved.pop("made", None)
    if found is not None:
        return TypeAdapter(Provenance).validate_python(found)
    if not made:
        return None
    known = TypeAdapter(dict[str, str]).validate_python(made)
    return Provenance(versions=known, data={part: RowsSeen(count) for part, count in rows.items()})


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def commit_of(folder: Path) -> str | None:
    """Return the git commit of a folder, with ``-dirty`` where tracked files differ from the commit.

    None where the folder is in no repository, or git is absent or does not answer.
    """
    try:
        done = subprocess.run(
            GIT, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
