"""``gatewise schema``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write a file instead of printing.")] = None,
) -> None:
    """Print the JSON Schema of recipes, by which editors complete and check them.

    An editor with the YAML language server reads it where the first line of a recipe says
    "# yaml-language-server: $schema=FILE".
    """
    from gatewise.declare.json_schema import recipe_schema
    from gatewise.files import write_text

    found = json.dumps(recipe_schema(), indent=1, ensure_ascii=False)
    if output is None:
        typer.echo(found)
        return
    write_text(output, found + "\n")
    typer.echo(f"schema of recipes -> {output}")
    typer.echo(f"first line of a recipe beside it: # yaml-language-server: $schema={output.name}")
