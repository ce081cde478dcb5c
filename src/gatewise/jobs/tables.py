"""The tables that a recipe speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa

from gatewise.data import column_names, declared_types, needed_columns, read_table
from gatewise.datasets import movielens, split_by_time
from gatewise.declare import Data, Recipe, Schema
from gatewise.errors import TableError, did_you_mean

Source: TypeAlias = pa.Table | Path


@dataclass(frozen=True)
class Tables:
    """Training, validation and test rows, in memory or as files; the last two may be absent."""

    train: Source
    valid: Source | None
    test: Source | None


def find_tables(recipe: Recipe, folder: Path) -> Tables:
    """Find a recipe's tables, and read those that have to be cut; paths are relative to ``folder``.

    Columns are looked for in all files before any row is read.

    Raises:
        TableError: a file is absent or unreadable, or columns are missing: all of them, each with the nearest name.
    """
    data, schema = recipe.data, recipe.schema()
    if data.train is not None:
        return _files(data, schema, folder)
    assert data.split is not None
    columns = [*needed_columns(schema, weights=True), data.split.time]
    if data.table is not None:
        path = folder / data.table
        _check_columns(column_names(path), columns, str(path))
        table = read_table(path, columns, declared_types(schema))
    else:
        table = movielens(None if data.path is None else folder / data.path)
        _check_columns(table.column_names, columns, f"dataset {data.dataset!r}")
    train, valid, test = split_by_time(table, data.split.time, data.split.valid, data.split.test)
    return Tables(train, valid if valid.num_rows else None, test if test.num_rows else None)


def _files(data: Data, schema: Schema, folder: Path) -> Tables:
    names = {"train": data.train, "valid": data.valid, "test": data.test}
    given = {part: folder / name for part, name in names.items() if name is not None}
    for part, path in given.items():
        _check_columns(column_names(path), needed_columns(schema, weights=part == "train"), str(path))
    return Tables(given["train"], given.get("valid"), given.get("test"))


def _check_columns(present: list[str], needed: list[str], where: str) -> None:
    missing = [name for name in dict.fromkeys(needed) if name not in present]
    if missing:
        lines = [f"{where}: no column {name!r}{did_you_mean(name, present)}" for name in missing]
        raise TableError("\n".join(lines))
