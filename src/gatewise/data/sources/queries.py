"""The rows of a query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from typing_extensions import override

from gatewise.data.reading import Types, unique_names
from gatewise.data.sources.databases import CAST, rows_of, shown_uri
from gatewise.data.sources.source import Columns, Extent, Source
from gatewise.data.sources.spool import Spool
from gatewise.errors import TableError

UUID = b"uuid"


class Query(Source):
    """The rows of a query, read once and kept in a temporary folder for all later passes; see :func:`sql`."""

    def __init__(self, uri: str, query: str, parameters: Sequence[Any] = ()) -> None:
        self._uri, self.query, self.parameters = uri, query, tuple(parameters)
        self.shown = f"query on {shown_uri(uri)!r}"
        self._spool: Spool | None = None

    @override
    def __repr__(self) -> str:
        more = f", parameters={list(self.parameters)!r}" if self.parameters else ""
        return f"gatewise.sql({shown_uri(self._uri)!r}, {self.query!r}{more})"

    @override
    def __getstate__(self) -> dict[str, Any]:
        # another process asks the database anew; a password is never written
        return {"_uri": shown_uri(self._uri), "query": self.query, "parameters": self.parameters, "shown": self.shown}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _spool=None)

    @override
    def names(self) -> list[str]:
        return list(self._rows().schema.names)

    @override
    def read(self, columns: Columns, types: Types) -> pa.Table:
        return pa.concat_tables(self.stream(columns, types, 1 << 20))

    @override
    def stream(self, columns: Columns, types: Types, rows: int) -> Iterator[pa.Table]:
        spool = self._rows()
        wanted = None if columns is None else list(columns)
        for field in spool.schema:
            if wanted is not None and field.name in wanted:
                self._check(field)
        yield from spool.pieces(wanted, rows)

    @override
    def identity(self, columns: Columns = None) -> str:
        """Return a digest of the values."""
        return self._rows().digest()

    @override
    def extent(self, columns: Columns = None) -> Extent:
        """Return rows and bytes of the wanted columns, which are known when the query has run."""
        return self._rows().extent(columns)

    def close(self) -> None:
        """Remove the kept rows now; the next pass runs the query anew."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def _rows(self) -> Spool:
        if self._spool is None:
            with rows_of(self._uri, self.query, self.parameters) as reader:
                if not len(reader.schema):
                    raise TableError(f"{self.shown}: gave no columns, expected a statement that returns rows")
                schema = pa.schema([_with_uuids(field) for field in unique_names(reader.schema, self.shown)])
                batches = (_as(batch, schema) for batch in reader)
                self._spool = Spool(batches, schema, self.shown)
        return self._spool

    def _check(self, field: pa.Field) -> None:
        dtype = field.type
        while pa.types.is_list(dtype) or pa.types.is_large_list(dtype):
            dtype = dtype.value_type
        if getattr(dtype, "extension_name", "") == "arrow.opaque":
            told = f"has the type {dtype.type_name.upper()} of {dtype.vendor_name}, which Arrow does not know"
            raise TableError(f"{self.shown}: column {field.name!r} {told}: {CAST.format(name=field.name)}")


def sql(uri: str, query: str, parameters: Sequence[Any] = ()) -> Query:
    """Return the rows of a query as a table for ``fit``, ``predict``, ``evaluate`` and all other functions.

    The query runs when its rows are first needed, once: a query has no stable order. All passes read the rows that it
    gave, from a private temporary folder, which is removed with the returned object or at the end of the process.
    Needs the extra ``sql``.

    Args:
        uri: the database: ``postgresql://user@host/db``, ``duckdb:///file``, ``sqlite:///file`` (four slashes before an
            absolute path). Leave the password to PGPASSWORD or ``.pgpass``.
        query: one statement that returns rows.
        parameters: values for ``$1``, ``$2`` (PostgreSQL) or ``?`` (DuckDB, SQLite) in the query.

    Raises:
        TableError: from the functions that read: the database or the query refuses; one line without passwords.
        MissingExtraError: from the functions that read: the database's driver is not installed.

    Example:
        >>> import gatewise as gw
        >>> gw.data.read_table(gw.sql("duckdb://", "select 1 as user, ? as click", [True])).to_pydict()
        {'user': [1], 'click': [True]}
    """
    return Query(uri, query, parameters)


def _with_uuids(field: pa.Field) -> pa.Field:
    """Return a field whose 16 bytes are known as a UUID, which drivers tell in its metadata."""
    told = field.metadata or {}
    is_uuid = pa.types.is_fixed_size_binary(field.type) and field.type.byte_width == 16 and UUID in told.values()
    return pa.field(field.name, pa.uuid() if is_uuid and hasattr(pa, "uuid") else field.type)


def _as(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        pa.ExtensionArray.from_storage(field.type, column) if field.type != column.type else column
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
