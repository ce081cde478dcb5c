"""``gatewise convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    weights: Annotated[Path, typer.Argument(help="A state dictionary, as torch.save wrote it; nothing is executed.")],
    library: Annotated[str, typer.Option("--from", help="The library: torch-rechub or deepctr-torch.")],
    spec: Annotated[Path, typer.Option("--spec", help="YAML: the model's class, features and tasks.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Write the artefact here.")],
) -> None:
    """Turn a trained model of another library into an artefact that predicts the same."""
    from gatewise.convert import convert_file

    ranker = convert_file(weights, spec, library)
    ranker.save(out)
    features, tasks = len(ranker.schema.features), len(ranker.schema.tasks)
    typer.echo(f"{out}: {ranker.options.model.kind} with {features} features and {tasks} tasks", err=True)
