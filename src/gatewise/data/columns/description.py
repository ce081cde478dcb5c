"""Descriptions of raw columns, for people and clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

EXAMPLES = 8
"""Largest number of values that are suggested for a column, the most frequent first."""


@dataclass(frozen=True)
class Description:
    """The description of a feature's values.

    Attributes:
        holds: ``number``, ``id``, ``list`` or ``string``.
        dtype: type of a value, or of a list's items.
        dims: sizes of a value: empty for a single value, one entry for a list, None if its length may vary.
        example: a value that the model knows; None if none is known.
        some: values of the training table, the most frequent first; None if not applicable.
    """

    holds: Literal["number", "id", "list", "string"]
    dtype: Literal["float64", "int64", "string"]
    dims: tuple[int | None, ...] = ()
    example: Any = None
    some: list[Any] | None = None
