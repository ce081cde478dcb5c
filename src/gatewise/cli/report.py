"""``gatewise report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatewise.cli.named_table import ROWS, named_table


def report(
    artefact: Annotated[Path, typer.Argument(help="Folder of an artefact, of a run or of a comparison.")],
    table: Annotated[str | None, typer.Argument(help=f"{ROWS}, with features and labels.")] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Look at the slices of this column (repeatable).")
    ] = None,
    time: Annotated[
        str | None, typer.Option("--time", help="Show labels by day of this column; default: the recipe's split.")
    ] = None,
    now: Annotated[
        str | None, typer.Option("--now", help="When labels were read; default: the newest time of the table.")
    ] = None,
    output: Annotated[Path, typer.Option("--out", "--output", "-o", help="The file to write.")] = Path("report.html"),
) -> None:
    """Write one HTML file: model, training, metrics by slice, and the use of gates and experts."""
    from gatewise.jobs import report_file

    report_file(artefact, output, None if table is None else named_table(table), by, time, now)
    typer.echo(f"{output}: {output.stat().st_size / 1000:,.0f} kB", err=True)
