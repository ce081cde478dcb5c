"""``gatewise look``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatewise.cli.named_table import ROWS, named_table


def look(
    table: Annotated[str, typer.Argument(help=f"{ROWS}.")],
    output: Annotated[Path, typer.Option("--out", "--output", "-o", help="The page to write.")] = Path("look.html"),
    task: Annotated[
        list[str] | None, typer.Option("--task", help="A label column (repeatable); default: proposed.")
    ] = None,
    time: Annotated[str | None, typer.Option("--time", help="Column of the rows' time, or none.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Column of groups, or none.")] = None,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Write the page.")] = True,
) -> None:
    """Show what a table holds: columns, labels, leaks, copies; print it, and write one HTML page."""
    from gatewise.cli.show import out
    from gatewise.cli.show_look import columns_table, labels_table, said_of
    from gatewise.jobs import propose_if_possible, write_look
    from gatewise.look import Look
    from gatewise.progress import at_terminal, working

    with working("looking at the table", at_terminal()):
        found = Look(named_table(table)).profile(task, time=time, group=group)
    proposal = propose_if_possible(found)
    console = out()
    console.print(columns_table(found, proposal))
    console.print(labels_table(found))
    for line in said_of(found, proposal):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    if page:
        write_look(found, proposal, output)
        typer.echo(f"{output}: {output.stat().st_size / 1000:,.0f} kB", err=True)
