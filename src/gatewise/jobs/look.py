"""A table that nobody has declared yet: a page about it, and a recipe."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gatewise.data import name_of
from gatewise.declare import Recipe, Rows, Sql, from_dict, is_uri, located, named_rows, read_yaml, to_dict
from gatewise.errors import ArtefactError, TableError
from gatewise.files import write_text
from gatewise.look import Profile, Proposal, propose, recipe_text
from gatewise.report import check_extra, look_page, render


def propose_if_possible(found: Profile) -> Proposal | None:
    """Return the recipe for a table; None where no column can be a label or a feature."""
    try:
        return propose(found)
    except TableError:
        return None


def write_look(found: Profile, proposal: Proposal | None, target: Path) -> None:
    """Write the page about a table.

    Raises:
        ArtefactError: the file cannot be written.
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    check_extra()
    write_text(target, render(look_page(found, proposal)))


def check_absent(target: Path, *, overwrite: bool) -> None:
    """Refuse to write over a recipe.

    Raises:
        ArtefactError: the file is there, and ``overwrite`` is not set.
    """
    if target.exists() and not overwrite:
        raise ArtefactError(f"{str(target)!r} is there already: --overwrite replaces it, -o names another file")


def write_recipe(proposal: Proposal, table: str | Path, target: Path, *, overwrite: bool = False) -> Recipe:
    """Write a proposed recipe, and return it as ``gatewise train`` reads it.

    Args:
        proposal: what to write.
        table: the table as a command names it, seen from the working directory; the recipe names it as seen from its
            own folder.
        target: the file.
        overwrite: replace a file that is there.

    Raises:
        ArtefactError: the file is there already, or cannot be written.
        DeclarationError: names of columns make no valid recipe.
    """
    check_absent(target, overwrite=overwrite)
    rows = named_rows(str(table))
    own_name = name_of(table).split(".")[0] if isinstance(rows, str) else "latest"
    output = f"runs/{target.stem if target.stem != 'recipe' else own_name}"
    text = recipe_text(proposal, _named_from(rows, target), output)
    # what is written is read before it stands there
    recipe = from_dict(Recipe, read_yaml(text, str(target)), source=str(target))
    write_text(target, text)
    return recipe


def _named_from(rows: Rows, recipe: Path) -> Any:
    """Return rows as a recipe writes them: text, a list or a mapping, with paths relative to its folder."""
    if isinstance(rows, tuple):
        return [_named_from(each, recipe) for each in rows]
    if isinstance(rows, Sql):
        there = located(rows, Path())
        return to_dict(there, defaults=False)
    return rows if is_uri(rows) else _seen_from(Path(rows), recipe)


def _seen_from(table: Path, recipe: Path) -> str:
    """Return the path of a table relative to a recipe's folder; an absolute path where that leads through the root."""
    there, here = table.resolve(), recipe.parent.resolve()
    try:
        relative = Path(os.path.relpath(there, here))
    except ValueError:
        # another drive
        return str(there)
    return str(there) if len(relative.parts) > len(there.parts) else relative.as_posix()
