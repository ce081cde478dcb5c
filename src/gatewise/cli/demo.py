"""``gatewise demo``."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.parquet as pq
import typer

from gatewise.cli.show import comparison_table, gates_table, out
from gatewise.declare import Recipe
from gatewise.files import write_atomically
from gatewise.machine import tune_process

SAMPLE = "sample.parquet"
SAMPLE_ROWS = 1000


def demo(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder of the run.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override an option: --set training.epochs=3 (repeatable).")
    ] = None,
) -> None:
    """Train MMoE and its controls on real MovieLens ratings, and show who uses which expert."""
    tune_process()
    with as_file(files("gatewise") / "recipes" / "movielens.yaml") as path:
        recipe = Recipe.read(path, overrides=set_ or [])
    from gatewise.jobs import ARTEFACT, find_tables, train_with_controls
    from gatewise.progress import at_terminal, working

    run_dir = output or Path(recipe.output)
    with working("reading MovieLens", at_terminal()):
        tables = find_tables(recipe, Path())
    ranker, found = train_with_controls(recipe, tables, run_dir)
    # the training has checked that there are test rows, and a data set is read into memory
    assert isinstance(tables.test, pa.Table)
    _write_sample(run_dir / SAMPLE, tables.test)

    console = out()
    tasks = [task.name for task in recipe.tasks]
    console.print(comparison_table(found, f"{tables.test.num_rows:,} test ratings, later than all others"))
    gates = ranker.scorer.gates(tables.test)
    if gates is not None:
        console.print(gates_table(gates.mean(axis=0), tasks, "average gate weight of every expert"))
    console.print(f"artefact: {run_dir / ARTEFACT}", soft_wrap=True)
    sample = f"{run_dir} {run_dir / SAMPLE}"
    for what, command in (
        ("predict:", f"predict {sample} -o predictions.csv"),
        ("judge:", f"evaluate {sample}"),
        ("look:", f"report {sample}"),
        ("serve:", f"serve {run_dir}"),
    ):
        console.print(f"{what:<9} gatewise {command}", soft_wrap=True)


def _write_sample(path: Path, table: pa.Table) -> None:
    write_atomically(path, lambda temporary: pq.write_table(table.slice(0, SAMPLE_ROWS), temporary))
