"""The syntax tree of an expression, and its text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

PLAIN = re.compile(r"[^\W\d]\w*(?:\[[^\]`]*\])?")
"""A name that needs no quotes: a word, and what stands in brackets after it, such as ``device[tv]``."""

BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}
"""How tightly operators bind; all but ``^`` group from the left."""
SIGN = 3
"""How tightly a sign binds: ``-a^b`` is ``-(a^b)``, ``-a * b`` is ``(-a) * b``."""
ATOM = 5
"""How tightly a number, a name or a call holds together."""


@dataclass(frozen=True)
class Number:
    """A number of the expression: one of the weights."""

    value: float


@dataclass(frozen=True)
class Column:
    """A prediction, by name."""

    name: str


@dataclass(frozen=True)
class Negative:
    """A negated node; a negative number is a :class:`Number`."""

    of: Node


@dataclass(frozen=True)
class Operation:
    """Two operands and the operator between them."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Call:
    """A function and its arguments."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Column | Negative | Operation | Call


def walk(node: Node) -> Iterator[Node]:
    """Yield the numbers and columns of a tree in written order."""
    match node:
        case Negative(of):
            yield from walk(of)
        case Operation(_, left, right):
            yield from walk(left)
            yield from walk(right)
        case Call(_, arguments):
            for argument in arguments:
                yield from walk(argument)
        case _:
            yield node


def with_numbers(node: Node, numbers: Iterator[float]) -> Node:
    """Return the tree with other numbers, in written order."""
    match node:
        case Number():
            return Number(next(numbers))
        case Negative(of):
            return Negative(with_numbers(of, numbers))
        case Operation(operator, left, right):
            return Operation(operator, with_numbers(left, numbers), with_numbers(right, numbers))
        case Call(function, arguments):
            return Call(function, tuple(with_numbers(argument, numbers) for argument in arguments))
    return node


def written(node: Node, least: int = 0) -> str:
    """Return a text that parses to an equal tree.

    Args:
        node: the tree to write.
        least: smallest precedence without parentheses.
    """
    text, binds = _text_and_binding(node)
    return text if binds >= least else f"({text})"


def _text_and_binding(node: Node) -> tuple[str, int]:
    match node:
        case Number(value):
            return number(value), SIGN if math.copysign(1, value) < 0 else ATOM
        case Column(name):
            return (name if PLAIN.fullmatch(name) else f"`{name.replace('`', '``')}`"), ATOM
        case Negative(of):
            return f"-{written(of, SIGN)}", SIGN
        case Call(function, arguments):
            return f"{function}({', '.join(map(written, arguments))})", ATOM
        case Operation("^", left, right):
            return f"{written(left, ATOM)}^{written(right, SIGN)}", BINDING["^"]
        case Operation(operator, left, right):
            binds = BINDING[operator]
            return f"{written(left, binds)} {operator} {written(right, binds + 1)}", binds


def number(value: float) -> str:
    """Return a number's shortest text: ``3`` and not ``3.0``.

    Example:
        >>> number(3.0), number(0.25)
        ('3', '0.25')
    """
    return repr(value).removesuffix(".0")


def negated(node: Node) -> Node:
    """Return the negated node."""
    return replace(node, value=-node.value) if isinstance(node, Number) else Negative(node)
