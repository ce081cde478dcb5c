"""What options mean: the strings below the fields of declarations, for ``help``, editors and the reference."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

WIDTH = 110
KIND = "kind"
"""The option that tells the kinds of a union apart; a class has one value of it."""


@functools.cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    """Return, per class of a module, the string below every field."""
    try:
        source = inspect.getsource(sys.modules[name])
    except (OSError, TypeError, KeyError):
        # typed in at a prompt: there are no strings to find
        return {}
    classes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    return {node.name: dict(_below_fields(node)) for node in classes}


def _below_fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for option, text in zip(node.body, node.body[1:], strict=False):
        if isinstance(option, ast.AnnAssign) and isinstance(option.target, ast.Name) and isinstance(text, ast.Expr):
            value = text.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield option.target.id, inspect.cleandoc(value.value)


def meanings(cls: type) -> dict[str, str]:
    """Return what every option of a declaration means, those of its base classes included."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        found |= _of_module(each.__module__).get(each.__name__, {})
    return found


class OptionsInDocstring:
    """A docstring that ends with all options and what they mean; it is made when it is first read."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __get__(self, instance: Any, owner: type) -> str:
        """Return the docstring of the class that is asked."""
        return _with_options(owner, self.text)


@functools.cache
def _with_options(cls: Any, text: str) -> str:
    known = meanings(cls)
    lines = [line for option in fields(cls) if option.name != KIND for line in _lines(option, known)]
    return inspect.cleandoc(text) + ("\n\nArgs:\n" + "\n".join(lines) if lines else "")


def _lines(option: Any, known: dict[str, str]) -> list[str]:
    default = "" if option.default is MISSING else f" Default: ``{option.default!r}``."
    meaning = known.get(option.name, "See the kind's class.") + default
    return textwrap.wrap(f"{option.name}: {meaning}", WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8)
