"""``gatewise export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatewise.cli.named_table import named_table
from gatewise.cli.show import change_table, out


def export(
    artefact: Annotated[Path, typer.Argument(help="Folder of an artefact or of a run.")],
    onnx: Annotated[Path | None, typer.Option("--onnx", help="Write an ONNX model here.")] = None,
    torch: Annotated[Path | None, typer.Option("--torch", help="Write a program of torch.export here (.pt2).")] = None,
    inputs: Annotated[
        str, typer.Option("--inputs", help="Of the ONNX model: raw columns, or the encoder's matrices (encoded).")
    ] = "raw",
    check: Annotated[
        str | None,
        typer.Option("--check", help="Compare on this table, not on made-up rows: a file, a folder, s3://..."),
    ] = None,
    int8_embeddings: Annotated[
        bool, typer.Option("--int8-embeddings", help="Round embeddings to 8 bits; --check TABLE shows what it costs.")
    ] = False,
) -> None:
    """Write a model that runs without Gatewise, after comparing its predictions with the artefact's."""
    from gatewise.jobs import export_files
    from gatewise.progress import at_terminal, working
    from gatewise.serving import find_artefact, load_artefact

    scorer = load_artefact(find_artefact(artefact)).scorer
    with working("exporting and comparing", at_terminal()):
        report = export_files(
            scorer,
            onnx,
            torch,
            inputs=inputs,
            check=None if check is None else named_table(check),
            int8_embeddings=int8_embeddings,
        )
    if report.before:
        out().print(change_table(report.before, report.after, f"metrics on {check}, with embeddings of"))
    for file in report.files:
        typer.echo(f"{file.path}: {file.size:,} bytes, largest difference {file.difference:.1e}", err=True)
