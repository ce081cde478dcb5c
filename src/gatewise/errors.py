"""Errors and warnings about invalid input.

Every error is one line: the item by name, the expected and the found value and, if there is a similar name, the name
that was probably meant. The command line prints only this line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from typing_extensions import override

from gatewise.aliases import ours_for


class GatewiseError(Exception):
    """Invalid input; the message is one line with the item and the reason."""


class DeclarationError(GatewiseError, ValueError):
    """A schema, recipe or option is not valid: the message names the path of the offending value."""


class TableError(GatewiseError, ValueError):
    """A table cannot be read, or does not hold what the schema declares."""


class ArtefactError(GatewiseError):
    """A saved artefact or checkpoint is missing, incomplete, corrupted, or cannot be written."""


class InUseError(ArtefactError):
    """A folder is in the hands of another process."""


class ExportError(GatewiseError, RuntimeError):
    """A model cannot be exported, or the exported file does not give the model's predictions."""


class TrainingError(GatewiseError, RuntimeError):
    """Training cannot continue: a loss is not finite, or a monitored metric is undefined."""


class LostProcessError(TrainingError):
    """Another of the processes that train one model together has gone, or cannot be reached."""


class ShapeError(GatewiseError, ValueError):
    """A tensor or module argument has another size or range than declared."""


class OutOfMemoryError(GatewiseError, MemoryError):
    """Not enough memory; the message says what needs it and, if known, how much."""


class MissingExtraError(GatewiseError, ImportError):
    """An optional dependency is not installed; the message names the extra that installs it."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an optional package: pip install 'gatewise[{extra}]'")
        self.extra, self.purpose = extra, purpose

    @override
    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        # by default unpickling calls the constructor with the message only, which fails: a pool of workers would hang
        return type(self), (self.extra, self.purpose)


class GatewiseWarning(UserWarning):
    """A problem that does not stop the work, such as a collapsed gate or a dead expert."""


LONGEST_NAME = 200
"""Longest text that is compared with names: longer texts are not misspelt names, and comparing them takes time."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known name nearest to ``name``, or an empty string.

    What other libraries call something is near to what we call it.
    """
    if len(name) > LONGEST_NAME:
        return ""
    known = list(known)
    if (ours := ours_for(name, known)) is not None:
        return f"; did you mean {ours!r}?"
    folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""


def shown(names: Iterable[str], limit: int = 12) -> str:
    """Return names as text for a message: all of them, or the first ``limit`` and the number of others."""
    listed = list(names)
    if not listed:
        return "none"
    head = ", ".join(listed[:limit])
    return head if len(listed) <= limit else f"{head} and {len(listed) - limit} more"
