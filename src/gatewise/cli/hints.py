"""What to type instead of an option that a command does not have."""

from __future__ import annotations

from collections.abc import Sequence


def hint(arguments: Sequence[str]) -> str:
    """Return one line about the first option that belongs to a recipe, such as ``--epochs 3``; empty if there is none.

    Args:
        arguments: what was typed, of a command that refused it.
    """
    from gatewise.declare import Recipe, path_of

    for place, argument in enumerate(arguments):
        name, equals, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or not name:
            continue
        path = path_of(Recipe, name.replace("-", "_"))
        if path is not None:
            following = arguments[place + 1 : place + 2]
            given = value if equals else "".join(following) or "VALUE"
            return f"hint: an option of the recipe goes by --set {path}={given}"
    return ""
