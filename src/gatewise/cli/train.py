"""``gatewise train``."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatewise.cli.cluster import cluster_of, train_on_cluster
from gatewise.cli.launch import end_with_launcher, launch
from gatewise.cli.log_file import LogFile, log_file
from gatewise.cli.run_names import new_run
from gatewise.cli.show import metrics_table, out
from gatewise.declare import Recipe
from gatewise.errors import DeclarationError
from gatewise.grids import number
from gatewise.machine import tune_process

if TYPE_CHECKING:
    from rich.console import Console

    from gatewise.jobs import Tables, Trees
    from gatewise.ranker import Ranker
    from gatewise.tasks import Metrics


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
        bool, typer.Option("--overwrite", help="Begin anew where the output folder holds a run, which is lost.")
    ] = False,
    new: Annotated[
        bool,
        typer.Option(
            "--new", help="Begin a run beside earlier ones, named for the time (UTC): OUTPUT/2026-11-29T10-15."
        ),
    ] = False,
    baseline: Annotated[
        str,
        typer.Option(
            "--baseline",
            help="Trees beside the model, to say where they are better: lightgbm, none; auto: where they take seconds.",
        ),
    ] = "auto",
    report: Annotated[bool, typer.Option(help="Write report.html, too, where the extra is installed.")] = True,
    log: Annotated[
        Path | None, typer.Option("--log-file", help="Also write progress, warnings and results to the end of a file.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show every metric of every epoch, losses' weights and gates.")
    ] = False,
    ranks: Annotated[
        int | None, typer.Option("--ranks", min=1, help="Processes on this machine that train the model together.")
    ] = None,
    max_restarts: Annotated[
        int,
        typer.Option("--max-restarts", min=0, help="With --ranks or --ray: how often a process may die and all go on."),
    ] = 0,
    ray: Annotated[
        bool, typer.Option("--ray", help="Train on a Ray cluster; the recipe's cluster section says which.")
    ] = False,
    json_: Annotated[
        bool,
        typer.Option("--json", help="Write one JSON object per line to standard output: start, every epoch, end."),
    ] = False,
) -> None:
    """Train a recipe, and write artefact, metrics, history, checkpoint and report into its output folder."""
    tune_process()
    declared = Recipe.read(recipe, overrides=set_ or [])
    together = end_with_launcher()
    if resume and (overwrite or new):
        other = "--overwrite begins it anew" if overwrite else "--new begins another one"
        raise DeclarationError(f"--resume goes on with a run, {other}: give one of them")
    run_dir = output or Path(declared.output)
    if new:
        run_dir = new_run(run_dir)
    cluster = cluster_of(declared, ray, ranks)
    if cluster is not None and "RANK" not in os.environ:
        train_on_cluster(cluster, run_dir, max_restarts)
        return
    wanted = ranks or (1 if "RANK" in os.environ else declared.training.ranks)
    if wanted > 1:
        raise typer.Exit(launch(wanted, max_restarts, run_dir))
    # torch takes seconds to import: mistakes in the recipe are reported first
    from gatewise.distributed import rank
    from gatewise.jobs import (
        ARTEFACT,
        REPORT,
        JsonLines,
        afterwards,
        find_tables,
        name_of,
        periods_of,
        train_recipe,
        trees_for,
    )
    from gatewise.progress import at_terminal, terminal, working
    from gatewise.ranker import Ranker
    from gatewise.track import trackers_of
    from gatewise.training import Reporters

    # mistakes that only tasks can find, such as in the names of metrics, are reported before the tables are read
    untrained = Ranker.from_options(declared.schema(), declared)
    if rank() > 0:
        # what is written, shown and judged is rank 0's
        train_recipe(declared, find_tables(declared, recipe.parent), run_dir, resume=resume, overwrite=overwrite)
        return
    told = Reporters(trackers_of(declared))
    with log_file(log, verbose=verbose) as file:
        with working("looking at the tables", at_terminal()):
            tables = find_tables(declared, recipe.parent)
        trees = trees_for(baseline, untrained, tables)
        lines = JsonLines(sys.stdout, periods_of(declared.data, tables)) if json_ else None
        callbacks = [told] if lines is None else [told, lines]
        kept: dict[str, Any] = {"resume": resume, "overwrite": overwrite, "source": recipe, "overrides": set_ or []}
        try:
            ranker = train_recipe(declared, tables, run_dir, callbacks=callbacks, **kept)
        except KeyboardInterrupt:
            overrides = [word for override in set_ or [] for word in ("--set", override)]
            processes = [] if together == 1 else ["--ranks", str(together)]
            again = ["gatewise", "train", str(recipe), "-o", str(run_dir), *overrides, *processes, "--resume"]
            typer.echo(f"go on with: {shlex.join(again)}", err=True)
            if lines is not None:
                lines.finish()
            raise
        # in standard output programs find JSON alone
        say = _Saying(terminal(stderr=True) if json_ else out(), file)
        for name, metrics in ranker.metrics.items():
            part, _, how = name.partition("_")
            say.metrics(metrics, f"metrics on the {part} rows" + (f", {how}" if how else ""))
        best = max((record.epoch for record in ranker.history if record.best), default=len(ranker.history))
        say(f"weights of epoch {best} of {len(ranker.history)}")
        held_out = tables.valid if tables.test is None else tables.test
        found = [*ranker.training_problems(), *([] if held_out is None else ranker.misfits(held_out, now=tables.now))]
        problems = [str(each) for each in found]
        problems += [] if trees is None else _beside_trees(ranker, trees, tables)
        for problem in problems:
            say(f"note: {problem}")
        say(f"artefact: {run_dir / ARTEFACT}")
        say(f"predict:  gatewise predict {run_dir} TABLE -o predictions.parquet")
        if report:
            target, name = run_dir / REPORT, name_of(run_dir)
            told_of: dict[str, Any] = {"recipe": declared, "name": name, "now": tables.now}
            line = afterwards(lambda: ranker.report(target, held_out, **told_of), target)
            say(line)
            if line.endswith(str(target)):
                told.on_report(target)
        if lines is not None:
            saved = {"metrics": ranker.metrics, "problems": problems, "artefact": run_dir / ARTEFACT}
            lines.finish(epochs=len(ranker.history), best_epoch=best, **saved)


class _Saying:
    """Says results on a console and in the log file."""

    def __init__(self, console: Console, file: LogFile) -> None:
        self.console, self.file = console, file

    def __call__(self, line: str) -> None:
        self.console.print(line, soft_wrap=True, markup=False)
        self.file.write(line)

    def metrics(self, metrics: Metrics, title: str) -> None:
        self.console.print(metrics_table(metrics, title))
        for name, values in metrics.items():
            self.file.write(
                f"{title}: {name}: " + ", ".join(f"{each} {number(value)}" for each, value in values.items())
            )


def _beside_trees(ranker: Ranker, trees: Trees, tables: Tables) -> list[str]:
    """Train trees beside the model, and return where they are better, in words."""
    from gatewise.jobs import beside_trees, in_words
    from gatewise.progress import at_terminal, working

    with working("training trees", at_terminal()):
        found = beside_trees(ranker, trees, tables)
    return list(in_words(found))
