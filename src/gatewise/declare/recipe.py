"""A recipe: everything ``gatewise train`` needs, in one YAML file."""

from __future__ import annotations

import collections.abc
import datetime
from dataclasses import field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from gatewise.declare.balance import check_balance
from gatewise.declare.base import Name, Names, declaration, from_dict, read_yaml, read_yaml_file
from gatewise.declare.calibration import Calibration, by_method
from gatewise.declare.cluster import Cluster
from gatewise.declare.options import Options
from gatewise.declare.rows import Rows
from gatewise.declare.schema import Features, Schema, Tasks
from gatewise.declare.search_space import Ranges, search_space
from gatewise.declare.track import Track
from gatewise.errors import DeclarationError, did_you_mean

Share = Annotated[float, Field(ge=0, lt=1)]
Moment = Annotated[
    int | float | str,
    BeforeValidator(lambda value: value.isoformat() if isinstance(value, datetime.date) else value),
]
"""A value of a time column; a date is kept as ISO text, which is what JSON makes of it."""

SHARE = 0.1
PACKAGED = ("movielens",)
"""Data sets that need no path."""


@declaration
class Split:
    """How to split one table into training, validation and test rows.

    By time, with shares of the rows (``time``, ``valid``, ``test``) or given times (``time``, ``valid_from``,
    ``test_from``); or at random with shares (``seed``, ``valid``, ``test``), for rows without a time;
    with ``group`` beside ``seed`` all rows of a group, such as a patient, are in one part.

    Example:
        >>> Split("date", valid_from=20220503, test_from=20220504).shares
        (0.1, 0.1)
    """

    time: Name | None = None
    """The column of the rows' times."""
    valid: Share | None = None
    """Share of the rows for validation; 0.1 without given times."""
    test: Share | None = None
    """Share of the rows for the test, the latest rows; 0.1 without given times."""
    valid_from: Moment | None = field(default=None, kw_only=True)
    """Smallest value of ``time`` in validation, inclusive; None: no validation."""
    test_from: Moment | None = field(default=None, kw_only=True)
    """Smallest value of ``time`` in the test, inclusive."""
    seed: Annotated[int, Field(ge=0)] | None = field(default=None, kw_only=True)
    """Seed of a random split; equal seeds give equal splits."""
    group: Name | None = field(default=None, kw_only=True)
    """The column of groups that a split at random keeps whole, such as patients; needs ``seed``."""

    @model_validator(mode="after")
    def _one_way_to_cut(self) -> Split:
        times, shares = self._given("valid_from", "test_from"), self._given("valid", "test")
        if (self.time is None) == (self.seed is None):
            found = "neither" if self.time is None else "both"
            raise ValueError(f"expected a column as time, or a seed for a split at random, found {found}")
        if self.group is not None and self.seed is None:
            raise ValueError(f"group {self.group!r} is kept whole by a split at random: give seed instead of time")
        if times and self.seed is not None:
            raise ValueError(f"{times[0]} is a value of time; a split at random goes by shares")
        if times and shares:
            raise ValueError(f"expected times or shares, found {times[0]} and {shares[0]}")
        return self

    @model_validator(mode="after")
    def _rows_left_for_training(self) -> Split:
        valid, test = self.shares
        if valid + test >= 1:
            raise ValueError(f"valid {valid:g} and test {test:g} leave no rows for training")
        return self

    @model_validator(mode="after")
    def _test_after_validation(self) -> Split:
        if self.valid_from is None or self.test_from is None:
            return self
        try:
            in_order = self.valid_from < self.test_from  # type: ignore[operator]
        except TypeError:
            raise ValueError(
                f"cannot compare valid_from {self.valid_from!r} and test_from {self.test_from!r}"
            ) from None
        if not in_order:
            raise ValueError(f"expected valid_from before test_from, found {self.valid_from} and {self.test_from}")
        return self

    @property
    def shares(self) -> tuple[float, float]:
        """Shares of the rows for validation and test."""
        return SHARE if self.valid is None else self.valid, SHARE if self.test is None else self.test

    @property
    def at_times(self) -> bool:
        """Whether the parts begin at given times."""
        return bool(self._given("valid_from", "test_from"))

    def _given(self, *names: str) -> list[str]:
        return [name for name in names if getattr(self, name) is not None]


@declaration
class Data:
    """The source of the rows: up to three tables, or one table with a ``split``, or a data set that Gatewise knows.

    A table is a file, folder or glob relative to the recipe, an address such as ``s3://bucket/logs``, a list of these,
    or a query ``{sql: postgresql://host/db, query: select ...}``.
    """

    train: Rows | None = field(default=None, kw_only=True)
    """Training table, CSV or Parquet, relative to the recipe; or an address, a list, a query."""
    valid: Rows | None = field(default=None, kw_only=True)
    """Validation table."""
    test: Rows | None = field(default=None, kw_only=True)
    """Test table."""
    table: Rows | None = field(default=None, kw_only=True)
    """One table with all rows; needs ``split``."""
    dataset: Literal["movielens", "kuairand", "census"] | None = field(default=None, kw_only=True)
    """A data set that Gatewise reads; needs ``split``."""
    path: str | None = field(default=None, kw_only=True)
    """Folder or archive of the data set, relative to the recipe; only MovieLens comes packaged."""
    split: Split | None = field(default=None, kw_only=True)
    """The split of ``table`` or ``dataset``."""
    now: Moment | None = field(default=None, kw_only=True)
    """The moment at which the labels were read, for tasks with a ``delay``; None: the newest time of each table."""

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
        if self.dataset is not None and self.path is None and self.dataset not in PACKAGED:
            raise ValueError(f"dataset {self.dataset!r} needs path, the folder or archive that it was downloaded to")
        return self


@declaration
class Recipe(Options):
    """Data, features, tasks, model, balancing, training, calibration and the folder of the run."""

    data: Data = field(kw_only=True)
    """The source of the rows."""
    features: Features = field(kw_only=True)
    """The features that the model reads."""
    tasks: Tasks = field(kw_only=True)
    """The tasks that the model predicts."""
    group: Name | None = field(default=None, kw_only=True)
    """The column of group ids, for metrics and ranking losses within groups."""
    known: Names = field(default=(), kw_only=True)
    """Columns of numbers that are known when predicting and that a fusion may use, such as a cost or a margin."""
    context: Names = field(default=(), kw_only=True)
    """Columns whose values all candidates of a request share: of the user, the time, the place."""
    calibration: Annotated[Calibration | None, by_method] = field(default=None, kw_only=True)
    """Calibration on the validation rows after training; also just the method's name."""
    output: Name = field(default="runs/latest", kw_only=True)
    """Folder of the run: artefact, metrics, history, checkpoint; relative to the working directory."""
    track: Track | None = field(default=None, kw_only=True)
    """Where ``gatewise train`` records the training besides: TensorBoard, MLflow, Weights & Biases."""
    cluster: Cluster | None = field(default=None, kw_only=True)
    """The Ray cluster that ``gatewise train``, ``compare`` and ``tune`` train on; None: this machine."""
    tune: Ranges | None = field(default=None, kw_only=True)
    """Where ``gatewise tune`` looks, by path of an option: values such as ``[2, 4, 8]``, or ``[1e-4, 1e-2, log]``; an
    empty list: not there."""
    goals: Names = field(default=(), kw_only=True)
    """What ``gatewise tune`` looks for, if not for ``training.monitor``: several tasks, or a task and a metric, such as
    ``[click, purchase.pr_auc]``."""

    @model_validator(mode="after")
    def _valid_schema(self) -> Recipe:
        schema = self.schema()
        try:
            self.model.check(schema)
        except DeclarationError as error:
            raise ValueError(f"model: {error}") from None
        check_balance(self.balance, schema)
        if self.calibration is not None:
            self.calibration.names(schema)
        if self.tune is not None:
            try:
                search_space(self)
            except DeclarationError as error:
                raise ValueError(str(error)) from None
        return self

    def schema(self) -> Schema:
        """Return the recipe's features, tasks, group, known columns and context as a schema."""
        return Schema(
            features=self.features, tasks=self.tasks, group=self.group, known=self.known, context=self.context
        )

    @classmethod
    def read(cls, path: str | Path, overrides: collections.abc.Iterable[str] = ()) -> Recipe:
        """Return the recipe in a file; one error reports all mistakes, each with its path.

        Args:
            path: a YAML (or JSON) file.
            overrides: options that replace the file's, such as ``"training.epochs=3"``; values are YAML.

        Raises:
            DeclarationError: the file is absent, is not YAML, or holds unknown or invalid options.
        """
        return from_dict(cls, read_values(path, overrides), source=str(path))


def read_change(path: str | Path) -> tuple[Schema, Any]:
    """Return the schema in a file, and the model if one stands there, else None; such a file may be a recipe.

    Of a recipe, the parts that describe data and training are not read.

    Args:
        path: a YAML (or JSON) file with ``features`` and ``tasks``.

    Raises:
        DeclarationError: the file is absent, is not YAML, or holds unknown or invalid options.
    """
    values = read_yaml_file(path, "schema", "features and tasks")
    known = [each.name for each in fields(Recipe)]
    for name in values:
        if name not in known:
            raise DeclarationError(f"{path}: {name}: unknown option{did_you_mean(name, known)}")
    parts = [each.name for each in fields(Schema)]
    schema = from_dict(Schema, {name: values[name] for name in parts if name in values}, source=str(path))
    model = from_dict(Options, {"model": values["model"]}, source=str(path)).model if "model" in values else None
    return schema, model


def read_values(path: str | Path, overrides: collections.abc.Iterable[str] = ()) -> dict[str, Any]:
    """Return the mapping in a recipe's file, unchecked; see :meth:`Recipe.read`."""
    values = read_yaml_file(path, "recipe", "data, features and tasks")
    for override in overrides:
        _override(values, override)
    return values


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
