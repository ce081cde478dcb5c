"""``gatewise cache``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from gatewise.grids import Grid

HOME = typer.Option("--folder", help="Folder of the caches; default: GATEWISE_CACHE, or the user's cache folder.")

cache = typer.Typer(
    name="cache", help="Encoded rows on disk, of tables that do not fit into memory: list them, remove them."
)


@cache.command("ls")
def list_caches(folder: Annotated[Path | None, HOME] = None) -> None:
    """List the caches, the last written first: name, rows, size, age, source."""
    from gatewise.data import cache_home, caches

    found = caches(folder)
    if not found:
        typer.echo(f"no caches in {folder or cache_home()}")
        return
    rows = [
        [
            each.folder.name,
            "not complete" if each.rows is None else f"{each.rows:,}",
            f"{each.size / 1e6:,.0f}",
            f"{(time.time() - each.used) / 86400:.1f}",
            each.source,
        ]
        for each in found
    ]
    total = f"{sum(each.size for each in found) / 1e6:,.0f} MB in {found[0].folder.parent}"
    typer.echo(Grid(["name", "rows", "MB", "days old", "source"], rows, note=total).text())


@cache.command("rm")
def remove(
    names: Annotated[list[str] | None, typer.Argument(help="Names, or beginnings of names.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Remove all caches.")] = False,
    folder: Annotated[Path | None, HOME] = None,
) -> None:
    """Remove caches; the next training of their tables encodes the rows anew."""
    from gatewise.data import caches, remove_cache
    from gatewise.errors import DeclarationError

    chosen = [each.folder.name for each in caches(folder)] if every else list(names or [])
    if not chosen and not every:
        raise DeclarationError("cache rm: expected names, such as gatewise cache ls shows, or --all")
    for name in chosen:
        typer.echo(f"{name}: {remove_cache(name, folder) / 1e6:,.0f} MB freed")
