"""Labels that are one of several classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Annotated, Literal

from pydantic import AfterValidator
from typing_extensions import override

from gatewise.declare.base import declaration
from gatewise.declare.tasks.label import Label


def _classes(classes: Sequence[int | str]) -> tuple[int | str, ...]:
    for name in classes:
        if list(classes).count(name) > 1:
            raise ValueError(f"class {name!r} is named twice")
    if len(classes) < 2:
        raise ValueError(f"expected two classes or more, found {len(classes)}")
    if len({type(name) for name in classes}) > 1:
        raise ValueError("expected all integers or all strings, found both")
    return tuple(classes)


@declaration
class Multiclass(Label):
    """A label with several classes: integers, strings, or a boolean (0 or 1).

    The predictions are the classes' probabilities, one column per class: ``device[phone]``, ``device[desktop]``.

    Example:
        >>> Multiclass("device", classes=["phone", "desktop"]).classes
        ('phone', 'desktop')
    """

    classes: Annotated[Sequence[int | str], AfterValidator(_classes)] | None = field(default=None, kw_only=True)
    """The classes, in the order of their columns; None: the training table's classes, sorted."""
    kind: Literal["multiclass"] = field(default="multiclass", kw_only=True, repr=False)

    @property
    @override
    def learns_columns(self) -> bool:
        """Yes: one column per class."""
        return True
