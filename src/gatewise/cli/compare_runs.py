"""``gatewise compare-runs``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatewise.grids import Grid, number

if TYPE_CHECKING:
    from gatewise.jobs import Change, MetricChange

LONGEST = 40
"""Most letters of a value in the list; ``--json`` has the whole value."""


def compare_runs(
    first: Annotated[Path, typer.Argument(help="Folder of a run or of an artefact.")],
    second: Annotated[Path, typer.Argument(help="Folder of another one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what differs between two runs: options, rows, versions, main metrics."""
    from gatewise.cli.show import drawn, out
    from gatewise.jobs import compare_runs as compared

    found = compared(first, second)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
        return
    console, names = out(), [first.name or str(first), second.name or str(second)]
    for title, changes in (("options", found.options), ("rows", found.data), ("versions", found.versions)):
        if changes:
            console.print(drawn(Grid([title, *names], _lines(changes))))
        else:
            console.print(f"{title}: the same", soft_wrap=True)
    if found.metrics:
        on = " and ".join(dict.fromkeys(each or "none" for each in (found.judged_on.first, found.judged_on.second)))
        note = "the rows of the two runs differ, and so may those of the metrics" if found.data else ""
        lines = [_metric(each) for each in found.metrics]
        heads = ["output", "metric", *names, "change", ""]
        console.print(drawn(Grid(heads, lines, f"main metrics: of each run's own {on} rows", note)))


def _lines(changes: Mapping[str, Change]) -> list[list[str]]:
    return [[name, _text(each.first), _text(each.second)] for name, each in changes.items()]


def _text(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _metric(each: MetricChange) -> list[str]:
    known = each.first is not None and each.second is not None
    change = f"{each.second - each.first:+.4f}" if known else ""  # type: ignore[operator]
    word = "" if each.better is None else "better" if each.better else "worse"
    return [each.output, each.metric, number(each.first), number(each.second), change, word]
