"""Many files as one table: a folder, also partitioned, a glob, a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

import pyarrow as pa
from typing_extensions import override

from gatewise.data.pieces import regrouped
from gatewise.data.plain_types import is_string
from gatewise.data.reading import Types, first_line
from gatewise.data.sources.csv_files import CsvFile
from gatewise.data.sources.digests import digest_of
from gatewise.data.sources.parquet_files import ParquetFile
from gatewise.data.sources.source import Columns, Extent, Source
from gatewise.data.sources.types_together import together
from gatewise.errors import TableError, did_you_mean

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""The name of a partition without a value."""
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
THREADS = 16
"""Files of a bucket that are asked for at the same time."""
T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """One file, with the values of the columns that its folders name (``day=3``)."""

    source: ParquetFile | CsvFile
    values: tuple[tuple[str, str | None], ...] = ()


def folder_values(path: str) -> tuple[tuple[str, str | None], ...]:
    """Return the columns that the folders right above a file name, as in ``logs/day=3/hour=01/a.parquet``."""
    found: list[tuple[str, str | None]] = []
    for folder in reversed(path.split("/")[:-1]):
        name, equals, text = folder.partition("=")
        if not equals or not name:
            break
        found.append((unquote(name), None if text == NO_VALUE else unquote(text)))
    return tuple(reversed(found))


class Parts(Source):
    """Files that are one table, in the order in which they are given.

    Columns that nobody reads may differ between files. Types that differ are brought together.
    """

    takes_types = True

    def __init__(self, shown: str, parts: Sequence[Part], folders: Mapping[str, pa.DataType] | None = None) -> None:
        self.shown = shown
        self.where = f"table {shown!r}"
        self.parts = list(parts)
        self.folders = _folder_types(self.parts) if folders is None else folders

    @override
    def names(self) -> list[str]:
        schemas = self._each(lambda part: part.source.names())
        return list(dict.fromkeys([*(name for names in schemas for name in names), *self.folders]))

    @override
    def read(self, columns: Columns, types: Types) -> pa.Table:
        wanted = None if columns is None else list(columns)
        known = {**types, **_looser(self._common(self._schemas(wanted, types)))}
        tables = [self._read(part, wanted, known, types) for part in self.parts]
        # a CSV file's types are known when all of its rows are read
        final = self._common([table.schema for table in tables])
        for place, (part, table) in enumerate(zip(self.parts, tables, strict=True)):
            if part.source.takes_types and not _fits(table, final):
                tables[place] = self._read(part, wanted, {**known, **_looser(final)}, types)
        return pa.concat_tables([self._brought(t, part, final) for t, part in zip(tables, self.parts, strict=True)])

    @override
    def stream(self, columns: Columns, types: Types, rows: int) -> Iterator[pa.Table]:
        wanted = None if columns is None else list(columns)
        common = self._common(self._schemas(wanted, types))
        yield from regrouped(self._pieces(wanted, types, common, rows), rows, some=True)

    @override
    def identity(self, columns: Columns = None) -> str:
        """Return a digest of all files' paths, sizes and times of change, in their order."""
        return digest_of(self._each(lambda part: part.source.identity()))

    @override
    def extent(self, columns: Columns = None) -> Extent:
        """Return the sum over all files."""
        wanted = None if columns is None else list(columns)
        return sum(self._each(lambda part: part.source.extent(wanted)), Extent(0, 0))

    def folder_values(self, column: str) -> list[Any]:
        """Return the values of a column that folders name, one per file; None where a file has none."""
        return [self._value(part, column).as_py() for part in self.parts]

    def within(self, column: str, fits: Callable[[Any], bool]) -> Parts:
        """Return the files whose value of a folder's column fits, by that value; the others are not read."""
        valued = zip(self.folder_values(column), self.parts, strict=True)
        ordered = sorted((each for each in valued if fits(each[0])), key=lambda each: each[0])
        return Parts(self.shown, [part for _, part in ordered], self.folders)

    def _read(self, part: Part, wanted: list[str] | None, known: Types, types: Types) -> pa.Table:
        table = part.source.read(self._own(part, wanted), known)
        return self._with_folder_values(part, table, wanted, types)

    def _pieces(self, wanted: list[str] | None, types: Types, common: Types, rows: int) -> Iterator[pa.Table]:
        for part in self.parts:
            for piece in part.source.stream(self._own(part, wanted), {**types, **common}, rows):
                yield self._brought(self._with_folder_values(part, piece, wanted, types), part, common)

    def _schemas(self, wanted: list[str] | None, types: Types) -> list[pa.Schema]:
        """Return names and types of every file's wanted columns, as far as they are known before rows are read."""
        schemas = self._each(lambda part: part.source.schema_of(self._own(part, wanted), types))
        there = [{*schema.names, *dict(part.values)} for part, schema in zip(self.parts, schemas, strict=True)]
        for name in dict.fromkeys(name for schema in schemas for name in (*schema.names, *self.folders)):
            if wanted is not None and name not in wanted:
                continue
            for part, names in zip(self.parts, there, strict=True):
                if name not in names:
                    hint = did_you_mean(name, part.source.names())
                    raise TableError(
                        f"{self.where}: file {part.source.shown!r} has no column {name!r}, which other files have{hint}"
                    )
        return schemas

    def _common(self, schemas: Sequence[pa.Schema]) -> dict[str, pa.DataType]:
        """Return one type per column for all files."""
        common: dict[str, pa.DataType] = {}
        first: dict[str, Part] = {}
        for part, schema in zip(self.parts, schemas, strict=True):
            for field in schema:
                known, since = common.setdefault(field.name, field.type), first.setdefault(field.name, part)
                found = together(known, field.type)
                if found is None and part.source.takes_types and since.source.takes_types:
                    found = pa.string()
                if found is None:
                    types = f"{known} in {since.source.shown!r} and {field.type} in {part.source.shown!r}"
                    raise TableError(f"{self.where}: column {field.name!r} is {types}; write it in one type")
                common[field.name] = found
        return common

    def _own(self, part: Part, wanted: list[str] | None) -> list[str] | None:
        """Return the columns to read of a file; what its folders say counts more than what it holds."""
        said = dict(part.values)
        if not said:
            return wanted
        return [name for name in (part.source.names() if wanted is None else wanted) if name not in said]

    def _with_folder_values(self, part: Part, table: pa.Table, wanted: list[str] | None, types: Types) -> pa.Table:
        if wanted is not None:
            # a CSV file is never read without any column
            table = table.select([name for name in table.column_names if name in wanted])
        for name, _ in part.values:
            if wanted is None or name in wanted:
                value = self._value(part, name)
                try:
                    value = value.cast(types.get(name, value.type))
                except pa.ArrowException as error:
                    raise TableError(f"{self.where}: folder {name}={value}: {first_line(error)}") from None
                table = table.append_column(name, pa.repeat(value, table.num_rows))
        return table

    def _value(self, part: Part, name: str) -> pa.Scalar:
        return pa.scalar(dict(part.values).get(name), pa.string()).cast(self.folders[name])

    def _brought(self, table: pa.Table, part: Part, common: Types) -> pa.Table:
        """Return a file's rows in the order of columns and the types that all files have."""
        names = [name for name in common if name in table.column_names]
        names += [name for name in table.column_names if name not in common]
        columns = {name: self._cast(table[name], common.get(name, table[name].type), name, part) for name in names}
        return pa.table(columns) if columns else table.replace_schema_metadata(None)

    def _cast(self, column: pa.ChunkedArray, dtype: pa.DataType, name: str, part: Part) -> pa.ChunkedArray:
        if column.type == dtype:
            return column
        try:
            # Arrow casts a dictionary to what it stands for, and to nothing else
            plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
            return plain.cast(dtype)
        except pa.ArrowException as error:
            types = f"{column.type} in {part.source.shown!r}, and {dtype} is what holds the other files"
            raise TableError(f"{self.where}: column {name!r} is {types}: {first_line(error)}") from None

    def _each(self, ask: Callable[[Part], T]) -> list[T]:
        """Return an answer of every file; files of a bucket are asked at the same time."""
        if all(part.source.file.is_local for part in self.parts):
            return [ask(part) for part in self.parts]
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(ask, self.parts))


def _folder_types(parts: Sequence[Part]) -> dict[str, pa.DataType]:
    """Return the columns that folders name: integers where all values are, text otherwise, also with leading zeros."""
    texts: dict[str, list[str | None]] = {}
    for part in parts:
        for name, text in part.values:
            texts.setdefault(name, []).append(text)
    return {
        name: pa.int64() if all(text is None or WHOLE.fullmatch(text) for text in found) else pa.string()
        for name, found in texts.items()
    }


def _looser(common: Types) -> Types:
    """Return the types in which a whole CSV file can be read although its first rows look like another one."""
    return {name: dtype for name, dtype in common.items() if is_string(dtype) or pa.types.is_floating(dtype)}


def _fits(table: pa.Table, common: Types) -> bool:
    return all(field.type == common[field.name] for field in table.schema if field.name in common)
