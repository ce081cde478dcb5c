"""What a column of raw values holds, said to people and to clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

EXAMPLES = 8
"""Values that are suggested for a column, the most frequent first."""


@dataclass(frozen=True)
class Description:
    """What a feature reads of a row.

    Attributes:
        holds: ``number``, ``id``, ``list`` or ``string``.
        dtype: of a value, or of an item of a list.
        dims: the sizes of a value: none of a single one, one of a list; None where it may be any number.
        example: a value that means something to the model; None where none is known.
        some: values that the training table had, the most frequent first; None where that says nothing.
    """

    holds: Literal["number", "id", "list", "string"]
    dtype: Literal["float64", "int64", "string"]
    dims: tuple[int | None, ...] = ()
    example: Any = None
    some: list[Any] | None = None
