"""What is wrong with a mixture of experts, in words."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["dead expert", "collapsed gate", "duplicate experts", "starving task"]


class Problem(NamedTuple):
    """Something that is not as it should be.

    Attributes:
        kind: what sort of thing.
        layer: where, as in :class:`GateUsage`; None for a task.
        who: names of the experts or tasks.
        found: what was seen, a clause that begins with the name of the thing.
        remedy: what to try.
    """

    kind: Kind
    layer: str | None
    who: tuple[str, ...]
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.found}; try {self.remedy}"
