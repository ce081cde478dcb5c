"""The tables of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from gatewise.data import AsOf, Parts, declared_types, needed_columns, read_at, read_table, readable, source_of
from gatewise.data import Source as Named
from gatewise.datasets import census, kuairand, movielens, split_at, split_at_random, split_by_group, split_by_time
from gatewise.declare import Data, Instant, Recipe, Schema, Split, located
from gatewise.errors import TableError, did_you_mean
from gatewise.jobs.folder_splits import split_by_folders

Source: TypeAlias = pa.Table | Path | str | list[Any] | Named
"""Rows in memory, or where they come from."""

READERS: Mapping[str, Callable[..., pa.Table]] = {"movielens": movielens, "kuairand": kuairand, "census": census}


@dataclass(frozen=True)
class Tables:
    """Training, validation and test rows, in memory or named; validation and test rows may be absent.

    Attributes:
        now: the moment at which labels with a ``delay`` were read; None: the newest time of each table.
    """

    train: Source
    valid: Source | None
    test: Source | None
    now: Instant | None = None

    @property
    def parts(self) -> dict[str, Source | None]:
        """The tables by name."""
        return {"train": self.train, "valid": self.valid, "test": self.test}

    def moment(self, schema: Schema, table: Source) -> AsOf | None:
        """Return the moment at which the labels of one of the tables are read."""
        return read_at(schema, table, self.now)


def find_tables(recipe: Recipe, folder: Path) -> Tables:
    """Return a recipe's tables with the moment of their labels, reading those that have to be split.

    Paths are relative to ``folder``.

    The columns of all files are checked before any row is read.

    Raises:
        TableError: a file is absent or unreadable, or columns are missing; names them all, each with the nearest name.
    """
    return replace(_found(recipe, folder), now=recipe.data.now)


def _found(recipe: Recipe, folder: Path) -> Tables:
    data, schema = recipe.data, recipe.schema()
    if data.train is not None:
        return _files(data, schema, folder)
    assert data.split is not None
    columns = needed_columns(schema, weights=True)
    if data.split.time is not None:
        columns = [*columns, data.split.time]
    if data.split.group is not None:
        columns = [*columns, data.split.group]
    if data.table is not None:
        named = readable(located(data.table, folder))
        source = source_of(named)
        _check_columns(source.names(), columns, source.shown)
        if data.split.at_times and isinstance(source, Parts) and data.split.time in source.folders:
            return Tables(*split_by_folders(source, data.split))
        table = read_table(source, columns, declared_types(schema))
    else:
        assert data.dataset is not None
        paths = [] if data.path is None else [folder / data.path]
        table = READERS[data.dataset](*paths)
        _check_columns(table.column_names, columns, f"dataset {data.dataset!r}")
    train, valid, test = _cut(table, data.split)
    return Tables(train, valid if valid.num_rows else None, test if test.num_rows else None)


def all_rows(recipe: Recipe, folder: Path, also: str) -> pa.Table:
    """Return all rows of a recipe, those of its parts one after the other, with a column that it need not declare.

    Raises:
        TableError: as :func:`find_tables`.
    """
    data, schema = recipe.data, recipe.schema()
    columns = list(dict.fromkeys([*needed_columns(schema, weights=True), also]))
    if data.dataset is not None:
        table = READERS[data.dataset](*([] if data.path is None else [folder / data.path]))
        _check_columns(table.column_names, columns, f"dataset {data.dataset!r}")
        return table.select(columns)
    given = [data.table] if data.table is not None else [data.train, data.valid, data.test]
    parts = [readable(located(name, folder)) for name in given if name is not None]
    for part in parts:
        _check_columns(source_of(part).names(), columns, source_of(part).shown)
    read = [read_table(part, columns, declared_types(schema)) for part in parts]
    return pa.concat_tables(read, promote_options="permissive")


def _cut(table: pa.Table, split: Split) -> tuple[pa.Table, pa.Table, pa.Table]:
    if split.seed is not None and split.group is not None:
        return split_by_group(table, split.group, split.seed, *split.shares)
    if split.seed is not None:
        return split_at_random(table, split.seed, *split.shares)
    assert split.time is not None
    if split.at_times:
        return split_at(table, split.time, split.valid_from, split.test_from)
    return split_by_time(table, split.time, *split.shares)


def _files(data: Data, schema: Schema, folder: Path) -> Tables:
    names = {"train": data.train, "valid": data.valid, "test": data.test}
    given = {part: readable(located(name, folder)) for part, name in names.items() if name is not None}
    for part, named in given.items():
        source = source_of(named)
        _check_columns(source.names(), needed_columns(schema, weights=part == "train"), source.shown)
    return Tables(given["train"], given.get("valid"), given.get("test"))


def _check_columns(present: list[str], needed: list[str], where: str) -> None:
    missing = [name for name in dict.fromkeys(needed) if name not in present]
    if missing:
        lines = [f"{where}: no column {name!r}{did_you_mean(name, present)}" for name in missing]
        raise TableError("\n".join(lines))
