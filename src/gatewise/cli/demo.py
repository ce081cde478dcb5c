"""``gatewise demo``."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pyarrow as pa
import pyarrow.parquet as pq
import typer

from gatewise.cli.browser import open_page, somebody_looks
from gatewise.cli.show import comparison_table, gates_table, out, sharing_table
from gatewise.declare import Recipe
from gatewise.files import write_atomically
from gatewise.machine import tune_process

if TYPE_CHECKING:
    from rich.console import Console

    from gatewise.jobs import Demonstration

SAMPLE = "sample.parquet"
SAMPLE_ROWS = 1000
METRICS = ("auc", "log_loss", "rmse", "r2")
"""What the table shows; the report has all metrics."""
SEGMENT, SEGMENTS = "user_count", "number of ratings that the user gave before"


def demo(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder of the run.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override an option: --set training.epochs=3 (repeatable).")
    ] = None,
    open_: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open the report in a browser; default: at a terminal with a screen."),
    ] = None,
) -> None:
    """Train MMoE and its controls on real MovieLens ratings; show who uses which expert, and whom sharing helps."""
    tune_process()
    with as_file(files("gatewise") / "recipes" / "movielens.yaml") as path:
        recipe = Recipe.read(path, overrides=set_ or [])
    from gatewise.jobs import REPORT, afterwards, find_tables, name_of, train_with_controls
    from gatewise.progress import at_terminal, working

    run_dir = output or Path(recipe.output)
    with working("reading MovieLens", at_terminal()):
        tables = find_tables(recipe, Path())
    shown = train_with_controls(recipe, tables, run_dir, by=SEGMENT)
    # the training has checked that there are test rows, and a data set is read into memory
    assert isinstance(tables.test, pa.Table)
    _write_sample(run_dir / SAMPLE, tables.test)
    report = run_dir / REPORT
    line = afterwards(lambda: shown.ranker.report(report, tables.test, recipe=recipe, name=name_of(run_dir)), report)
    console = out()
    console.print(f"{line}\n", soft_wrap=True, markup=False)
    _print(console, shown, tables.test.num_rows)
    _print_commands(console, run_dir)
    if report.exists() and (somebody_looks() if open_ is None else open_):
        open_page(report)


def _print(console: Console, shown: Demonstration, rows: int) -> None:
    title = f"{rows:,} test ratings, later than all others (every metric: in the report)"
    console.print(comparison_table(shown.comparison, title, METRICS))
    if shown.gates:
        console.print(gates_table(shown.gates, f"average gate weight of every expert, by the {SEGMENTS}"))
    own = next(iter(shown.comparison.metrics))
    console.print(
        sharing_table(
            shown.sharing,
            f"for whom sharing helps: {own} less single-task models, by the {SEGMENTS}",
            "intervals of 95%: the test rows drawn anew, for one training each; gatewise compare takes several seeds",
        )
    )


def _print_commands(console: Console, run_dir: Path) -> None:
    from gatewise.jobs import ARTEFACT, RECIPE

    sample = f"{run_dir} {run_dir / SAMPLE}"
    console.print(f"artefact: {run_dir / ARTEFACT}", soft_wrap=True, markup=False)
    for what, command in (
        ("predict:", f"predict {sample} -o predictions.csv"),
        ("judge:", f"evaluate {sample}"),
        ("compare:", f"compare {run_dir / RECIPE} --seeds 5"),
        ("serve:", f"serve {run_dir}"),
    ):
        console.print(f"{what:<9} gatewise {command}", soft_wrap=True, markup=False)


def _write_sample(path: Path, table: pa.Table) -> None:
    write_atomically(path, lambda temporary: pq.write_table(table.slice(0, SAMPLE_ROWS), temporary))
