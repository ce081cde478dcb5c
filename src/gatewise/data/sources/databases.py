"""Running a query in a database and reading its rows as Arrow: PostgreSQL and SQLite through ADBC, DuckDB by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa

from gatewise.declare import secrets_of, without_secrets
from gatewise.errors import MissingExtraError, TableError, did_you_mean

BATCH = 65_536
NOISE = re.compile(
    r"^([A-Z_]+: )?(\[\w+\] )?((Failed to (\w+ )*\w+|could not begin COPY|[A-Za-z]+ Error): )*"
    r"(PGRES_\w+ )?((ERROR|FATAL): +)?"
)
"""What drivers write before the reason."""
CAST = "cast it in the query, such as {name}::float8 (or ::bigint, ::text)"


@contextmanager
def rows_of(uri: str, query: str, parameters: Sequence[Any]) -> Iterator[pa.RecordBatchReader]:
    """Yield the rows of a query, while the connection is open.

    Raises:
        TableError: the database or the query refuses, or the server goes away; one line without passwords.
        MissingExtraError: the database's driver is not installed.
    """
    scheme = uri.partition(":")[0].lower()
    if scheme not in OPENERS or "://" not in uri:
        expected = ", ".join(f"{each}://" for each in OPENERS)
        raise TableError(f"query on {shown_uri(uri)!r}: expected {expected}{did_you_mean(scheme, OPENERS)}")
    if not query.strip():
        raise TableError(f"query on {shown_uri(uri)!r}: is empty, expected a statement that returns rows")
    with _explained(uri), OPENERS[scheme](uri, query, parameters) as reader:
        yield reader


def shown_uri(uri: str) -> str:
    """Return a database's address for messages: without passwords and options."""
    return without_secrets(uri).partition("?")[0]


@contextmanager
def _postgresql(uri: str, query: str, parameters: Sequence[Any]) -> Iterator[pa.RecordBatchReader]:
    dbapi = _driver("adbc_driver_postgresql")
    with closing(dbapi.connect(uri)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(query, list(parameters) or None)
        yield cursor.fetch_record_batch()


@contextmanager
def _sqlite(uri: str, query: str, parameters: Sequence[Any]) -> Iterator[pa.RecordBatchReader]:
    dbapi = _driver("adbc_driver_sqlite")
    path = _file_of(uri)
    # types are those of the first rows: the more of them, the better
    options = {"adbc.sqlite.query.batch_rows": str(BATCH)}
    address = f"file:{quote(str(path))}?mode=ro" if path is not None else ":memory:"
    with (
        closing(dbapi.connect(address)) as connection,
        closing(connection.cursor(adbc_stmt_kwargs=options)) as cursor,
    ):
        cursor.execute(query, list(parameters) or None)
        yield cursor.fetch_record_batch()


@contextmanager
def _duckdb(uri: str, query: str, parameters: Sequence[Any]) -> Iterator[pa.RecordBatchReader]:
    try:
        import duckdb
    except ImportError:
        raise MissingExtraError("sql", "a query of DuckDB") from None
    path = _file_of(uri)

    def connect(*, read_only: bool) -> Any:
        return duckdb.connect(":memory:" if path is None else str(path), read_only=read_only and path is not None)

    try:
        connection = connect(read_only=True)
    except duckdb.ConnectionException:
        # this process holds the file open for writing
        connection = connect(read_only=False)
    with closing(connection):
        found = connection.sql(query, params=list(parameters) or None)
        if found is None:
            raise TableError(f"query on {shown_uri(uri)!r}: gave no columns, expected a statement that returns rows")
        yield found.to_arrow_reader(BATCH) if hasattr(found, "to_arrow_reader") else found.fetch_arrow_reader(BATCH)


def _driver(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"{name}.dbapi")
    except ImportError:
        raise MissingExtraError("sql", f"a query ({name.replace('_', '-')})") from None


def _file_of(uri: str) -> Path | None:
    """Return the file of a database: ``sqlite:///relative.db``, ``sqlite:////absolute.db``; None for one in memory."""
    scheme, _, rest = uri.partition("://")
    path = unquote(rest.partition("?")[0]).removeprefix("/")
    if path in ("", ":memory:"):
        return None
    if not rest.startswith("/"):
        raise TableError(f"query on {shown_uri(uri)!r}: expected three slashes before a file, {scheme}:///{path}")
    found = Path(path)
    if not found.exists():
        beside = [each.name for each in found.parent.iterdir()] if found.parent.is_dir() else []
        hint = did_you_mean(found.name, beside)
        slash = "" if found.is_absolute() or hint else "; an absolute path has four slashes"
        raise TableError(f"query on {shown_uri(uri)!r}: file {path!r} does not exist{hint}{slash}")
    return found


OPENERS: dict[str, Callable[[str, str, Sequence[Any]], Any]] = {
    "postgresql": _postgresql,
    "postgres": _postgresql,
    "duckdb": _duckdb,
    "sqlite": _sqlite,
}


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    try:
        yield
    except (TableError, MissingExtraError):
        raise
    except Exception as error:
        module = type(error).__module__.partition(".")[0]
        if module not in ("adbc_driver_manager", "duckdb", "_duckdb") and not isinstance(
            error, (pa.ArrowException, OSError)
        ):
            raise
        raise TableError(f"query on {shown_uri(uri)!r}: {_reason(str(error), uri)}") from None


def _reason(text: str, uri: str) -> str:
    """Return a driver's message as one line: the reason, and the hint where there is one."""
    for secret in secrets_of(uri):
        text = text.replace(secret, "***")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = NOISE.sub("", lines[0]) if lines else "no reason given"
    hint = next((line.removeprefix("HINT:").strip() for line in lines if line.startswith("HINT:")), "")
    return f"{first.rstrip('.')}; {hint}" if hint else first
