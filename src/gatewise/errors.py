"""What Gatewise says when something a person gave it cannot work.

Every error is one line: the thing by name, what was expected, what was found and, where one is near, the name that was
probably meant. The command line prints that line and nothing else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from typing_extensions import override


class GatewiseError(Exception):
    """Something the caller gave cannot work; the message is one line that says what and why."""


class DeclarationError(GatewiseError, ValueError):
    """A schema, recipe or option is not valid: the message names the path of the offending value."""


class TableError(GatewiseError, ValueError):
    """A table cannot be read, or does not hold what the schema declares."""


class ArtefactError(GatewiseError):
    """A saved artefact or checkpoint is missing, incomplete, corrupted, or cannot be written."""


class ExportError(GatewiseError, RuntimeError):
    """A model cannot be exported, or what was exported does not predict what the model does."""


class TrainingError(GatewiseError, RuntimeError):
    """Training cannot go on: a loss that is not finite, a monitored metric that is undefined."""


class ShapeError(GatewiseError, ValueError):
    """A tensor or module argument has another size or range than was declared."""


class OutOfMemoryError(GatewiseError, MemoryError):
    """What was declared needs more memory than there is; says what, and how much where that is known."""


class MissingExtraError(GatewiseError, ImportError):
    """An optional dependency is needed here; the message says which extra installs it."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an optional package: pip install 'gatewise[{extra}]'")
        self.extra, self.purpose = extra, purpose

    @override
    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        # by default an exception is made again of its message, which is one argument: a worker's pool would hang
        return type(self), (self.extra, self.purpose)


class GatewiseWarning(UserWarning):
    """Something worth a look that does not stop the work: a collapsed gate, a dead expert."""


LONGEST_NAME = 200
"""Nobody means a name by a longer text, and comparing one takes time."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known name nearest to ``name``, or an empty string."""
    if len(name) > LONGEST_NAME:
        return ""
    folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""


def shown(names: Iterable[str], limit: int = 12) -> str:
    """List names for a message: all of them, or the first ``limit`` and how many more there are."""
    listed = list(names)
    if not listed:
        return "none"
    head = ", ".join(listed[:limit])
    return head if len(listed) <= limit else f"{head} and {len(listed) - limit} more"
