"""``gatewise predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatewise.cli.named_table import ROWS, named_table


def predict(
    artefact: Annotated[Path, typer.Argument(help="Folder of an artefact or of a run.")],
    table: Annotated[str, typer.Argument(help=f"{ROWS}, with the features.")],
    output: Annotated[
        str, typer.Option("--output", "-o", help="Where to write: a .parquet or .csv file, or a folder; s3://... too.")
    ],
    keep: Annotated[
        list[str] | None, typer.Option("--keep", "-k", help="Copy this column of the table too (repeatable).")
    ] = None,
    calibrated: Annotated[bool, typer.Option("--calibrated", help="Write calibrated probabilities.")] = False,
) -> None:
    """Predict every row of a table, piece by piece, one column per task."""
    from gatewise.jobs import predict_file
    from gatewise.progress import at_terminal, counting
    from gatewise.serving import find_artefact, load_artefact

    rows_of = named_table(table)
    scorer = load_artefact(find_artefact(artefact)).scorer
    with counting("rows predicted", at_terminal()) as count:
        rows = predict_file(scorer, rows_of, output, keep or [], count, calibrated=calibrated)
    typer.echo(f"{rows:,} rows -> {output}", err=True)
