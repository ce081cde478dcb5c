"""``gatewise promote``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatewise.cli.named_table import ROWS, named_table
from gatewise.errors import DeclarationError
from gatewise.grids import Grid, number

if TYPE_CHECKING:
    from gatewise.jobs import Judgement, Promotion

WORSE, BROKEN = 3, 4
"""Exit statuses of a promotion that changed nothing."""


def promote(
    run: Annotated[Path | None, typer.Argument(help="Folder of the run or artefact.", show_default=False)] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            help="Folder of the pointer current.json, which services watch; default: the folder that holds RUN.",
            show_default=False,
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Run to compare with; default: what is in place.", show_default=False),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option("--table", help=f"Canary table: {ROWS}, with features and labels.", show_default=False),
    ] = None,
    worst: Annotated[
        list[str] | None,
        typer.Option(
            "--worst",
            help="By how much a main metric may be worse: of all outputs, or OUTPUT=0.01 (repeatable); default: 0.002.",
            show_default=False,
        ),
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="Put what was in place before back in place.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Put a trained model in place, if it is whole, finite and not worse on a table than what is in place.

    Exit status: 0 in place, 1 an error, 2 a mistake in the options, 3 worse, 4 broken. Except for 0 nothing changes.
    """
    if back:
        _back(run, to, as_json, given=any((against, table, worst)))
        return
    if run is None:
        raise DeclarationError("promote: name a run, or --back to put back what was in place before")
    least, least_of = _worst(worst or [])
    rows = None if table is None else named_table(table)
    from gatewise.jobs import promote as promoted

    found = promoted(run, to, against=against, table=rows, worst=least, worst_of=least_of)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        _say(found, run.absolute().parent if to is None else to)
    code = {"worse": WORSE, "broken": BROKEN}.get(found.outcome, 0)
    if code:
        raise typer.Exit(code)


def _back(run: Path | None, to: Path | None, as_json: bool, *, given: bool) -> None:
    if run is not None or given:
        raise DeclarationError("promote --back: takes --to alone, the folder of the pointer")
    from gatewise.jobs import roll_back

    folder = Path("runs") if to is None else to
    now, before = roll_back(folder)
    if as_json:
        typer.echo(json.dumps({"outcome": "back", "version": now.version, "before": before.version}, indent=2))
    else:
        typer.echo(f"back in place in {folder}: {now.version} (withdrawn: {before.version})")


def _worst(given: list[str]) -> tuple[float, dict[str, float]]:
    from gatewise.jobs import WORST

    least, least_of = WORST, dict[str, float]()
    for each in given:
        output, equals, text = each.rpartition("=")
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not value >= 0:
            raise DeclarationError(f"--worst: expected a number of 0 or more, or OUTPUT=NUMBER, found {each!r}")
        if equals:
            least_of[output] = value
        else:
            least = value
    return least, least_of


def _say(found: Promotion, folder: Path) -> None:
    from gatewise.cli.show import drawn, out

    console = out()
    if found.judged:
        heads = ["output", "metric", "before", "after", "loss", "allowed", ""]
        title = f"main metrics on the table, against {found.against}"
        console.print(drawn(Grid(heads, [_line(each) for each in found.judged], title)))
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)
    what = found.version or "the run"
    match found.outcome:
        case "promoted":
            typer.echo(f"in place in {folder}: {what}" + (f" (before: {found.before})" if found.before else ""))
        case "in place":
            typer.echo(f"in place in {folder} already: {what}")
        case "worse":
            worse = ", ".join(each.output for each in found.judged if each.worse)
            typer.echo(f"worse: {what} on {worse}; {_stays(found)}", err=True)
        case "broken":
            typer.echo(f"broken: {what}: {found.problem}; {_stays(found)}", err=True)


def _stays(found: Promotion) -> str:
    return f"{found.before} stays in place" if found.before else "nothing is in place"


def _line(each: Judgement) -> list[str]:
    loss = "" if each.loss is None else f"{each.loss:+.4f}"
    values = [number(each.before), number(each.after)]
    return [each.output, each.metric, *values, loss, f"{each.worst:g}", "worse" if each.worse else ""]
