"""Fixed weights: given, or found by a search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainSerializer
from typing_extensions import override

from gatewise.declare.balance.balance import Balance
from gatewise.declare.base import Name, declaration


class Weights(Mapping[str, float]):
    """An immutable, hashable mapping from task names to weights.

    Example:
        >>> Weights({"click": 1.0, "buy": 2.0})["buy"]
        2.0
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = dict(weights)

    @override
    def __getitem__(self, name: str) -> float:
        return self._weights[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    @override
    def __len__(self) -> int:
        return len(self._weights)

    @override
    def __hash__(self) -> int:
        return hash(frozenset(self._weights.items()))

    @override
    def __repr__(self) -> str:
        return repr(self._weights)


TaskWeights = Annotated[
    Mapping[Name, Annotated[float, Field(ge=0)]], AfterValidator(Weights), PlainSerializer(dict, return_type=dict)
]
"""Weights of tasks: any mapping from names to numbers, kept as :class:`Weights`."""


@declaration
class Static(Balance):
    """Every task has its declared weight, times a weight given here."""

    weights: TaskWeights | None = field(default=None, kw_only=True)
    """Weights by task name; 1 for tasks without an entry."""
    kind: Literal["static"] = field(default="static", kw_only=True, repr=False)

    @property
    @override
    def named_tasks(self) -> tuple[str, ...]:
        """Tasks that have a weight here."""
        return tuple(self.declared_weights)

    @property
    @override
    def declared_weights(self) -> Mapping[str, float]:
        """The weights by task name."""
        return self.weights or {}


@declaration
class TunedStatic(Balance):
    """Static weights found by short trainings, judged by the monitored score on the validation table.

    Equal weights are the first candidate; the other candidates cover the range evenly. The run's
    ``balance.json`` lists all candidates with their scores.
    """

    candidates: Annotated[int, Field(ge=2)] = field(default=8, kw_only=True)
    """Number of sets of weights to try."""
    epochs: Annotated[int, Field(gt=0)] = field(default=1, kw_only=True)
    """Epochs of training per candidate; the best epoch counts."""
    spread: Annotated[float, Field(gt=1)] = field(default=10.0, kw_only=True)
    """Largest ratio between the weights of two tasks."""
    kind: Literal["tuned_static"] = field(default="tuned_static", kw_only=True, repr=False)

    @property
    @override
    def needs_validation(self) -> bool:
        """Yes: candidates are judged on the validation table."""
        return True
