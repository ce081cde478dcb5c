"""``gatewise train``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatewise.cli.show import metrics_table, out
from gatewise.declare import Recipe
from gatewise.errors import DeclarationError
from gatewise.machine import tune_process

if TYPE_CHECKING:
    from rich.console import Console

    from gatewise.jobs import Tables, Trees
    from gatewise.ranker import Ranker


def train(
    recipe: Annotated[
        Path, typer.Argument(help="YAML file: data, features, tasks, model, balance, training, calibration.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the run; default: the recipe's.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override an option: --set training.epochs=3 (repeatable).")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in the output folder.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew where the output folder holds an earlier training.")
    ] = False,
    baseline: Annotated[
        str,
        typer.Option(
            "--baseline",
            help="Trees beside the model, to say where they are better: lightgbm, none; auto: where they take seconds.",
        ),
    ] = "auto",
    report: Annotated[bool, typer.Option(help="Write report.html, too, where the extra is installed.")] = True,
) -> None:
    """Train a recipe, and write artefact, metrics, history, checkpoint and report into its output folder."""
    tune_process()
    declared = Recipe.read(recipe, overrides=set_ or [])
    # torch takes seconds to import: mistakes in the recipe are reported first
    from gatewise.jobs import ARTEFACT, REPORT, afterwards, find_tables, name_of, train_recipe, trees_for
    from gatewise.progress import at_terminal, working
    from gatewise.ranker import Ranker

    # mistakes that only tasks can find, such as in the names of metrics, are reported before the tables are read
    untrained = Ranker.from_options(declared.schema(), declared)
    run_dir = output or Path(declared.output)
    if resume and overwrite:
        raise DeclarationError("--resume goes on with a run, --overwrite begins it anew: give one of them")
    with working("looking at the tables", at_terminal()):
        tables = find_tables(declared, recipe.parent)
    trees = trees_for(baseline, untrained, tables)
    try:
        ranker = train_recipe(declared, tables, run_dir, resume=resume, overwrite=overwrite)
    except KeyboardInterrupt:
        overrides = [word for override in set_ or [] for word in ("--set", override)]
        again = shlex.join(["gatewise", "train", str(recipe), "-o", str(run_dir), *overrides, "--resume"])
        typer.echo(f"go on with: {again}", err=True)
        raise
    console = out()
    for name, metrics in ranker.metrics.items():
        part, _, how = name.partition("_")
        console.print(metrics_table(metrics, f"metrics on the {part} rows" + (f", {how}" if how else "")))
    best = max((record.epoch for record in ranker.history if record.best), default=len(ranker.history))
    console.print(f"weights of epoch {best} of {len(ranker.history)}")
    held_out = tables.valid if tables.test is None else tables.test
    for problem in [*ranker.training_problems(), *([] if held_out is None else ranker.misfits(held_out))]:
        console.print(f"note: {problem}", soft_wrap=True, markup=False)
    if trees is not None:
        _say_trees(console, ranker, trees, tables)
    console.print(f"artefact: {run_dir / ARTEFACT}", soft_wrap=True)
    console.print(f"predict:  gatewise predict {run_dir} TABLE -o predictions.parquet", soft_wrap=True)
    if report:
        target, name = run_dir / REPORT, name_of(run_dir)
        line = afterwards(lambda: ranker.report(target, held_out, recipe=declared, name=name), target)
        console.print(line, soft_wrap=True, markup=False)


def _say_trees(console: Console, ranker: Ranker, trees: Trees, tables: Tables) -> None:
    """Train trees beside the model, and print where they are better."""
    from gatewise.jobs import beside_trees, in_words
    from gatewise.progress import at_terminal, working

    with working("training trees", at_terminal()):
        found = beside_trees(ranker, trees, tables)
    for line in in_words(found):
        console.print(f"note: {line}", soft_wrap=True, markup=False)
