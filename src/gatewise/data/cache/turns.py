"""The share of one of several processes that write a cache together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Turns:
    """One of several processes that work in a folder, each on every W-th thing; by default the only one.

    Attributes:
        rank: its rank; rank 0 does what cannot be shared.
        size: how many there are.
        wait: returns when all have called it.
    """

    rank: int = 0
    size: int = 1
    wait: Callable[[], None] = lambda: None

    @property
    def first(self) -> bool:
        """Whether this is rank 0."""
        return self.rank == 0

    def mine(self, place: int) -> bool:
        """Return whether the thing at a place, counted from 0, is this process's."""
        return place % self.size == self.rank

    def part(self, things: int) -> range:
        """Return this process's part of so many things in a row; the first processes have more."""
        first, behind = (-(-rank * things // self.size) for rank in (self.rank, self.rank + 1))
        return range(first, behind)
