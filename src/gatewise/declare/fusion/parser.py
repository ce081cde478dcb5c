"""From text to tree: a parser by precedence climbing.

expression = unary { operator unary }       by how tightly operators bind
unary      = "-" unary | power
power      = atom [ "^" unary ]             from the right: a^b^c is a^(b^c)
atom       = number | name | function "(" expression { "," expression } ")" | "(" expression ")"

A name is a word, with or without a part in brackets such as ``device[tv]``, or any text between backticks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from gatewise.declare.fusion.arithmetic import FUNCTIONS, LIMIT
from gatewise.declare.fusion.tree import BINDING, PLAIN, Call, Column, Node, Number, Operation, negated
from gatewise.errors import DeclarationError, did_you_mean, shown

LENGTH = 4000
"""Characters of an expression at most."""
PARTS = 400
"""Numbers, names and signs of an expression at most, so that no tree is too deep to be walked."""
DEPTH = 40
"""Parentheses, functions, minuses and powers within each other at most."""

TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>{PLAIN.pattern})"
    r"|(?P<quoted>`(?:[^`]|``)+`)"
    r"|(?P<sign>[-+*/^(),])"
    r"|(?P<end>$)"
    r"|(?P<other>.))",
    re.DOTALL,
)


class Token(NamedTuple):
    """A token of the expression.

    Attributes:
        kind: ``number``, ``name``, ``quoted``, ``sign``, ``end`` or ``other``.
        text: the token as written.
        place: position of the token's first character, counted from 1.
    """

    kind: str
    text: str
    place: int


def parse(text: str) -> Node:
    """Return the syntax tree of an expression.

    Raises:
        DeclarationError: a syntax error; one line with position, expected and found.
    """
    if len(text) > LENGTH:
        raise DeclarationError(f"fusion: expected {LENGTH} characters or fewer, found {len(text)}")
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    for found in TOKEN.finditer(text):
        kind = found.lastgroup or ""
        token = Token(kind, found.group(kind), found.start(kind) + 1)
        if len(tokens) >= PARTS:
            raise DeclarationError(
                f"fusion: expected {PARTS} numbers, names and signs or fewer, found more at character {token.place}"
            )
        tokens.append(token)
        if kind == "end":
            break
    return tokens


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.next
        self.position += 1
        return token

    def at(self, sign: str) -> bool:
        return self.next.kind == "sign" and self.next.text == sign

    def whole(self) -> Node:
        tree = self.expression()
        if self.next.kind != "end":
            raise self.refusal("an operator or the end")
        return tree

    def expression(self, least: int = 1) -> Node:
        """Return the tree of the operands whose operators bind at least this tightly."""
        left = self.unary()
        while self.next.kind == "sign" and least <= BINDING.get(self.next.text, 0):
            operator = self.take().text
            left = Operation(operator, left, self.expression(BINDING[operator] + 1))
        return left

    def unary(self) -> Node:
        if not self.at("-"):
            return self.power()
        with self.deeper():
            self.take()
            return negated(self.unary())

    def power(self) -> Node:
        base = self.atom()
        if not self.at("^"):
            return base
        with self.deeper():
            self.take()
            return Operation("^", base, self.unary())

    def atom(self) -> Node:
        token = self.next
        match token.kind:
            case "number":
                return self.number()
            case "quoted":
                return Column(self.take().text[1:-1].replace("``", "`"))
            case "name":
                self.take()
                return self.call(token) if self.at("(") else Column(token.text)
        if self.at("("):
            with self.deeper():
                self.take()
                inner = self.expression()
                self.close("an operator or ')'")
                return inner
        raise self.refusal("a number, a name or '('")

    def number(self) -> Node:
        token = self.take()
        value = float(token.text)
        if value > LIMIT:
            raise DeclarationError(f"fusion: expected a number up to {LIMIT:g} {_where(token)}")
        return Number(value)

    def call(self, name: Token) -> Node:
        if name.text not in FUNCTIONS:
            hint = did_you_mean(name.text, FUNCTIONS) or f" (functions: {shown(FUNCTIONS)})"
            raise DeclarationError(f"fusion: expected a function {_where(name)}{hint}")
        with self.deeper():
            self.take()
            arguments = [self.expression()]
            while self.at(","):
                self.take()
                arguments.append(self.expression())
            self.close("an operator, ',' or ')'")
        function = FUNCTIONS[name.text]
        if not function.takes(len(arguments)):
            raise DeclarationError(
                f"fusion: expected {function.arity} at character {name.place} for {name.text!r}, found {len(arguments)}"
            )
        return Call(name.text, tuple(arguments))

    def close(self, expected: str) -> None:
        if not self.at(")"):
            raise self.refusal(expected)
        self.take()

    @contextmanager
    def deeper(self) -> Iterator[None]:
        self.depth += 1
        if self.depth > DEPTH:
            raise DeclarationError(
                f"fusion: expected {DEPTH} levels of nesting or fewer, found more at character {self.next.place}"
            )
        yield
        self.depth -= 1

    def refusal(self, expected: str) -> DeclarationError:
        hint = "; a power is written a^b" if self.at("*") and self.tokens[self.position - 1].text == "*" else ""
        if self.next.text == "`":
            hint = "; a quoted name ends with another `"
        return DeclarationError(f"fusion: expected {expected} {_where(self.next)}{hint}")


def _where(token: Token) -> str:
    found = "the end" if token.kind == "end" else repr(token.text)
    return f"at character {token.place}, found {found}"
