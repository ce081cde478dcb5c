"""CSV and TSV files, also gzipped, whole or piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from gatewise.data.plain_types import is_string
from gatewise.data.reading import Types, first_line, unique_names
from gatewise.errors import TableError

BLOCK_BYTES = 16 << 20


class CsvFile:
    """A text file with a header line; its errors name it, and the column where one is at fault."""

    def __init__(self, path: Path, delimiter: str = ",") -> None:
        self.path = path
        self.where = f"table {str(path)!r}"
        # a quoted value may hold a newline, also where one block ends and the next begins
        self.parsing = pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
        self.reading = pacsv.ReadOptions(block_size=BLOCK_BYTES)

    def names(self) -> list[str]:
        """Return the names of all columns; only the first block is read."""
        return list(self._inferred().names)

    def read(self, columns: Iterable[str] | None, types: Types) -> pa.Table:
        """Return the whole table, or those of the columns that it has; types are inferred from all rows."""
        schema = self._inferred()
        with self._explained(schema.names):
            converting = self._converting(schema, columns, types)
            table = pacsv.read_csv(self.path, self.reading, self.parsing, converting)
            return self._all_text(table)

    def stream(self, columns: Iterable[str] | None, types: Types, rows: int) -> Iterator[pa.Table]:  # noqa: ARG002
        """Yield the table block by block; types that are not given are inferred from the first block."""
        schema = self._inferred()
        with self._explained(schema.names):
            converting = self._converting(schema, columns, types)
            with pacsv.open_csv(self.path, self.reading, self.parsing, converting) as reader:
                empty = True
                for batch in reader:
                    empty = False
                    yield self._all_text(pa.Table.from_batches([batch]))
                if empty:
                    yield reader.schema.empty_table()

    def _inferred(self) -> pa.Schema:
        with self._explained([]), pacsv.open_csv(self.path, self.reading, self.parsing) as probe:
            unique_names(probe.schema, self.where)
            return probe.schema

    def _converting(self, schema: pa.Schema, columns: Iterable[str] | None, types: Types) -> pacsv.ConvertOptions:
        wanted = set(schema.names if columns is None else columns)
        known = {name: t for name, t in types.items() if name in schema.names and _applies(t, schema.field(name).type)}
        # an empty list would mean all columns
        present = [name for name in schema.names if name in wanted] or schema.names[:1]
        return pacsv.ConvertOptions(column_types=known, include_columns=present, strings_can_be_null=True)

    def _all_text(self, table: pa.Table) -> pa.Table:
        for field in table.schema:
            # what Arrow infers for bytes that are no UTF-8
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


def _applies(known: pa.DataType, inferred: pa.DataType) -> bool:
    """Whether to read a column as the type it is known to have: text always, numbers unless they look otherwise.

    Integers may have been learnt from ``true`` and ``false`` or from ``1.0``, which no conversion to integers takes.
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
