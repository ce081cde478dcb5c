"""The front of a search for the weights of a fusion."""

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
    """An expression and the values of its goals.

    Attributes:
        expression: the expression with its weights.
        weights: the numbers of the expression, in order of appearance.
        values: the value of every goal, to four decimals; smaller differences do not count.
    """

    expression: str
    weights: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class FusionFront:
    """The result of a search for weights, as plain data.

    Attributes:
        goals: names of the goals, such as ``gauc:click``; greater is better.
        rows: the number of judged rows.
        current: the expression that the search started from.
        front: candidates that no other candidate dominates, the best by the first goal first.
        knee: position in the front of the candidate nearest to the best value of every goal.
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
        """Return the front of candidates, the current one first."""
        values = np.array([candidate.values for candidate in tried])
        front = pareto_front(values)
        kept = tuple(tried[point] for point in front)
        return cls(tuple(goals), rows, tried[0], kept, knee(values[front]), tuple(tried), interrupted)

    def choose(self, which: int | str = KNEE) -> Candidate:
        """Return a candidate of the front by its number, from 1 on, or its knee.

        Raises:
            DeclarationError: no candidate has this number.
        """
        check_choice(which)
        if which == KNEE:
            return self.front[self.knee]
        number = int(which)
        if not 1 <= number <= len(self.front):
            raise DeclarationError(f"choose: expected {KNEE} or a number from 1 to {len(self.front)}, found {which}")
        return self.front[number - 1]

    def points(self) -> Iterator[tuple[str, Candidate]]:
        """Yield the current candidate and those of the front, each with its name."""
        yield CURRENT, self.current
        for number, candidate in enumerate(self.front, start=1):
            if len(self.tried) > 1:
                yield f"{number} {KNEE}" if number == self.knee + 1 else str(number), candidate

    def to_dict(self) -> dict[str, Any]:
        """Return the front as JSON values."""
        return asdict(self)


def check_choice(which: int | str | None) -> None:
    """Refuse a choice that is neither the number of a point nor the knee.

    Raises:
        DeclarationError: names the possible choices.
    """
    if which not in (None, KNEE) and not str(which).isdecimal():
        raise DeclarationError(f"choose: expected {KNEE} or the number of a point, found {which}")
