"""Reading CSV and TSV files, also gzipped, whole or in pieces."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from typing_extensions import override

from gatewise.data.plain_types import is_string
from gatewise.data.reading import Types, first_line, unique_names
from gatewise.data.sources.digests import digest_of
from gatewise.data.sources.source import Columns, Extent, Source
from gatewise.data.sources.stored_file import StoredFile
from gatewise.errors import GatewiseWarning, TableError

BLOCK_BYTES = 16 << 20
Pieces = Callable[[pacsv.ConvertOptions], Iterator[pa.Table]]


NULLS = (
    *("", "NA", "N/A", "n/a", "<NA>", "#N/A", "#N/A N/A", "#NA", "NULL", "null", "None"),
    *("NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""Spellings of null in columns of numbers, quoted or not; in text columns they are ordinary texts."""
LEADING_ZERO = "^[+-]?0[0-9]"
UNPACKED = 4
"""How many times larger than its file a compressed table is taken to be."""


class CsvFile(Source):
    """A text file with a header line; errors name the file and, if known, the column.

    In a text column an empty field is null, and a quoted empty field is the empty string. Integers with leading zeros
    in the first block are text, unless the column's type is known to be a number.
    """

    takes_types = True

    def __init__(self, file: StoredFile, delimiter: str = ",") -> None:
        self.file = file
        self.shown = file.shown
        self.where = f"table {file.shown!r}"
        # a quoted value may hold a newline, also at the boundary of two blocks
        self.parsing = pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
        self.reading = pacsv.ReadOptions(block_size=BLOCK_BYTES)

    @override
    def names(self) -> list[str]:
        """Return the names of all columns; only the first block is read."""
        return list(self._inferred().names)

    @override
    def read(self, columns: Columns, types: Types) -> pa.Table:
        """Return the whole table, or the columns of ``columns`` that exist; types are inferred from all rows."""
        schema = self._inferred()
        with self._explained(schema.names):
            converting = self._converting(schema, columns, types)
            [table] = self._with_nulls(self._whole, converting)
            return table

    @override
    def stream(self, columns: Columns, types: Types, rows: int) -> Iterator[pa.Table]:
        """Yield the table block by block; unknown types are inferred from the first block."""
        schema = self._inferred()
        with self._explained(schema.names):
            yield from self._with_nulls(self._blocks, self._converting(schema, columns, types))

    def schema_of(self, columns: Columns, types: Types) -> pa.Schema:
        """Return names and types of the wanted columns that exist, as the first block says; no more is read."""
        schema = self._inferred()
        with self._explained(schema.names):
            converting = self._converting(schema, columns, types)
            known = converting.column_types
            return pa.schema([(name, known.get(name, schema.field(name).type)) for name in converting.include_columns])

    @override
    def identity(self, columns: Columns = None) -> str:
        """Return a digest of the file's path, size and time of change."""
        with self._explained([]):
            return digest_of(self.file.version())

    @override
    def extent(self, columns: Columns = None) -> Extent:
        """Return the file's size, of all columns: only reading says how many rows there are."""
        with self._explained([]):
            return Extent(None, self.file.bytes * (UNPACKED if self.file.path.lower().endswith(".gz") else 1))

    def _whole(self, converting: pacsv.ConvertOptions) -> Iterator[pa.Table]:
        with self.file.open_stream() as stream:
            yield pacsv.read_csv(stream, self.reading, self.parsing, converting)

    @contextmanager
    def _open(self, converting: pacsv.ConvertOptions | None = None) -> Iterator[pacsv.CSVStreamingReader]:
        with (
            self.file.open_stream() as stream,
            pacsv.open_csv(stream, self.reading, self.parsing, converting) as reader,
        ):
            yield reader

    def _blocks(self, converting: pacsv.ConvertOptions) -> Iterator[pa.Table]:
        with self._open(converting) as reader:
            empty = True
            for batch in reader:
                empty = False
                yield pa.Table.from_batches([batch])
            if empty:
                yield reader.schema.empty_table()

    def _with_nulls(self, pieces_of: Pieces, converting: pacsv.ConvertOptions) -> Iterator[pa.Table]:
        """Yield pieces in which an empty unquoted field of a text column is null.

        Arrow has one set of null spellings for all columns. So text columns are read without null spellings; from the
        first piece with an empty text on, they are read a second time, with the empty field as null.
        """
        texts: Iterator[pa.Table] | None = None
        for place, piece in enumerate(map(self._all_text, pieces_of(converting))):
            empty = [field.name for field in piece.schema if is_string(field.type) and _has_empty(piece[field.name])]
            if texts is None and empty:
                names = [field.name for field in piece.schema if is_string(field.type)]
                texts = islice(pieces_of(_texts_alone(names if pieces_of == self._blocks else empty)), place, None)
            yield piece if texts is None else _replaced(piece, next(texts))

    def _inferred(self) -> pa.Schema:
        with self._explained([]), self._open() as probe:
            unique_names(probe.schema, self.where)
            return probe.schema

    def _converting(self, schema: pa.Schema, columns: Iterable[str] | None, types: Types) -> pacsv.ConvertOptions:
        wanted = set(schema.names if columns is None else columns)
        known = {name: t for name, t in types.items() if name in schema.names and _applies(t, schema.field(name).type)}
        # an empty list would mean all columns
        present = [name for name in schema.names if name in wanted] or schema.names[:1]
        guessed = [name for name in present if name not in types and pa.types.is_integer(schema.field(name).type)]
        known |= dict.fromkeys(self._zero_padded(guessed), pa.string())
        return pacsv.ConvertOptions(column_types=known, include_columns=present, null_values=NULLS)

    def _zero_padded(self, names: list[str]) -> list[str]:
        """Return the integer columns with leading zeros in the first block."""
        if not names:
            return []
        with self._open(_texts_alone(names)) as reader:
            block = next(iter(reader), None)
        found = []
        for name, texts in zip(names, () if block is None else block.columns, strict=False):
            padded = texts.filter(pc.match_substring_regex(texts, LEADING_ZERO))
            if len(padded):
                found.append(name)
                values = f"column {name!r} has leading zeros, such as {padded[0].as_py()!r}, and is read as text"
                remedy = 'declare the feature with dtype="integer" where they mean nothing'
                warnings.warn(f"{self.where}: {values}; {remedy}", GatewiseWarning, stacklevel=2)
        return found

    def _all_text(self, table: pa.Table) -> pa.Table:
        for field in table.schema:
            # the type that Arrow infers for bytes that are not UTF-8
            if pa.types.is_binary(field.type):
                raise TableError(f"{self.where}: column {field.name!r} is not UTF-8 text; save it as UTF-8")
        return table

    @contextmanager
    def _explained(self, header: list[str]) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:
            reason = f"its header is not UTF-8 text ({error.reason}); save it as UTF-8"
            raise TableError(f"{self.where}: {reason}") from None
        except pa.ArrowInvalid as error:
            raise TableError(f"{self.where}: {_problem(error, header)}") from None
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{self.where} is no readable CSV file: {first_line(error)}") from None


def _texts_alone(names: list[str]) -> pacsv.ConvertOptions:
    return pacsv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        include_columns=names,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )


def _has_empty(texts: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.equal(pc.binary_length(texts), 0)).as_py())


def _replaced(piece: pa.Table, texts: pa.Table) -> pa.Table:
    for name in texts.column_names:
        piece = piece.set_column(piece.column_names.index(name), name, texts[name])
    return piece


def _applies(known: pa.DataType, inferred: pa.DataType) -> bool:
    """Whether to read a column in its known type: always for text, for numbers unless the values look different.

    Integers may have been learnt from ``true`` and ``false`` or from ``1.0``, which Arrow cannot convert to integers.
    """
    return bool(is_string(known) or pa.types.is_integer(inferred) or pa.types.is_null(inferred))


def _problem(error: Exception, header: list[str]) -> str:
    message = first_line(error)
    if "Empty CSV file" in message:
        return "the file is empty, expected a header line"
    if message.startswith("In CSV column #") and header:
        number, message = message.removeprefix("In CSV column #").split(": ", 1)
        message = f"column {header[int(number)]!r}: {message}"
    return f"{message}; save it as UTF-8" if "UTF8" in message else message
