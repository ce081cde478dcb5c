"""``gatewise backtest``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gatewise.cli.show import drawn, out
from gatewise.declare import Recipe
from gatewise.machine import tune_process


def backtest(
    recipe: Annotated[Path, typer.Argument(help="YAML file: data, features, tasks, model, balance, training.")],
    by: Annotated[
        str | None,
        typer.Option("--by", help="The column of days, times or seconds since 1970; default: that of the split."),
    ] = None,
    strategies: Annotated[
        str, typer.Option("--strategies", help="Which to try: retrain, update, update+replay, latest, stale.")
    ] = "retrain,update,update+replay,stale",
    first: Annotated[
        int | None, typer.Option("--first", help="How many days the first model learns from; default: a third.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Passes of an update over a day; default: 3.")] = None,
    lr: Annotated[
        float | None, typer.Option("--lr", help="Learning rate of an update; default: half of the training's.")
    ] = None,
    replay_share: Annotated[
        float | None, typer.Option("--replay-share", help="Share of earlier rows in a batch; default: 0.7.")
    ] = None,
    pull: Annotated[
        float, typer.Option("--pull", help="How strongly an update draws weights back to those before it.")
    ] = 0.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the backtest; default: the recipe's, -backtest.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override an option: --set training.epochs=3 (repeatable).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    report: Annotated[bool, typer.Option(help="Write backtest.html, too, where the extra is installed.")] = True,
) -> None:
    """Judge each day before learning it, by several ways of learning day after day, and say which one to use."""
    tune_process()
    run_dir = output or Path(f"{Recipe.read(recipe, overrides=set_ or []).output}-backtest")
    from gatewise.jobs import afterwards
    from gatewise.jobs.backtest import BACKTEST, PAGE
    from gatewise.jobs.backtest import backtest as judge_days

    found = judge_days(
        recipe,
        by=by,
        overrides=set_ or [],
        strategies=[name.strip() for name in strategies.split(",")],
        first=first,
        run_dir=run_dir,
        epochs=epochs,
        lr=lr,
        pull=pull,
        replay_share=replay_share,
    )
    line = afterwards(lambda: found.report(run_dir / PAGE), run_dir / PAGE) if report else ""
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        console = out()
        for grid in found.grids():
            console.print(drawn(grid), soft_wrap=True, highlight=False)
        console.print(f"all figures: {run_dir / BACKTEST}", soft_wrap=True)
        if line:
            console.print(line, soft_wrap=True, markup=False)
    if found.interrupted:
        typer.echo(f"go on with the same command: {run_dir} keeps the days that were judged", err=True)
        raise KeyboardInterrupt
