"""``gatewise compare``."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gatewise.cli.cluster import cluster_of
from gatewise.cli.show import affinity_tables, costs_table, out, over_trees_table, spreads_table, verdicts_table
from gatewise.declare import Recipe
from gatewise.machine import tune_process


def compare(
    recipe: Annotated[Path, typer.Argument(help="YAML file: data, features, tasks, model, balance, training.")],
    seeds: Annotated[int, typer.Option("--seeds", help="With how many seeds each model is trained.")] = 5,
    also: Annotated[
        list[str] | None, typer.Option("--also", help="Further kinds of models: --also ple,stem (repeatable).")
    ] = None,
    baseline: Annotated[str | None, typer.Option("--baseline", help="Add one tree model per task: lightgbm.")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric", "-m", help="Give intervals and verdicts by these metrics, too: --metric auc,gauc (repeatable)."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", help="How many trainings run side by side; default: one per core.")
    ] = None,
    ray: Annotated[
        bool,
        typer.Option("--ray", help="Train on a Ray cluster; the recipe's cluster section says which, and how many."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", "--run-dir", help="Folder of the run; default: the recipe's.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override an option: --set training.epochs=3 (repeatable).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    report: Annotated[bool, typer.Option(help="Write comparison.html, too, where the extra is installed.")] = True,
) -> None:
    """Train single-task models, a shared bottom and the recipe's model, and say for each task whether sharing helps."""
    tune_process()
    declared = Recipe.read(recipe, overrides=set_ or [])
    kinds, metrics = (_split(given) for given in (also, metric))
    from gatewise.jobs import COMPARISON, COMPARISON_REPORT, afterwards, find_tables, report_comparison
    from gatewise.jobs.comparison import compare_models
    from gatewise.progress import at_terminal, working

    run_dir = output or Path(declared.output)
    with working("looking at the tables", at_terminal()):
        tables = find_tables(declared, recipe.parent)
    cluster = cluster_of(declared, ray, workers)
    options = {
        "cluster": cluster,
        "seeds": seeds,
        "also": kinds,
        "baseline": baseline,
        "metrics": metrics,
        "workers": workers,
    }
    try:
        found = compare_models(declared.schema(), declared, tables, run_dir, **options)  # type: ignore[arg-type]
    except KeyboardInterrupt:
        given: dict[str, Sequence[object] | None] = {
            "--seeds": [seeds],
            "--also": also,
            "--metric": metric,
            "-o": [run_dir],
            "--set": set_,
        }
        for option, value in (("--baseline", baseline), ("--workers", workers)):
            given[option] = None if value is None else [value]
        words = ["--ray"] if ray else []
        words += [str(word) for option, values in given.items() for value in values or [] for word in (option, value)]
        typer.echo(f"go on with: {shlex.join(['gatewise', 'compare', str(recipe), *words])}", err=True)
        raise
    target = run_dir / COMPARISON_REPORT
    line = afterwards(lambda: report_comparison(run_dir, target), target) if report else ""
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
        return
    console = out()
    console.print(spreads_table(found))
    console.print(verdicts_table(found))
    if found.over_trees:
        console.print(over_trees_table(found))
    console.print(affinity_tables(found))
    console.print(costs_table(found))
    console.print(f"all figures: {run_dir / COMPARISON}", soft_wrap=True)
    if line:
        console.print(line, soft_wrap=True, markup=False)


def _split(given: Sequence[str] | None) -> list[str]:
    """Return the names in a repeatable option, each value of which may hold several names."""
    return [name.strip() for names in given or [] for name in names.split(",")]
