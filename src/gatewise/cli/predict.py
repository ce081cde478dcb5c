"""``gatewise predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatewise.cli.launch import end_with_launcher, launch
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
    ranks: Annotated[int, typer.Option("--ranks", min=1, help="Processes on this machine that share the rows.")] = 1,
) -> None:
    """Predict every row of a table, piece by piece, one column per task."""
    end_with_launcher()
    if ranks > 1:
        raise typer.Exit(launch(ranks))
    from gatewise.distributed import processes
    from gatewise.jobs import predict_file
    from gatewise.progress import at_terminal, counting
    from gatewise.serving import find_artefact, load_artefact

    rows_of = named_table(table)
    scorer = load_artefact(find_artefact(artefact)).scorer
    among = processes()
    with counting("rows predicted", at_terminal() and among.rank == 0) as count:
        rows = predict_file(scorer, rows_of, output, keep or [], count, calibrated=calibrated, processes=among)
    if among.rank == 0:
        typer.echo(f"{rows:,} rows -> {output}", err=True)
