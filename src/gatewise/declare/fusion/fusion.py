"""A fusion: an expression over predictions, and its weights."""

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
    """One score made of several predictions.

    Its numbers are its *weights*: what sliders move and a search looks for. ``str`` gives an expression that is read
    as the same fusion.

    Attributes:
        tree: of the expression.

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
        """Read an expression.

        Raises:
            DeclarationError: it is none, names no prediction, or is too long or too deep; one line that says where.
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
        """The predictions that it is made of, in order of appearance."""
        return tuple(dict.fromkeys(node.name for node in walk(self.tree) if isinstance(node, Column)))

    @property
    def weights(self) -> tuple[float, ...]:
        """The numbers of the expression, in order of appearance."""
        return tuple(node.value for node in walk(self.tree) if isinstance(node, Number))

    def with_weights(self, weights: Iterable[float]) -> Fusion:
        """Return the same expression with other numbers.

        Raises:
            DeclarationError: not as many as there are, or one that is not finite or too large.
        """
        given = [float(weight) for weight in weights]
        if len(given) != len(self.weights):
            raise DeclarationError(f"fusion: expected {len(self.weights)} weights, found {len(given)}")
        for place, weight in enumerate(given, start=1):
            # false for what is no number, too
            if not math.fabs(weight) <= LIMIT:
                raise DeclarationError(f"fusion: weight {place}: expected a number up to {LIMIT:g}, found {weight}")
        return Fusion(with_numbers(self.tree, iter(given)))

    def check(self, predictions: Collection[str], learnt: Collection[str] = ()) -> None:
        """Refuse names that are no predictions.

        Args:
            predictions: all that are known.
            learnt: tasks whose classes or levels are not known yet: of these any ``device[...]`` may be named.

        Raises:
            DeclarationError: says which name, and the nearest one there is; or a task is called like the result.
        """
        if FUSED in predictions:
            raise DeclarationError(f"fusion: its result is called {FUSED!r}, and so is a prediction")
        for name in self.names:
            if name not in predictions and not (name.endswith("]") and name.partition("[")[0] in learnt):
                known = [*predictions, *(f"{task}[...]" for task in learnt)]
                hint = did_you_mean(name, known) or f" (predictions: {shown(known)})"
                raise DeclarationError(f"fusion: {name!r} is no prediction{hint}")

    def evaluate(self, columns: Mapping[str, Any]) -> Any:
        """Return the fused score of every row, see :mod:`gatewise.declare.fusion.arithmetic`.

        Finite wherever the predictions are; a row with a prediction that is no number (NaN) has no fused one.

        Args:
            columns: the predictions by name, float64: numpy arrays or torch tensors, of one shape.

        Example:
            >>> import numpy as np
            >>> Fusion.parse("log(click) + buy").evaluate({"click": np.array([0.0, 1.0]), "buy": np.ones(2)}).tolist()
            [-1.2676506002282294e+30, 1.0]
        """
        xp = _module_of(columns[self.names[0]])
        read = {name: bounded(xp, columns[name]) for name in self.names}
        # numpy warns of infinities, which are bounded at once
        with xp.errstate(all="ignore") if xp.__name__ == "numpy" else nullcontext():
            return _value(self.tree, read, xp)


def _module_of(column: Any) -> Any:
    """Return numpy for its arrays and torch for its tensors; neither is imported here."""
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
