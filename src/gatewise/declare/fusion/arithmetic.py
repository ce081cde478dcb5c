r"""What the signs and functions of an expression mean: everything has a value, so that every row has a place.

Computed in float64 as IEEE 754 says, but that no step leaves a result beyond :math:`\pm 10^{30}` and that what is not
defined is read at the nearest point where it is:

- :math:`x / 0` is :math:`10^{30}` with the sign of x, and 0 for :math:`0 / 0`;
- :math:`\log x` of :math:`x \le 0` is :math:`-10^{30}`, :math:`\sqrt x` of :math:`x < 0` is 0;
- :math:`x^y` of :math:`x < 0` is that of 0 where y is no whole number; :math:`0^0` is 1, :math:`0^y` of
  :math:`y < 0` is :math:`10^{30}`.

The same functions take numpy arrays and torch tensors, and hold no branch on a value: what they do can be traced and
exported. ``xp`` is the module, numpy or torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, NamedTuple

LIMIT = 1e30
"""What takes the place of infinity; float32 holds it too."""


def bounded(xp: Any, x: Any) -> Any:
    """Return x, at most the limit away from 0."""
    return xp.clip(x, -LIMIT, LIMIT)


def divided(xp: Any, x: Any, y: Any) -> Any:
    """Return x over y, for y = 0 the limit with the sign of x."""
    zero = y == 0
    return bounded(xp, xp.where(zero, xp.sign(x) * LIMIT, x / xp.where(zero, 1.0, y)))


def power(xp: Any, x: Any, y: Any) -> Any:
    """Return x to the y; an x below 0 has whole powers alone, and is 0 to others."""
    # both zeros become the positive one, whose negative powers are not negative
    outside = (x == 0) | ((x < 0) & (xp.floor(y) != y))
    return bounded(xp, xp.where(outside, 0.0, x) ** y)


def clipped(xp: Any, x: Any, low: Any, high: Any) -> Any:
    """Return x, at least low and at most high, which wins where the two contradict."""
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
        compute: gives its value, of the module and the arguments.
        least, most: how many arguments it takes.
    """

    compute: Callable[..., Any]
    least: int = 1
    most: int | None = 1

    def takes(self, count: int) -> bool:
        """Whether it takes so many arguments."""
        return self.least <= count and (self.most is None or count <= self.most)

    @property
    def arity(self) -> str:
        """How many arguments it takes, in words."""
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
