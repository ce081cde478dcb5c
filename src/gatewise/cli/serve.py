"""``gatewise serve``."""

from __future__ import annotations

import signal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gatewise.errors import DeclarationError, MissingExtraError


class TokenFor(StrEnum):
    """The paths that need the token."""

    admin = "admin"
    all = "all"


def serve(
    artefacts: Annotated[
        list[str] | None, typer.Argument(help="Artefacts or runs: PATH or NAME=PATH.", show_default=False)
    ] = None,
    models: Annotated[Path | None, typer.Option("--models", help="Folder of models: NAME/VERSION.")] = None,
    watch: Annotated[
        list[str] | None,
        typer.Option("--watch", help="Folder in which gatewise promote puts models in place: RUNS or NAME=RUNS."),
    ] = None,
    items: Annotated[Path | None, typer.Option("--items", help="CSV or Parquet with the features of items.")] = None,
    item_key: Annotated[str | None, typer.Option("--item-key", help="The column that names an item.")] = None,
    rows: Annotated[
        Path | None,
        typer.Option("--rows", help="CSV or Parquet with real rows to try on the page, such as the test's."),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0: all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", min=1, max=65_535, help="Port to listen on.")] = 8000,
    limit: Annotated[
        list[str] | None, typer.Option("--limit", help="A limit: --limit candidates=500 (repeatable).")
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option("--allowed-host", help="A name the service is called by, or *.example.com (repeatable)."),
    ] = None,
    admin: Annotated[
        bool | None,
        typer.Option(
            "--admin/--no-admin",
            help="Load and unload models over HTTP; by default where only this machine can ask, or with a token.",
            show_default=False,
        ),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with the token that clients show as Bearer TOKEN.")
    ] = None,
    token_for: Annotated[
        TokenFor, typer.Option("--token-for", help="What needs the token: administration and metrics, or all.")
    ] = TokenFor.admin,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="Print a line per request: method, path, status, milliseconds, rows.")
    ] = False,
) -> None:
    """Serve trained models over HTTP: /rank, /predict, the Open Inference Protocol, /metrics, a page at /."""
    if not artefacts and not watch and models is None:
        raise DeclarationError("serve: name an artefact, a folder of them with --models, or --watch a folder of runs")
    if (items is None) != (item_key is None):
        raise DeclarationError("serve: --items and --item-key belong together")
    if token_for is TokenFor.all and token_file is None:
        raise DeclarationError("serve: --token-for all needs --token-file")
    try:
        from gatewise import http
    except ImportError as error:
        if isinstance(error, MissingExtraError):
            raise
        raise MissingExtraError("serve", "gatewise serve") from None
    from gatewise.declare import from_dict

    limits = from_dict(http.Limits, _numbers(limit or []), "--limit")
    sources = http.sources_of(artefacts or [], models, watch or [])
    file = None if items is None or item_key is None else http.ItemFile(items, item_key)
    token = None if token_file is None else http.read_token(token_file)
    access = http.access_of(host, allowed_host or [], admin, token, everywhere=token_for is TokenFor.all)
    app = http.make_app(sources, limits, file, _tell, access, rows, typer.echo if access_log else None)
    # the server ends in its own way on a signal, and passes the signal on afterwards
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    http.serve(app, host, port, limits, _tell)


def _tell(line: str) -> None:
    typer.echo(line, err=True)


def _numbers(given: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise DeclarationError(f"--limit: expected NAME=NUMBER, found {one!r}")
        found[name] = value
    return found
