"""What a search for the weights of a fusion found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gatewise.analysis.pareto import knee, pareto_front
from gatewise.errors import DeclarationError

CURRENT, KNEE = "current", "knee"


@dataclass(frozen=True)
class Candidate:
    """An expression and how good its order is.

    Attributes:
        expression: with its weights.
        weights: its numbers, in order of appearance.
        values: of every goal, to four decimals: what differs by less is no better.
    """

    expression: str
    weights: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class FusionFront:
    """What a search for weights found, as plain data.

    Attributes:
        goals: names of what the order is to be good at, such as ``gauc:click``; greater is better.
        rows: how many rows it was judged on.
        current: the expression that the search started from.
        front: candidates that no other one beats on all goals, from the best by the first goal on.
        knee: position in the front of the one nearest to the best of every goal.
        tried: all candidates, the current one first.
        interrupted: whether the search was ended before its last trial.
    """

    goals: tuple[str, ...]
    rows: int
    current: Candidate
    front: tuple[Candidate, ...]
    knee: int
    tried: tuple[Candidate, ...]
    interrupted: bool = False

    @classmethod
    def of(
        cls, goals: Iterable[str], rows: int, tried: Sequence[Candidate], *, interrupted: bool = False
    ) -> FusionFront:
        """Return what candidates, the current one first, come to."""
        values = np.array([candidate.values for candidate in tried])
        front = pareto_front(values)
        kept = tuple(tried[point] for point in front)
        return cls(tuple(goals), rows, tried[0], kept, knee(values[front]), tuple(tried), interrupted)

    def choose(self, which: int | str = KNEE) -> Candidate:
        """Return a candidate of the front by its number, from 1 on, or its knee.

        Raises:
            DeclarationError: there is none of that number.
        """
        check_choice(which)
        if which == KNEE:
            return self.front[self.knee]
        number = int(which)
        if not 1 <= number <= len(self.front):
            raise DeclarationError(f"choose: expected {KNEE} or a number from 1 to {len(self.front)}, found {which}")
        return self.front[number - 1]

    def points(self) -> Iterator[tuple[str, Candidate]]:
        """Yield the current candidate and those of the front, each with what it is called."""
        yield CURRENT, self.current
        for number, candidate in enumerate(self.front, start=1):
            if len(self.tried) > 1:
                yield f"{number} {KNEE}" if number == self.knee + 1 else str(number), candidate

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON values."""
        return asdict(self)


def check_choice(which: int | str | None) -> None:
    """Refuse what is neither the number of a point nor the knee.

    Raises:
        DeclarationError: says what was expected.
    """
    if which not in (None, KNEE) and not str(which).isdecimal():
        raise DeclarationError(f"choose: expected {KNEE} or the number of a point, found {which}")
