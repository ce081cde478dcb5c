"""Labels that are one of several ordered levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator
from typing_extensions import override

from gatewise.declare.base import declaration
from gatewise.declare.tasks.label import Label


def _levels(levels: Sequence[float]) -> tuple[float, ...]:
    if len(levels) < 3:
        raise ValueError(f"expected three levels or more, found {len(levels)}; a label of two is Binary")
    for lower, higher in pairwise(levels):
        if lower >= higher:
            raise ValueError(f"expected rising levels, found {higher:g} after {lower:g}")
    return tuple(levels)


@declaration
class Ordinal(Label):
    """A label that is one of a few ordered numbers, such as stars.

    The expected level is predicted, and the probability of every level or more but the lowest: ``stars``,
    ``stars[>=2]``, ``stars[>=3]``.

    Example:
        >>> Ordinal("stars", levels=[1, 2, 3, 4, 5]).levels
        (1.0, 2.0, 3.0, 4.0, 5.0)
    """

    levels: Annotated[Sequence[float], AfterValidator(_levels)] | None = field(default=None, kw_only=True)
    """The levels, rising; None: those of the training table."""
    kind: Literal["ordinal"] = field(default="ordinal", kw_only=True, repr=False)

    @property
    @override
    def learns_columns(self) -> bool:
        """Yes: one column per level."""
        return True
