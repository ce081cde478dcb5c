"""The tables that a recipe speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gatewise.data import column_names, needed_columns, read_table
from gatewise.datasets import movielens, split_by_time
from gatewise.declare import Data, Recipe, Schema
from gatewise.errors import TableError, did_you_mean


@dataclass(frozen=True)
class Tables:
    """Training, validation and test rows; the last two may be absent."""

    train: pa.Table
    valid: pa.Table | None
    test: pa.Table | None


def load_tables(recipe: Recipe, folder: Path) -> Tables:
    """Read a recipe's tables; paths are relative to ``folder``.

    Columns are looked for in all files before any row is read.

    Raises:
        TableError: a file is absent or unreadable, or columns are missing: all of them, each with the nearest name.
    """
    data, schema = recipe.data, recipe.schema()
    if data.train is not None:
        return _from_files(data, schema, folder)
    assert data.split is not None
    columns = [*needed_columns(schema), data.split.time]
    if data.table is not None:
        path = folder / data.table
        _check_columns(column_names(path), columns, str(path))
        table = read_table(path, columns)
    else:
        table = movielens(None if data.path is None else folder / data.path)
        _check_columns(table.column_names, columns, f"dataset {data.dataset!r}")
    train, valid, test = split_by_time(table, data.split.time, data.split.valid, data.split.test)
    return Tables(train, valid if valid.num_rows else None, test if test.num_rows else None)


def _from_files(data: Data, schema: Schema, folder: Path) -> Tables:
    columns = needed_columns(schema)
    paths = {name: getattr(data, name) for name in ("train", "valid", "test")}
    given = {name: folder / path for name, path in paths.items() if path is not None}
    for path in given.values():
        _check_columns(column_names(path), columns, str(path))
    tables = {name: read_table(path, columns) for name, path in given.items()}
    return Tables(tables["train"], tables.get("valid"), tables.get("test"))


def _check_columns(present: list[str], needed: list[str], where: str) -> None:
    missing = [name for name in dict.fromkeys(needed) if name not in present]
    if missing:
        lines = [f"{where}: no column {name!r}{did_you_mean(name, present)}" for name in missing]
        raise TableError("\n".join(lines))
