"""The item table: features of items, encoded once, so that a request need only name the items."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from gatewise.data import column_names, pick_column, read_table, trimmed
from gatewise.errors import TableError, did_you_mean, shown
from gatewise.http.columns import FeatureColumns
from gatewise.http.errors import RequestError


@dataclass(frozen=True)
class ItemFile:
    """The file of the item table, and its column of ids."""

    path: Path
    key: str


class ItemTable:
    """The encoded features of all items.

    Args:
        matrices: ``[item, column]`` per feature.
        row_of: the row of each item, by id.
        key: the column that holds the ids.
        columns: the columns of the file that features read.
        lists: the keys of the matrices that are padded lists.
    """

    def __init__(
        self,
        matrices: Mapping[Hashable, np.ndarray],
        row_of: dict[Any, int],
        key: str,
        columns: Iterable[str],
        lists: Collection[Hashable] = (),
    ) -> None:
        self.key, self.columns = key, tuple(columns)
        self._matrices, self._row_of, self._lists = matrices, row_of, lists

    def __len__(self) -> int:
        return len(self._row_of)

    @classmethod
    def read(cls, file: ItemFile, features: FeatureColumns) -> ItemTable:
        """Read and encode the columns of a file that features read.

        Raises:
            TableError: the file cannot be read, lacks the key, has an item twice, or values that features exclude.
        """
        names, where = column_names(file.path), f"items {str(file.path)!r}"
        if file.key not in names:
            hint = did_you_mean(file.key, names) or f" (columns: {shown(names)})"
            raise TableError(f"{where}: no column {file.key!r}{hint}")
        columns = [name for name in names if name in features.names]
        table = read_table(file.path, [*columns, file.key], features.encoder.column_types())
        ids = pick_column(table, file.key, where).to_pylist()
        row_of = dict(zip(ids, range(len(ids)), strict=True))
        if len(row_of) < len(ids) or None in row_of:
            raise TableError(f"{where}: column {file.key!r} holds {'a null' if None in row_of else 'a value twice'}")
        return cls(features.encode_table(table.select(columns)), row_of, file.key, columns, features.lists)

    def rows_of(self, ids: list[Any]) -> np.ndarray:
        """Return the rows of items in the table.

        Raises:
            RequestError: an item is not in the table; names the first.
        """
        wrong = set(map(type, ids)) - {int, str}
        if wrong:
            place = next(i for i, found in enumerate(ids) if type(found) in wrong)
            raise RequestError(f"candidates[{place}]: expected {self.key} to be an integer or a string")
        try:
            return np.fromiter(map(self._row_of.__getitem__, ids), dtype=np.int64, count=len(ids))
        except KeyError as error:
            place = ids.index(error.args[0])
            raise RequestError(f"candidates[{place}]: no item has {self.key} {ids[place]!r:.80}") from None

    def unknown(self, ids: list[Any]) -> list[int]:
        """Return the places of ids that are no item's; integers and strings only."""
        return [place for place, one in enumerate(ids) if type(one) in (int, str) and one not in self._row_of]

    def take(self, rows: np.ndarray, without: Iterable[Hashable]) -> dict[Hashable, np.ndarray]:
        """Return the matrices of some items' features, except the features ``without``."""
        return {key: self._taken(key, rows) for key in self._matrices.keys() - set(without)}

    def _taken(self, key: Hashable, rows: np.ndarray) -> np.ndarray:
        taken = self._matrices[key][rows]
        # lists are padded to the longest of all items: here the longest of the taken items is enough
        return trimmed(taken) if key in self._lists and taken.shape[1] > 1 else taken

    def some(self, count: int) -> list[Any]:
        """Return the ids of the first items."""
        return [*islice(self._row_of, count)]
