"""``gatewise runs``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatewise.grids import Grid, number

if TYPE_CHECKING:
    from gatewise.jobs import Run

SHOWN = 3
"""Main metrics in a line of the list; ``--json`` has all."""


def runs(
    folder: Annotated[Path, typer.Argument(help="Folder of runs, and of folders of runs.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all that is known of every run.")] = False,
) -> None:
    """List runs, the newest first: when (UTC), state, recipe, training rows, main metrics, what it was updated from."""
    from gatewise.cli.show import drawn, out
    from gatewise.jobs import find_runs

    found = find_runs(folder)
    if as_json:
        typer.echo(json.dumps([run.to_dict() for run in found], indent=2))
        return
    if not found:
        typer.echo(f"no runs in {folder}")
        return
    headings = ["run", "when", "state", "recipe", "rows", "main metrics", "updated from"]
    lines = [_line(run) for run in found]
    # a column in which nothing stands takes the place of others
    used = [place for place in range(len(headings)) if any(line[place] for line in lines)]
    out().print(drawn(Grid([headings[place] for place in used], [[line[place] for place in used] for line in lines])))
    for run in found:
        if run.in_place:
            typer.echo(f"in place: {run.name}")
        if run.problem is not None:
            typer.echo(f"{run.name}: {run.problem}")


def _line(run: Run) -> list[str]:
    when = "" if run.when is None else run.when[:16].replace("T", " ")
    rows = f"{run.rows['training']:,}" if "training" in run.rows else ""
    values = [f"{output} {each.metric} {number(each.value)}" for output, each in run.main.items()]
    more = [f"{len(values) - SHOWN} more"] if len(values) > SHOWN else []
    on = "" if run.judged_on in (None, "test") else f" ({run.judged_on})"
    return [run.name, when, run.state, run.recipe or "", rows, ", ".join(values[:SHOWN] + more) + on, run.parent or ""]
