"""``gatewise init``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatewise.cli.named_table import ROWS, named_table
from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    from gatewise.look import Look, Profile, Proposal


def init(
    table: Annotated[str, typer.Argument(help=f"{ROWS}, with features and labels.")],
    output: Annotated[Path, typer.Option("--out", "--output", "-o", help="The recipe to write.")] = Path("recipe.yaml"),
    task: Annotated[
        list[str] | None, typer.Option("--task", help="A label column (repeatable); default: proposed.")
    ] = None,
    time: Annotated[str | None, typer.Option("--time", help="Column of the rows' time, or none.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Column of groups, such as user_id, or none.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take what is proposed.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a recipe that is there.")] = False,
) -> None:
    """Look at a table, and write a recipe that trains as it is, with a reason beside every choice."""
    from gatewise.jobs import check_absent, write_recipe
    from gatewise.look import Look, propose
    from gatewise.progress import at_terminal, working

    check_absent(output, overwrite=overwrite)
    with working("looking at the table", at_terminal()):
        seen = Look(named_table(table))
        found = seen.profile(task, time=time, group=group)
    if not yes and sys.stdin.isatty() and sys.stdout.isatty():
        found = _asked(seen, found, task, time, group)
    proposal = propose(found)
    write_recipe(proposal, table, output, overwrite=overwrite)
    for line in _said(found, proposal):
        typer.echo(line)
    typer.echo(f"recipe: {output}")
    typer.echo(f"train:  {shlex.join(['gatewise', 'train', str(output)])}")


def _asked(seen: Look, found: Profile, task: list[str] | None, time: str | None, group: str | None) -> Profile:
    """Ask for the choices that were not given, and return the profile that follows from the answers."""
    from gatewise.look import NO_ROLE

    typer.echo(f"{found.name}: {found.rows:,} rows, {len(found.columns)} columns. Enter takes what stands in brackets.")

    def asked(what: str, proposed: str, profiled: Callable[[str], Profile]) -> Profile:
        while True:
            answer = typer.prompt(what, default=proposed).strip()
            try:
                return profiled(answer)
            except GatewiseError as error:
                typer.echo(f"error: {error}", err=True)

    if task is None:
        proposed = " ".join(found.roles.labels) or NO_ROLE
        found = asked(
            "labels to predict", proposed, lambda said: seen.profile(_names(said, found), time=time, group=group)
        )
    labels = list(found.roles.labels)
    if time is None:
        found = asked(
            "time of the row, to split forward in (or none)",
            found.roles.time or NO_ROLE,
            lambda said: seen.profile(labels, time=said, group=group),
        )
        time = found.roles.time or NO_ROLE
    if group is None:
        found = asked(
            "group to compare rows within, such as a user (or none)",
            found.roles.group or NO_ROLE,
            lambda said: seen.profile(labels, time=time, group=said),
        )
    return found


def _names(said: str, found: Profile) -> list[str]:
    """Return the names in an answer: one name with spaces, or several between spaces or commas."""
    return [said] if said in found.by_name else said.replace(",", " ").split()


def _said(found: Profile, proposal: Proposal) -> list[str]:
    from gatewise.declare import to_dict

    tasks = ", ".join(f"{each.declared.name} ({each.declared.kind})" for each in proposal.tasks)
    split = ", ".join(f"{name} {value}" for name, value in to_dict(proposal.split, defaults=False).items())
    features, left_out = (
        f"{len(some)} {what}{'s' if len(some) != 1 else ''}"
        for some, what in ((proposal.features, "feature"), (proposal.left_out, "column"))
    )
    looked = "" if found.rows == found.sampled else f", of which {found.sampled:,} were looked at"
    return [
        f"{found.name}: {found.rows:,} rows{looked}; {features}, {left_out} left out",
        f"tasks: {tasks}",
        f"split: {split} ({proposal.why_split})",
        *([f"group: {proposal.group} ({proposal.why_group})"] if proposal.group else []),
        *(f"note: {remark}" for remark in proposal.remarks),
    ]
