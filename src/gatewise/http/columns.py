"""Columns of raw values become the arrays that a model reads."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from gatewise.data import (
    AnyColumn,
    Description,
    Encoded,
    TableEncoder,
    Values,
    as_matrix,
    known_numbers,
    parts_by_name,
    read_table,
    trimmed,
)
from gatewise.declare import columns_of
from gatewise.errors import did_you_mean, shown
from gatewise.export import PortNames
from gatewise.http.errors import RequestError
from gatewise.http.limits import Limits
from gatewise.http.lists import check_given, check_padded, check_places
from gatewise.layout import FLOATS, IDS, NO_NUMBER, PADDING, assemble

Matrices = Mapping[Hashable, np.ndarray]
"""``[row, column]`` per feature: an id, floats, or a padded list; one row where all rows share the value.

Lists of numbers beside a feature's ids have keys of their own.
"""


class Known(NamedTuple):
    """Key of a column that a task needs for predicting, such as the length of a video."""

    column: str


@dataclass(frozen=True)
class Fused:
    """Key of a known column that the fusion uses, such as a cost."""

    column: str


class FeatureColumns:
    """The columns that a model needs, and their places in the arrays of a batch.

    Args:
        encoder: fitted on the training table.
        optional: names of features whose columns may be absent.
        limits: of the items of lists.
        ports: the model's name for the array of a list, a text or a known column, where it differs.
        fused: the known columns that the fusion uses.

    Attributes:
        names: the columns that are read, each once.
        required: the columns that may not be absent.
    """

    def __init__(
        self,
        encoder: TableEncoder,
        optional: Iterable[str] = (),
        limits: Limits | None = None,
        ports: PortNames | None = None,
        fused: Sequence[str] = (),
    ) -> None:
        self.encoder, self._limits, self._ports = encoder, limits or Limits(), ports or PortNames({}, {})
        self._layout, schema = encoder.layout, encoder.schema
        listed = {found.feature for found in self._layout.lists} | {found.name for found in self._layout.texts}
        self._readers: dict[str, list[AnyColumn]] = {}
        for column in encoder.columns.values():
            for name in column.columns:
                self._readers.setdefault(name, []).append(column)
        self._listed = {name for name, readers in self._readers.items() if any(r.name in listed for r in readers)}
        self._dims = {name: [found.dims for found in self.descriptions_of(name)] for name in self._readers}
        self._numbers = {name for name, found in self._dims.items() if (None,) in found and self._of_numbers(name)}
        self._together = [column for column in encoder.columns.values() if len(column.columns) > 1]
        self._known = {column: task.name for task in schema.tasks for column in task.known_columns}
        self._fused = tuple(fused)
        self.names = [*dict.fromkeys([*self._readers, *self._known, *self._fused])]
        side = set(optional)
        spared = {name for feature in schema.features if feature.name in side for name in columns_of(feature)}
        beside = {*self._known, *self._fused}
        self.required = [name for name in self.names if name not in spared or name in beside]
        self._absent = self.encode({name: [None] for name in spared}, 1)

    def readers_of(self, column: str) -> list[AnyColumn]:
        """Return the features that read a column."""
        return self._readers.get(column, [])

    def descriptions_of(self, column: str) -> list[Description]:
        """Return the description of a column by each feature that reads it."""
        return [reader.descriptions()[column] for reader in self.readers_of(column)]

    def has_lists_of_numbers(self, column: str) -> bool:
        """Whether a column holds lists of numbers of any length."""
        return column in self._numbers

    def _of_numbers(self, column: str) -> bool:
        return all(found.dtype == "float64" for found in self.descriptions_of(column))

    @property
    def lists(self) -> set[str]:
        """The names of all encoded parts that are padded: lists, lists of numbers beside them, and texts."""
        layout = self._layout
        return {part.name for parts in (layout.lists, layout.number_lists, layout.texts) for part in parts}

    def dims_of(self, column: str) -> list[tuple[int | None, ...]]:
        """Return the sizes of a value, for each feature that reads the column."""
        return self._dims.get(column, [])

    def check_names(self, names: Iterable[str], where: str) -> None:
        """Refuse columns that the model does not read.

        Raises:
            RequestError: names the first and suggests the nearest.
        """
        for name in names:
            if name not in self.names:
                hint = did_you_mean(name, self.names) or f" (columns: {shown(self.names)})"
                raise RequestError(f"{where}: no feature reads {name!r:.80}{hint}")

    def check_complete(self, names: Iterable[str], where: str) -> None:
        """Refuse a request that lacks a required column.

        Raises:
            RequestError: names all missing columns.
        """
        present = set(names)
        missing = [repr(name) for name in self.required if name not in present]
        if missing:
            raise RequestError(f"{where}: {shown(missing)} missing")

    def encode(self, columns: Mapping[str, Values], rows: int) -> dict[Hashable, np.ndarray]:
        """Return the matrices of all features and known columns.

        Args:
            columns: values, one per row, or a single one that all rows share.
            rows: the number of rows of the request.

        Raises:
            RequestError: lists have more items than the limits allow, or a column is there without those that are read
                together with it.
            TableError: a column holds what its declaration excludes; names the feature.
        """
        if self._listed and not self._listed.isdisjoint(columns):
            check_given({name: columns[name] for name in self._listed.intersection(columns)}, self._limits)
        self.check_together(columns)
        found: dict[Hashable, np.ndarray] = {}
        for name, values in columns.items():
            for reader in self._readers.get(name, ()):
                if name == reader.column:
                    further = [columns[other] for other in reader.columns[1:]] if reader in self._together else ()
                    found |= self._as_matrices(reader, reader.encode_values(values, *further), rows)
            if name in self._known or name in self._fused:
                found |= self._beside(name, read_table({name: values}))
        return found

    def _as_matrices(self, reader: AnyColumn, encoded: Encoded, rows: int) -> dict[Hashable, np.ndarray]:
        found = parts_by_name(reader.name, encoded)
        for part in found.values():
            check_padded(reader.name, part, rows, self._limits)
        return {name: as_matrix(part) for name, part in found.items()}

    def check_together(self, columns: Collection[str]) -> None:
        """Refuse columns without those that a feature reads together with them.

        Raises:
            RequestError: names both columns and the feature.
        """
        for reader in self._together:
            there = [name for name in reader.columns if name in columns]
            if there and len(there) < len(reader.columns):
                lacks = next(name for name in reader.columns if name not in columns)
                raise RequestError(
                    f"{there[0]!r}: {reader.purpose} reads it together with {lacks!r}, which must be given beside it"
                )

    def spread(self, shared: dict[str, list[Any]], columns: dict[str, list[Any]], rows: int) -> None:
        """Move shared values to the columns with one value per row, where a feature reads columns of both."""
        for reader in self._together:
            if any(name in columns for name in reader.columns):
                for name in shared.keys() & {*reader.columns}:
                    columns[name] = [*shared.pop(name)] * rows

    def encode_table(self, table: pa.Table) -> dict[Hashable, np.ndarray]:
        """Return the matrices of an Arrow table, see :meth:`encode`."""
        self.check_together(table.column_names)
        found: dict[Hashable, np.ndarray] = {}
        for name in table.column_names:
            for reader in self._readers.get(name, ()):
                if name == reader.column:
                    parts = parts_by_name(reader.name, reader.encode_table(table))
                    found |= {part: as_matrix(encoded) for part, encoded in parts.items()}
            found |= self._beside(name, table)
        return found

    def _beside(self, name: str, table: pa.Table) -> dict[Hashable, np.ndarray]:
        """Return a column that is known beforehand, for a task's prediction or for a fusion."""
        found: dict[Hashable, np.ndarray] = {}
        if name in self._known:
            found[Known(name)] = self._known_before(name, table)
        if name in self._fused:
            found[Fused(name)] = known_numbers([name], table)[name][:, np.newaxis]
        return found

    def fused(self, matrices: Matrices, rows: int) -> dict[str, np.ndarray]:
        """Return the known columns ``[row]`` that a fusion may use."""
        return {name: _spread(matrices[Fused(name)], rows)[:, 0] for name in self._fused}

    def _known_before(self, column: str, table: pa.Table) -> np.ndarray:
        labels = self.encoder.labels[self._known[column]]
        place = 1 + labels.task.known_columns.index(column)
        return labels.read_known(table)[:, place : place + 1]

    def side_by_side(self, matrices: Matrices, rows: int) -> dict[str, np.ndarray]:
        """Return the model's inputs: ids and floats ``[row, column]``; padded lists and known columns by name."""
        known = {**self._absent, **matrices}
        found = assemble(
            self._layout,
            lambda which, names: self._matrix(which, names, known, rows),
            lambda name: self._list(name, known[name], rows),
        )
        whole = [(IDS, found.ids), (FLOATS, found.floats)]
        arrays = {name: matrix for name, matrix in whole if matrix.shape[1]}
        arrays |= dict([*found.lists, *found.number_lists, *found.texts])
        for column in self._known:
            port = self._ports.known.get(column, column)
            arrays[port] = _spread(known[Known(column)], rows)[:, 0].astype(np.float64)
        return arrays

    def _matrix(self, which: str, names: Sequence[str], matrices: Matrices, rows: int) -> np.ndarray:
        widths = [1 if which == IDS else self._layout.float_widths[name] for name in names]
        matrix, start = np.empty((rows, sum(widths)), dtype=np.int64 if which == IDS else np.float32), 0
        for name, width in zip(names, widths, strict=True):
            matrix[:, start : start + width] = matrices[name]
            start += width
        return matrix

    def _list(self, name: str, matrix: np.ndarray, rows: int) -> tuple[str, np.ndarray]:
        check_places(name, rows, matrix.shape[1], self._limits)
        dtype = np.float32 if matrix.dtype == np.float32 else np.int64
        return self._ports.features.get(name, name), np.array(_spread(matrix, rows), dtype)


def _spread(matrix: np.ndarray, rows: int) -> np.ndarray:
    return np.broadcast_to(matrix, (rows, matrix.shape[1]))


def longest_list(arrays: Mapping[str, np.ndarray]) -> int:
    """Return the length of the longest list in the arrays that a model reads."""
    return max((array.shape[1] for name, array in arrays.items() if _is_list(name, array)), default=0)


def _is_list(name: str, array: np.ndarray) -> bool:
    return array.ndim == 2 and name not in (IDS, FLOATS)


def pieces(arrays: Mapping[str, np.ndarray], rows: int, size: int) -> Iterator[dict[str, np.ndarray]]:
    """Cut the arrays that a model reads into pieces of ``size`` rows, each padded to its own longest list."""
    for start in range(0, rows, size):
        cut = {name: array[start : start + size] for name, array in arrays.items()}
        yield {name: trimmed(array) if _is_list(name, array) else array for name, array in cut.items()}


def joined(arrays: list[np.ndarray]) -> np.ndarray:
    """Return the concatenation of arrays ``[row, ...]``; lists of different lengths are padded to the longest."""
    if arrays[0].ndim == 2 and len({array.shape[1] for array in arrays}) > 1:
        longest = max(array.shape[1] for array in arrays)
        filler = NO_NUMBER if arrays[0].dtype.kind == "f" else PADDING
        arrays = [np.pad(array, ((0, 0), (0, longest - array.shape[1])), constant_values=filler) for array in arrays]
    return np.concatenate(arrays)
