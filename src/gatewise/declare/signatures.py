"""Signatures that name every option, for editors and ``help``."""

from __future__ import annotations

import inspect
from typing import TypeVar

from gatewise.declare.training import Training, TrainingOptions

T = TypeVar("T", bound=type)


def spelled_out(cls: T) -> T:
    """Replace ``**training`` in the signature of a class by all options of :class:`Training`."""
    own = [p for p in inspect.signature(cls).parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    types = {name: hint.__forward_arg__ for name, hint in TrainingOptions.__annotations__.items()}
    options = [p.replace(annotation=types[p.name]) for p in inspect.signature(Training).parameters.values()]
    cls.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    return cls
