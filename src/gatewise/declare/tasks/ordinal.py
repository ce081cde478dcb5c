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
    """A label with a few ordered levels, such as stars.

    The predictions are the expected level and, for each level but the lowest, the probability of at least this level:
    ``stars``, ``stars[>=2]``, ``stars[>=3]``.

    Example:
        >>> Ordinal("stars", levels=[1, 2, 3, 4, 5]).levels
        (1.0, 2.0, 3.0, 4.0, 5.0)
    """

    levels: Annotated[Sequence[float], AfterValidator(_levels)] | None = field(default=None, kw_only=True)
    """The levels, in rising order; None: the training table's levels."""
    kind: Literal["ordinal"] = field(default="ordinal", kw_only=True, repr=False)

    @property
    @override
    def learns_columns(self) -> bool:
        """Yes: one column per level."""
        return True
