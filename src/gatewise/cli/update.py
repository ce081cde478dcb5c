"""``gatewise update``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from gatewise.cli.launch import end_with_launcher, launch
from gatewise.cli.named_table import ROWS, named_table
from gatewise.cli.show import metrics_table, out
from gatewise.errors import DeclarationError
from gatewise.machine import tune_process

if TYPE_CHECKING:
    from gatewise.data import Turnover
    from gatewise.jobs import Updated
    from gatewise.serving import ModelChange


class Schedule(StrEnum):
    """How the learning rate of an update goes on."""

    cosine = "cosine"
    constant = "constant"


DRIFTED = 3
"""Exit status of an update that was not made, as a feature has drifted."""


def update(
    run: Annotated[Path, typer.Argument(help="Folder of a run or of an artefact, which stays as it is.")],
    table: Annotated[str, typer.Argument(help=f"The rows to learn. {ROWS}, with features and labels.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the new run.")],
    valid: Annotated[
        str | None, typer.Option("--valid", help="Rows that judge, decide the best epoch, and calibrate.")
    ] = None,
    replay: Annotated[
        list[str] | None, typer.Option("--replay", help="Earlier rows to mix into every batch (repeatable).")
    ] = None,
    replay_share: Annotated[
        float | None, typer.Option("--replay-share", help="Share of earlier rows in a batch; default: 0.7.")
    ] = None,
    ripened: Annotated[
        list[str] | None,
        typer.Option("--ripened", help="Earlier rows with today's labels: learn those that became final (repeatable)."),
    ] = None,
    now: Annotated[
        str | None, typer.Option("--now", help="When labels were read; default: the newest time of each table.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Passes over the rows; default: 3.")] = None,
    lr: Annotated[
        float | None, typer.Option("--lr", help="Learning rate at its highest; default: half of the training's.")
    ] = None,
    schedule: Annotated[
        Schedule, typer.Option("--schedule", help="How the learning rate goes on over this update's steps.")
    ] = Schedule.cosine,
    pull: Annotated[
        float, typer.Option("--pull", help="How strongly weights are drawn back to those before the update.")
    ] = 0.0,
    admit: Annotated[
        bool, typer.Option("--admit/--no-admit", help="Give rows to new values, and take them from values not seen.")
    ] = True,
    stop_on_drift: Annotated[
        bool, typer.Option("--stop-on-drift", help="Learn nothing, and end with 3, if a feature has drifted.")
    ] = False,
    schema: Annotated[
        Path | None,
        typer.Option("--schema", help="YAML with other features and tasks, and perhaps a model, such as a new recipe."),
    ] = None,
    ranks: Annotated[
        int, typer.Option("--ranks", min=1, help="Processes on this machine that train the model together.")
    ] = 1,
) -> None:
    """Train a model further on new rows, and write what comes of it into a new run.

    Exit status: 0 written, 1 an error, 2 a mistake in the options, 3 stopped because a feature has drifted.
    """
    tune_process()
    from gatewise.declare import Update, from_dict, read_change

    if replay_share is not None and not replay:
        raise DeclarationError("--replay-share is the share of the rows of --replay: give both")
    given: dict[str, Any] = {"lr": lr, "pull": pull, "admit": admit}
    given |= {} if schedule is Schedule.cosine else {"schedule": None}
    given |= {name: value for name, value in (("epochs", epochs), ("replay_share", replay_share)) if value is not None}
    options = from_dict(Update, given, source="update")
    tables = {"valid": _rows([valid] if valid else []), "replay": _rows(replay or []), "ripened": _rows(ripened or [])}
    rows = named_table(table)
    if schema is not None:
        read_change(schema)
    end_with_launcher()
    if ranks > 1:
        raise typer.Exit(launch(ranks, 0, output))
    # torch takes seconds to import: mistakes in the options are reported first
    from gatewise.distributed import rank
    from gatewise.jobs import update_run

    found = update_run(run, rows, output, options, **tables, stop_on_drift=stop_on_drift, now=now, schema=schema)
    if rank() == 0:
        _tell(found, output, tables["valid"], now)
    if found.stopped:
        raise typer.Exit(DRIFTED)


def _rows(names: list[str]) -> Any:
    """Return the table that some names stand for together, or None."""
    named = [named_table(name) for name in names]
    return named[0] if len(named) == 1 else named or None


def _turned(name: str, found: Turnover) -> str:
    """Return what came of a vocabulary's values, in one line."""
    said = [f"{found.admitted:,} values got a row", f"{found.given_back:,} gave theirs back"]
    return f"{name}: {', '.join(said)}" + (f", {found.waiting:,} wait for one" if found.waiting else "")


def _changes_table(changes: list[ModelChange]) -> Table:
    """Return a table of what was kept, and what is new or gone."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("what", "name", "became", "how"):
        table.add_column(heading, overflow="fold")
    for change in changes:
        table.add_row(*map(escape, change))
    return table


def _tell(found: Updated, output: Path, valid: Any, now: str | None) -> None:
    from gatewise.jobs import ARTEFACT

    console = out()
    if found.changes:
        console.print(_changes_table(found.changes))
    for drift in (each for each in found.drift if each.drifted):
        console.print(f"drift: {drift.in_words()}", soft_wrap=True, markup=False)
    if found.stopped:
        console.print("stopped: features have drifted, nothing was learnt and nothing written", soft_wrap=True)
        return
    for metrics, which in ((found.before, "before"), (found.after, "after")):
        if metrics is not None:
            console.print(metrics_table(metrics, f"metrics on the valid rows, {which} the update"))
    problems = found.ranker.training_problems() + ([] if valid is None else found.ranker.misfits(valid, now=now))
    rows = ", ".join(f"{count:,} {part}" for part, count in found.ranker.rows.items())
    turned = [_turned(name, each) for name, each in found.ranker.turnover.items() if any(each)]
    lines = [*(f"note: {problem}" for problem in problems), f"rows: {rows}", *turned, f"artefact: {output / ARTEFACT}"]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
