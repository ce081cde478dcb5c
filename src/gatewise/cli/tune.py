"""``gatewise tune``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatewise.cli.show import out
from gatewise.machine import tune_process

if TYPE_CHECKING:
    from gatewise.jobs.tune import Search

SHOWN = 5
"""Trials, and options by importance, that the terminal shows."""


def tune(
    recipe: Annotated[Path, typer.Argument(help="YAML file; its 'tune' says where to look besides the defaults.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the search; default: the recipe's, with -tune.")
    ] = None,
    trials: Annotated[int, typer.Option("--trials", help="How many trials in all, with those that are there.")] = 30,
    minutes: Annotated[
        float | None, typer.Option("--minutes", help="Begin no trial after so many minutes, and end the last one.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override an option: --set training.epochs=3 (repeatable).")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the search.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Forget the search in the folder.")] = False,
    report: Annotated[bool, typer.Option(help="Write tune.html, too, where the extra is installed.")] = True,
) -> None:
    """Search for the options of a recipe; what was interrupted or killed goes on with the same command."""
    tune_process()
    from gatewise.files import write_text
    from gatewise.jobs import afterwards, name_of
    from gatewise.jobs.tune import PAGE
    from gatewise.jobs.tune import tune as look_for
    from gatewise.report import render
    from gatewise.report.search import search_page

    found = look_for(
        recipe, output, overrides=set_ or [], trials=trials, minutes=minutes, seed=seed, overwrite=overwrite
    )
    _show(found)
    folder = found.recipe.parent
    if report:
        target = folder / PAGE

        def write() -> None:
            page = search_page(found.trials, found.best, found.importance, found.goal, name_of(folder))
            write_text(target, render(page))

        typer.echo(afterwards(write, target))
    typer.echo(f"train:    {shlex.join(['gatewise', 'train', str(found.recipe)])}")
    if found.interrupted:
        typer.echo("interrupted: the same command goes on", err=True)
        raise KeyboardInterrupt


def _show(found: Search) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title="best trials, and the recipe as it is", title_justify="left")
    for column in ("trial", "score", "epochs", "seconds"):
        table.add_column(column, justify="right")
    known = [(place, trial) for place, trial in enumerate(found.trials) if trial.state == "complete"]
    shown = sorted(known, key=lambda each: -(each[1].value or 0.0))[:SHOWN]
    shown += [(0, found.trials[0])] if found.trials[0].value is not None and 0 not in dict(shown) else []
    for place, trial in shown:
        table.add_row(str(place + 1), f"{trial.value:.4f}", str(trial.epochs), f"{trial.seconds:.1f}")
    console = out()
    console.print(table)
    options = found.trials[found.best].options
    best = ", ".join(f"{path} {value}" for path, value in options.items()) or "the recipe as it is"
    console.print(f"best: {best}", soft_wrap=True, highlight=False)
    if found.importance:
        first = list(found.importance.items())[:SHOWN]
        console.print("what mattered: " + ", ".join(f"{path} {share:.2f}" for path, share in first), soft_wrap=True)
