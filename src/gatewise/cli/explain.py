"""``gatewise explain``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gatewise.cli.named_table import ROWS, named_table
from gatewise.cli.show import out
from gatewise.cli.show_explanation import explanation_tables
from gatewise.errors import TableError


def explain(
    artefact: Annotated[Path, typer.Argument(help="Folder of an artefact or of a run.")],
    row: Annotated[
        str, typer.Option("--row", "-r", help="Number of a row of the table, from 0; or its values as JSON, by column.")
    ],
    table: Annotated[
        str | None, typer.Option("--table", "-t", help=f"{ROWS}: the row's, and others to hold it against.")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many features to show.")] = 10,
    draws: Annotated[int, typer.Option("--draws", min=1, help="How many orders of features: more are exacter.")] = 100,
    seed: Annotated[int, typer.Option("--seed", help="Of the draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take one prediction apart: gates, and what every expert and feature adds to each score."""
    wanted = parse_row(row)
    from gatewise.analysis import json_values
    from gatewise.loading import load
    from gatewise.progress import at_terminal, working
    from gatewise.serving import find_artefact

    ranker = load(find_artefact(artefact))
    with working("taking the prediction apart", at_terminal()):
        found = ranker.explain(wanted, None if table is None else named_table(table), draws=draws, seed=seed)
    if as_json:
        typer.echo(json.dumps(json_values(found), indent=2, ensure_ascii=False, default=str))
    else:
        title = f"row {wanted} of {table}" if isinstance(wanted, int) else "the row given"
        out().print(explanation_tables(found, title, top))


def parse_row(text: str) -> int | dict[str, Any]:
    """Return a row's number, or its values by column.

    Raises:
        TableError: the text is neither.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise TableError(
            f"--row: expected a number, or JSON such as '{{\"user\": 3}}', found {text!r} ({error})"
        ) from None
    if isinstance(found, dict) or type(found) is int:
        return found
    raise TableError(f"--row: expected a number, or values by column, found {type(found).__name__} {text}")
