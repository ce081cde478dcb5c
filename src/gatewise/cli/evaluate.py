"""``gatewise evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatewise.cli.launch import end_with_launcher, launch
from gatewise.cli.named_table import ROWS, named_table
from gatewise.cli.show import intervals_table, metrics_table, out, slices_tables
from gatewise.errors import DeclarationError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gatewise.ranker import Ranker
    from gatewise.tasks import Metrics

Found = tuple[Any, "RenderableType"]
"""Results as JSON values, and as tables for a terminal."""


def evaluate(
    artefact: Annotated[Path, typer.Argument(help="Folder of an artefact or of a run.")],
    table: Annotated[str, typer.Argument(help=f"{ROWS}, with features and labels.")],
    metric: Annotated[list[str] | None, typer.Option("--metric", "-m", help="Show this metric (repeatable).")] = None,
    calibrated: Annotated[bool, typer.Option("--calibrated", help="Judge calibrated probabilities.")] = False,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Show the slices of this column, too (repeatable).")
    ] = None,
    intervals: Annotated[bool, typer.Option("--intervals", help="Add bootstrap intervals of 95%.")] = False,
    by_group: Annotated[bool, typer.Option("--by-group", help="Draw whole groups for the intervals.")] = False,
    stream: Annotated[bool, typer.Option("--stream", help="Read piece by piece, what is larger than memory.")] = False,
    ranks: Annotated[int, typer.Option("--ranks", min=1, help="Processes on this machine that share the rows.")] = 1,
    now: Annotated[
        str | None, typer.Option("--now", help="When labels were read; default: the newest time of the table.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print every metric of every task over a table; or over its slices, or with intervals."""
    given = [option for option, on in (("--by", by), ("--intervals", intervals), ("--stream", stream)) if on]
    if len(given) > 1:
        raise DeclarationError(f"evaluate: expected one of --by, --intervals and --stream, found {' and '.join(given)}")
    end_with_launcher()
    if ranks > 1:
        if given:
            raise DeclarationError(f"evaluate: one process finds {given[0]}: leave out --ranks")
        raise typer.Exit(launch(ranks))
    from gatewise.distributed import processes
    from gatewise.jobs import evaluate_in_turn
    from gatewise.loading import load
    from gatewise.progress import at_terminal, working
    from gatewise.serving import find_artefact

    rows = named_table(table)
    ranker = load(find_artefact(artefact))
    among = processes()
    how: dict[str, Any] = {"calibrated": calibrated, "now": now}
    title = f"{'calibrated ' if calibrated else ''}metrics on {table}"
    with working(f"evaluating {table}", at_terminal() and among.rank == 0):
        if by:
            plain, shown = _slices(ranker, rows, title, metric, by, how)
        elif intervals:
            plain, shown = _intervals(ranker, rows, title, metric, by_group, how)
        elif stream:
            plain, shown = _stream(ranker, rows, title, metric, how)
        elif among.size > 1:
            metrics = evaluate_in_turn(ranker.scorer, rows, among, **how)
            if metrics is None:
                return
            plain = _only(ranker, metrics, metric)
            shown = metrics_table(plain, title)
        else:
            plain = _only(ranker, ranker.evaluate(rows, **how), metric)
            shown = metrics_table(plain, title)
    if as_json:
        typer.echo(json.dumps(plain, indent=2))
    else:
        out().print(shown)


def _slices(
    ranker: Ranker, table: Any, title: str, metrics: list[str] | None, by: list[str], how: dict[str, Any]
) -> Found:
    found = ranker.slices(table, by, metrics=metrics, **how)
    plain = {output: [part._asdict() for part in parts] for output, parts in found.items()}
    return plain, slices_tables(found, ranker.scorer.tasks, title)


def _intervals(
    ranker: Ranker, table: Any, title: str, metrics: list[str] | None, by_group: bool, how: dict[str, Any]
) -> Found:
    found = ranker.intervals(table, metrics, by_group=by_group, **how)
    plain = {output: {name: each._asdict() for name, each in values.items()} for output, values in found.items()}
    return plain, intervals_table(found, f"{title}, with bootstrap intervals of 95%")


def _stream(ranker: Ranker, table: Any, title: str, metrics: list[str] | None, how: dict[str, Any]) -> Found:
    streamed = ranker.evaluate_stream(table, **how)
    found = _only(ranker, streamed.metrics, metrics)
    left_out = sorted({name for names in streamed.left_out.values() for name in names})
    note = f"{', '.join(left_out)}: need all rows at once, left out" if left_out else ""
    return found, metrics_table(found, f"{title}: {streamed.rows:,} rows", note)


def _only(ranker: Ranker, found: Metrics, names: list[str] | None) -> Metrics:
    from gatewise.analysis import check_metrics

    check_metrics(names, ranker.scorer.tasks)
    if not names:
        return found
    return {output: {name: values[name] for name in names if name in values} for output, values in found.items()}
