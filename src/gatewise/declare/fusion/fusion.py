"""A fusion: an expression of predictions, with its weights."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from gatewise.declare.fusion.arithmetic import FUNCTIONS, LIMIT, OPERATORS, bounded
from gatewise.declare.fusion.parser import parse
from gatewise.declare.fusion.tree import Call, Column, Negative, Node, Number, Operation, walk, with_numbers, written
from gatewise.errors import DeclarationError, did_you_mean, shown
from gatewise.names import FUSED


@dataclass(frozen=True)
class Fusion:
    """One score from several predictions.

    The numbers in the expression are the *weights*, which sliders and searches change. ``str`` returns an expression
    that parses to an equal fusion.

    Attributes:
        tree: the syntax tree of the expression.

    Example:
        >>> fusion = Fusion.parse("click^1 * (0.2 + rating/5)^0.5 + 3*purchase")
        >>> fusion.names, fusion.weights
        (('click', 'rating', 'purchase'), (1.0, 0.2, 5.0, 0.5, 3.0))
        >>> str(fusion.with_weights([1, 0.2, 5, 2, 10]))
        'click^1 * (0.2 + rating / 5)^2 + 10 * purchase'
    """

    tree: Node

    @classmethod
    def parse(cls, text: str) -> Fusion:
        """Return the fusion of an expression.

        Raises:
            DeclarationError: a syntax error, no name of a prediction, or too long or deep; one line with the position.
        """
        fusion = cls(parse(text))
        if not fusion.names:
            raise DeclarationError("fusion: expected the name of a prediction, found numbers alone")
        return fusion

    @override
    def __str__(self) -> str:
        return written(self.tree)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the predictions, in order of appearance."""
        return tuple(dict.fromkeys(node.name for node in walk(self.tree) if isinstance(node, Column)))

    @property
    def weights(self) -> tuple[float, ...]:
        """The numbers of the expression, in order of appearance."""
        return tuple(node.value for node in walk(self.tree) if isinstance(node, Number))

    def with_weights(self, weights: Iterable[float]) -> Fusion:
        """Return the fusion with other numbers.

        Raises:
            DeclarationError: a wrong number of weights, or a weight that is not finite or is too large.
        """
        given = [float(weight) for weight in weights]
        if len(given) != len(self.weights):
            raise DeclarationError(f"fusion: expected {len(self.weights)} weights, found {len(given)}")
        for place, weight in enumerate(given, start=1):
            # also false for NaN
            if not math.fabs(weight) <= LIMIT:
                raise DeclarationError(f"fusion: weight {place}: expected a number up to {LIMIT:g}, found {weight}")
        return Fusion(with_numbers(self.tree, iter(given)))

    def check(self, predictions: Collection[str], learnt: Collection[str] = (), known: Collection[str] = ()) -> None:
        """Refuse names that are neither predictions nor known columns.

        Args:
            predictions: names of all known predictions.
            learnt: tasks whose classes or levels are not known yet: any ``device[...]`` of these is accepted.
            known: the schema's known columns.

        Raises:
            DeclarationError: names the wrong name and the nearest valid name; or a task has the name of the result.
        """
        if FUSED in predictions:
            raise DeclarationError(f"fusion: its result is called {FUSED!r}, and so is a prediction")
        for name in self.names:
            if name not in (*predictions, *known) and not (name.endswith("]") and name.partition("[")[0] in learnt):
                there = [*predictions, *(f"{task}[...]" for task in learnt), *known]
                what = "prediction or known column" if known else "prediction"
                hint = did_you_mean(name, there) or f" ({what}s: {shown(there)})"
                raise DeclarationError(f"fusion: {name!r} is no {what}{hint}")

    def evaluate(self, columns: Mapping[str, Any]) -> Any:
        """Return the fused scores, one per row; see :mod:`gatewise.declare.fusion.arithmetic`.

        Scores are finite if all predictions are; a row with a NaN among its predictions has a fused score of NaN.

        Args:
            columns: the predictions by name, float64: numpy arrays or torch tensors, of one shape.

        Example:
            >>> import numpy as np
            >>> Fusion.parse("log(click) + buy").evaluate({"click": np.array([0.0, 1.0]), "buy": np.ones(2)}).tolist()
            [-1.2676506002282294e+30, 1.0]
        """
        xp = _module_of(columns[self.names[0]])
        read = {name: bounded(xp, columns[name]) for name in self.names}
        # numpy warns of infinities, but they are clipped next
        with xp.errstate(all="ignore") if xp.__name__ == "numpy" else nullcontext():
            return _value(self.tree, read, xp)


def _module_of(column: Any) -> Any:
    """Return the module of an array or tensor, numpy or torch, without importing either."""
    return sys.modules[type(column).__module__.partition(".")[0]]


def _value(node: Node, columns: Mapping[str, Any], xp: Any) -> Any:
    match node:
        case Number(value):
            return xp.asarray(value, dtype=xp.float64)
        case Column(name):
            return columns[name]
        case Negative(of):
            return -_value(of, columns, xp)
        case Operation(operator, left, right):
            return OPERATORS[operator](xp, _value(left, columns, xp), _value(right, columns, xp))
        case Call(function, arguments):
            return FUNCTIONS[function].compute(xp, *(_value(argument, columns, xp) for argument in arguments))
