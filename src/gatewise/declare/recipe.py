"""A recipe: everything ``gatewise train`` needs, in one YAML file."""

from __future__ import annotations

import collections.abc
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gatewise.declare.base import Name, declaration, from_dict, read_yaml
from gatewise.declare.options import Options
from gatewise.declare.schema import Features, Schema, Tasks
from gatewise.errors import DeclarationError

Share = Annotated[float, Field(ge=0, lt=1)]


@declaration
class Split:
    """Cut one table forward in time: training first, then validation, then test."""

    time: Name
    """The column that says when a row happened."""
    valid: Share = 0.1
    """Share of the rows for validation."""
    test: Share = 0.1
    """Share of the rows for the test, the latest ones."""

    @model_validator(mode="after")
    def _rows_left_for_training(self) -> Split:
        if self.valid + self.test >= 1:
            raise ValueError(f"valid {self.valid:g} and test {self.test:g} leave no rows for training")
        return self


@declaration
class Data:
    """Where the rows come from: three files, or one table that ``split`` cuts, or a data set Gatewise knows."""

    train: str | None = field(default=None, kw_only=True)
    """Training table, CSV or Parquet, relative to the recipe."""
    valid: str | None = field(default=None, kw_only=True)
    """Validation table."""
    test: str | None = field(default=None, kw_only=True)
    """Test table."""
    table: str | None = field(default=None, kw_only=True)
    """One table with all rows; needs ``split``."""
    dataset: Literal["movielens"] | None = field(default=None, kw_only=True)
    """A data set that Gatewise reads; needs ``split``."""
    path: str | None = field(default=None, kw_only=True)
    """Folder or zip of the data set, where it is not the packaged one."""
    split: Split | None = field(default=None, kw_only=True)
    """How ``table`` or ``dataset`` is cut."""

    @model_validator(mode="after")
    def _one_source(self) -> Data:
        sources = [name for name in ("train", "table", "dataset") if getattr(self, name) is not None]
        if len(sources) != 1:
            found = " and ".join(sources) or "none"
            raise ValueError(f"expected exactly one of train, table and dataset, found {found}")
        if self.train is None and self.split is None:
            raise ValueError(f"{sources[0]} needs a split, such as {{time: timestamp}}")
        given = [name for name in ("valid", "test") if getattr(self, name) is not None]
        if self.train is None and given:
            raise ValueError(f"{given[0]} is a file beside train; {sources[0]} is cut by split")
        if self.train is not None and self.split is not None:
            raise ValueError("split cuts a table or a dataset; with train, give valid and test as files")
        if self.path is not None and self.dataset is None:
            raise ValueError("path belongs to dataset")
        return self


@declaration
class Recipe(Options):
    """Data, features, tasks, model, balancing, training and where the run is written."""

    data: Data = field(kw_only=True)
    """Where the rows come from."""
    features: Features = field(kw_only=True)
    """What the model reads."""
    tasks: Tasks = field(kw_only=True)
    """What the model predicts."""
    output: Name = field(default="runs/latest", kw_only=True)
    """Folder of the run: artefact, metrics, history, checkpoint; relative to where the command is run."""

    @model_validator(mode="after")
    def _valid_schema(self) -> Recipe:
        schema = self.schema()
        try:
            self.model.check(schema)
        except DeclarationError as error:
            raise ValueError(f"model: {error}") from None
        return self

    def schema(self) -> Schema:
        """Return the recipe's features and tasks as a schema."""
        return Schema(features=self.features, tasks=self.tasks)

    @classmethod
    def read(cls, path: str | Path, overrides: collections.abc.Iterable[str] = ()) -> Recipe:
        """Read a recipe; all mistakes are reported at once, each with its path.

        Args:
            path: a YAML (or JSON) file.
            overrides: options that replace the file's, such as ``"training.epochs=3"``; values are YAML.

        Raises:
            DeclarationError: the file is absent, no YAML, or holds unknown or invalid options.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise DeclarationError(f"recipe {str(path)!r} is not UTF-8 text") from None
        except OSError as error:
            raise DeclarationError(f"cannot read recipe {str(path)!r}: {error.strerror}") from None
        values: Any = read_yaml(text, str(path))
        if not isinstance(values, dict):
            raise DeclarationError(f"{path}: expected a mapping with data, features and tasks")
        for override in overrides:
            _override(values, override)
        return from_dict(cls, values, source=str(path))


def _override(values: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    *parents, last = path.split(".")
    if not equals or not last:
        raise DeclarationError(f"override {override!r}: expected OPTION=VALUE, such as training.epochs=3")
    for parent in parents:
        inner = values.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise DeclarationError(f"override {override!r}: {parent!r} holds no options in this recipe")
        values = inner
    values[last] = read_yaml(text, f"override {override!r}")
