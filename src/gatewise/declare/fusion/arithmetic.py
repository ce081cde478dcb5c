r"""Operators and functions of an expression: finite for all arguments, so that all rows can be ordered.

Computed in IEEE 754 float64, with two exceptions: every result is clipped to :math:`[-M, M]` with
:math:`M = 2^{100}`, and an undefined result is replaced by the value at the nearest defined point:

- :math:`x / 0` is :math:`M` with the sign of x, and 0 for :math:`0 / 0`;
- :math:`\log x` of :math:`x \le 0` is :math:`-M`, :math:`\sqrt x` of :math:`x < 0` is 0;
- :math:`x^y` of :math:`x < 0` is :math:`0^y` if y is not a whole number; :math:`0^0` is 1, :math:`0^y` of
  :math:`y < 0` is :math:`M`.

All functions take numpy arrays or torch tensors and do not branch on values, so that they can be traced and
exported. ``xp`` is the module, numpy or torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, NamedTuple

LIMIT = 2.0**100
"""What takes the place of infinity: about 1.27e30, the same number in float32."""


def bounded(xp: Any, x: Any) -> Any:
    """Return x, clipped to the limit in absolute value."""
    return xp.clip(x, -LIMIT, LIMIT)


def divided(xp: Any, x: Any, y: Any) -> Any:
    """Return x / y; for y = 0 the limit with the sign of x."""
    zero = y == 0
    return bounded(xp, xp.where(zero, xp.sign(x) * LIMIT, x / xp.where(zero, 1.0, y)))


def power(xp: Any, x: Any, y: Any) -> Any:
    """Return x to the power y; x below 0 counts as 0 if y is not a whole number."""
    # both zeros become the positive one, whose negative powers are not negative
    outside = (x == 0) | ((x < 0) & (xp.floor(y) != y))
    return bounded(xp, xp.where(outside, 0.0, x) ** y)


def clipped(xp: Any, x: Any, low: Any, high: Any) -> Any:
    """Return x, clipped to at least low and then to at most high."""
    return xp.minimum(xp.maximum(x, low), high)


OPERATORS: Mapping[str, Callable[[Any, Any, Any], Any]] = {
    "+": lambda xp, x, y: bounded(xp, x + y),
    "-": lambda xp, x, y: bounded(xp, x - y),
    "*": lambda xp, x, y: bounded(xp, x * y),
    "/": divided,
    "^": power,
}


class Function(NamedTuple):
    """A function of an expression.

    Attributes:
        compute: returns the value, from the module and the arguments.
        least, most: smallest and largest number of arguments.
    """

    compute: Callable[..., Any]
    least: int = 1
    most: int | None = 1

    def takes(self, count: int) -> bool:
        """Return whether the function takes this number of arguments."""
        return self.least <= count and (self.most is None or count <= self.most)

    @property
    def arity(self) -> str:
        """The number of arguments, in words."""
        if self.most is None:
            return f"{self.least} arguments or more"
        return "1 argument" if self.least == 1 else f"{self.least} arguments"


FUNCTIONS: Mapping[str, Function] = {
    "log": Function(lambda xp, x: bounded(xp, xp.log(xp.clip(x, 0.0, None)))),
    "exp": Function(lambda xp, x: bounded(xp, xp.exp(x))),
    "sqrt": Function(lambda xp, x: xp.sqrt(xp.clip(x, 0.0, None))),
    "abs": Function(lambda xp, x: xp.abs(x)),
    "min": Function(lambda xp, *values: reduce(xp.minimum, values), 2, None),
    "max": Function(lambda xp, *values: reduce(xp.maximum, values), 2, None),
    "clip": Function(clipped, 3, 3),
}
