"""Where rows come from, as a recipe or a command names it: paths, addresses in buckets, a query."""

from __future__ import annotations

import datetime
import re
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from gatewise.declare.base import declaration, from_dict, read_yaml
from gatewise.errors import DeclarationError

SECRETS = ("password", "sslpassword", "passwd", "secret", "secret_key", "account_key", "token", "sas")
"""Parts of an address's query that are secret."""
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://?")
HIDDEN = "***"
FILES = ("sqlite", "duckdb")
"""Databases that are one file."""


def is_uri(value: object) -> bool:
    """Whether a text is an address such as ``s3://bucket/logs``; a ``Path`` has lost one of its slashes."""
    found = SCHEME.match(str(value)) if isinstance(value, (str, Path)) else None
    # a letter alone is a drive
    return found is not None and found.end() > len("c:/") and ("//" in found.group() or isinstance(value, Path))


def uri_of(value: str | Path) -> str:
    """Return an address with both slashes, which ``Path`` makes one of."""
    text = str(value)
    return re.sub(r"^([A-Za-z][A-Za-z0-9+.-]*):/(?!/)", r"\1://", text) if isinstance(value, Path) else text


def secrets_of(uri: str) -> list[str]:
    """Return the passwords and keys in an address, as they stand there and decoded."""
    parts = urlsplit(uri)
    user, _, _ = parts.netloc.rpartition("@")
    found = [user.partition(":")[2]] if ":" in user else []
    found += [text.partition("=")[2] for text in parts.query.split("&") if text.partition("=")[0].lower() in SECRETS]
    return [text for secret in found if secret for text in dict.fromkeys((secret, unquote(secret)))]


def without_secrets(uri: str) -> str:
    """Return an address with its passwords and keys hidden."""
    before, slashes, rest = uri.partition("://")
    address, mark, options = rest.partition("?")
    place, slash, path = address.partition("/")
    user, at, host = place.rpartition("@")
    told = [text.partition("=") for text in options.split("&")]
    shown = "&".join(key + sign + (HIDDEN if key.lower() in SECRETS else value) for key, sign, value in told)
    return before + slashes + user.partition(":")[0] + at + host + slash + path + mark + shown


def _no_secrets(uri: str) -> str:
    if is_uri(uri) and secrets_of(uri):
        shown = without_secrets(uri)
        raise ValueError(
            f"{shown!r} holds a password or a key: leave it to the environment, such as PGPASSWORD, or .pgpass"
        )
    return uri


Place = Annotated[str, AfterValidator(_no_secrets)]
"""A path, a glob or an address without a password."""
Value = Annotated[
    int | float | str | bool | None,
    BeforeValidator(lambda value: value.isoformat() if isinstance(value, datetime.date) else value),
]
"""A parameter of a query; dates become ISO text."""


@declaration
class Sql:
    """A query of a database, such as ``{sql: postgresql://host/db, query: select ...}``."""

    sql: Place = field(kw_only=True)
    """Address of the database: ``postgresql://``, ``duckdb:///file`` or ``sqlite:///file``; without a password."""
    query: Annotated[str, Field(min_length=1)] = field(kw_only=True)
    """One statement that returns rows."""
    parameters: tuple[Value, ...] = field(default=(), kw_only=True)
    """Values for ``$1``, ``$2`` (PostgreSQL) or ``?`` (DuckDB, SQLite) in the query."""


def _kind(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "several"
    return "query" if isinstance(value, (dict, Sql)) else "one"


Rows: TypeAlias = Annotated[
    Annotated[Place, Tag("one")] | Annotated[tuple[Place, ...], Tag("several")] | Annotated[Sql, Tag("query")],
    Discriminator(_kind),
]
"""Where rows come from: a file, folder, glob or address; a list of these; or a query."""


@declaration
class Named:
    """What a command's argument names."""

    table: Rows
    """Where the rows come from."""


def named_rows(text: str) -> Rows:
    """Return what a command's argument names; ``[a, b]`` and ``{sql: ..., query: ...}`` are YAML, as in a recipe.

    Raises:
        DeclarationError: the YAML is not valid, or an address holds a password.
    """
    is_yaml = text.startswith(("{", "[")) and not Path(text).exists()
    try:
        return from_dict(Named, {"table": read_yaml(text, "table") if is_yaml else text}).table
    except DeclarationError as error:
        raise DeclarationError(str(error).replace(f"{Named.__name__}.table", "table")) from None


def located(rows: Rows, folder: Path) -> Any:
    """Return rows with paths relative to a folder, as the tables' readers take them; addresses stay as they are."""
    if isinstance(rows, Sql):
        scheme, path = urlsplit(rows.sql).scheme, rows.sql.partition(":///")[2]
        is_relative = scheme in FILES and path and not path.startswith(("/", ":"))
        return Sql(
            sql=f"{scheme}:///{(folder / path).absolute()}" if is_relative else rows.sql,
            query=rows.query,
            parameters=rows.parameters,
        )
    if isinstance(rows, tuple):
        return [located(each, folder) for each in rows]
    return rows if is_uri(rows) else folder / rows
