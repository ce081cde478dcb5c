"""``gatewise tune``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from gatewise.cli.cluster import cluster_of
from gatewise.cli.show import out
from gatewise.declare import Recipe
from gatewise.machine import tune_process


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
    goal: Annotated[
        list[str] | None,
        typer.Option("--goal", "-g", help="One of several goals: --goal click --goal stars.r2; default: one score."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", help="How many trials side by side, each with its share of the threads; default: 1."),
    ] = None,
    ray: Annotated[
        bool,
        typer.Option("--ray", help="Train on a Ray cluster; the recipe's cluster section says which, and how many."),
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of the search.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Forget the search in the folder.")] = False,
    report: Annotated[bool, typer.Option(help="Write tune.html, too, where the extra is installed.")] = True,
) -> None:
    """Search for the options of a recipe; what was interrupted or killed goes on with the same command."""
    tune_process()
    from gatewise.cli.show import drawn
    from gatewise.jobs import afterwards
    from gatewise.jobs.tune import PAGE
    from gatewise.jobs.tune import tune as look_for

    found = look_for(
        recipe,
        output,
        overrides=set_ or [],
        goals=goal or [],
        trials=trials,
        minutes=minutes,
        workers=workers,
        cluster=cluster_of(Recipe.read(recipe, overrides=set_ or []), ray, workers),
        seed=seed,
        overwrite=overwrite,
    )
    console = out()
    for grid in found.grids():
        console.print(drawn(grid), soft_wrap=True, highlight=False)
    if report:
        typer.echo(afterwards(found.report, found.recipe.parent / PAGE))
    typer.echo(f"train:    {shlex.join(['gatewise', 'train', str(found.recipe)])}")
    for other in found.recipes if len(found.goals) > 1 else []:
        typer.echo(f"front:    {other}")
    if found.interrupted:
        typer.echo("interrupted: the same command goes on", err=True)
        raise KeyboardInterrupt
