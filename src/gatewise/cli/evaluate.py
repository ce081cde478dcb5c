"""``gatewise evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gatewise.cli.show import metrics_table, out


def evaluate(
    artefact: Annotated[Path, typer.Argument(help="Folder of an artefact or of a run.")],
    table: Annotated[Path, typer.Argument(help="CSV or Parquet with features and labels.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print every metric of every task over a table."""
    from gatewise.jobs import find_artefact
    from gatewise.progress import at_terminal, working
    from gatewise.serving import load_artefact

    scorer = load_artefact(find_artefact(artefact)).scorer
    with working(f"evaluating {table}", at_terminal()):
        metrics = scorer.evaluate(table)
    if as_json:
        typer.echo(json.dumps(metrics, indent=2))
    else:
        out().print(metrics_table(metrics, f"metrics on {table}"))
