"""``gatewise fuse``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatewise.cli.named_table import ROWS, named_table
from gatewise.cli.show import front_table, out
from gatewise.errors import DeclarationError

if TYPE_CHECKING:
    from gatewise.ranker import Ranker


def fuse(
    artefact: Annotated[Path, typer.Argument(help="Folder of an artefact or of a run.")],
    table: Annotated[
        str | None,
        typer.Argument(help=f"{ROWS}, with features and labels; without it, --fusion is written as it is."),
    ] = None,
    goal: Annotated[
        list[str] | None,
        typer.Option("--goal", "-g", help="What the order is to be good at: --goal ndcg@5:click (repeatable)."),
    ] = None,
    fusion: Annotated[
        str | None, typer.Option("--fusion", "-f", help="The expression to start from; default: the artefact's.")
    ] = None,
    trials: Annotated[int, typer.Option("--trials", help="How many weights are tried; 0: judge it as it is.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Of the search.")] = 0,
    range_: Annotated[
        list[str] | None,
        typer.Option("--range", help="Where to look for a weight: --range 2=0.1:5; 2=1 keeps it (repeatable)."),
    ] = None,
    choose: Annotated[
        str | None, typer.Option("--choose", help="Write this point into the artefact: its number, or knee.")
    ] = None,
    output: Annotated[
        list[Path] | None, typer.Option("--output", "-o", help="Write the front: .json, .csv, .svg, .png (repeatable).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Search for the weights that fuse all scores into one order, for several goals at once."""
    ranges = dict(map(_range, range_ or []))
    if table is None and fusion is None:
        raise DeclarationError("fuse: expected a table to judge on, or --fusion to write into the artefact")
    from gatewise.analysis import check_choice
    from gatewise.jobs.front_files import check_file, write_front
    from gatewise.jobs.fuse import fuse as look_for
    from gatewise.loading import load
    from gatewise.serving import find_artefact

    check_choice(choose)
    for path in output or []:
        check_file(path, len(set(goal or [])))
    folder = find_artefact(artefact)
    ranker = load(folder)
    if table is None:
        _write(ranker, fusion or "", folder)
        return
    found = look_for(ranker, named_table(table), goal or [], fusion=fusion, trials=trials, seed=seed, ranges=ranges)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        out().print(front_table(found))
    for path in output or []:
        write_front(found, path)
        typer.echo(f"front: {path}", err=True)
    if choose is not None and not found.interrupted:
        _write(ranker, found.choose(choose).expression, folder)
    elif len(found.tried) > 1:
        words = ["gatewise", "fuse", str(artefact), "--fusion", found.choose().expression]
        typer.echo(f"take the knee: {shlex.join(words)}", err=True)
    if found.interrupted:
        typer.echo("interrupted: this is what was found until then; the artefact is as it was", err=True)
        raise KeyboardInterrupt


def _write(ranker: Ranker, expression: str, folder: Path) -> None:
    ranker.fuse_by(expression).save(folder)
    typer.echo(f"{expression} -> {folder}", err=True)


def _range(text: str) -> tuple[int, tuple[float, float]]:
    place, _, bounds = text.partition("=")
    low, colon, high = bounds.partition(":")
    try:
        return int(place), (float(low), float(high if colon else low))
    except ValueError:
        raise DeclarationError(f"range {text!r}: expected WEIGHT=LOW:HIGH, such as 2=0.1:5") from None
