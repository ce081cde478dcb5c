"""Checks of options with a fixed set of values."""

from __future__ import annotations

from collections.abc import Iterable

from gatewise.errors import DeclarationError, did_you_mean


def check_choice(option: str, found: str, known: Iterable[str]) -> None:
    """Refuse a name that is not one of ``known``.

    Raises:
        DeclarationError: names the option, the expected names and the nearest one.
    """
    names = list(known)
    if found not in names:
        raise DeclarationError(
            f"{option}: expected one of {', '.join(names)}, found {found!r}{did_you_mean(found, names)}"
        )
