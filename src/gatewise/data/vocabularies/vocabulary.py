"""The contract of every vocabulary."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.arrays import null_mask
from gatewise.data.plain_types import is_string
from gatewise.data.values import RowOf
from gatewise.errors import TableError
from gatewise.layout import NULL, RESERVED_ROWS

Values = Sequence[Any]
"""Python values, as JSON gives them."""
RowsOfValues = Callable[[Values], Iterable[int] | None]
"""From Python values to their rows; None if the values have to be encoded as a table, which explains the error."""

ValueKinds = tuple[set[type], ...]
"""Sets of Python types; all values that are not None have types of one of the sets."""

LEARNT_FROM = "its vocabulary was learnt from"


class AnyVocabulary(ABC):
    """Maps the values of a column, or of several columns with one embedding table, to rows of the table."""

    @property
    @abstractmethod
    def type(self) -> pa.DataType | None:
        """Type of the values: int64 or large_string; null or None if not known."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of rows for values, without the reserved rows."""

    @property
    def usual_count(self) -> float | None:
        """How often a value stood in the training table, on average; None: not known."""
        return None

    @property
    def rows(self) -> int:
        """Number of rows of the embedding table, with the reserved rows."""
        return self.size + RESERVED_ROWS

    @property
    def strings(self) -> bool:
        """Whether values are strings; True also if no value was seen."""
        return self.type is None or not pa.types.is_integer(self.type)

    def check(self, keys: pa.Array, purpose: str, row_of: RowOf = int) -> None:  # noqa: ARG002
        """Refuse keys that cannot have a row.

        Args:
            keys: see :func:`gatewise.data.values.as_keys`.
            purpose: the reader of the column, for messages.
            row_of: from a key's position to the row of the table.

        Raises:
            TableError: strings among integers, or the other way round.
        """
        check_type(keys.type, self.type, purpose, LEARNT_FROM)

    @abstractmethod
    def lookup(self, values: pa.Array) -> np.ndarray:
        """Return the int32 row of every value; the array has no nulls."""

    def rows_of(self, keys: pa.Array) -> np.ndarray:
        """Return the int32 row of every key of a column; null has a reserved row."""
        rows = self.lookup(keys)
        if keys.null_count:
            rows[null_mask(keys)] = NULL
        return rows

    def value_kinds(self) -> ValueKinds:
        """Return the Python types that :meth:`value_rows` accepts."""
        if self.type is None or pa.types.is_null(self.type):
            return ()
        return ({int},) if pa.types.is_integer(self.type) else ({str},)

    @abstractmethod
    def value_rows(self) -> RowsOfValues:
        """Return a look-up of Python values, which may be None; integers must fit into 64 bits."""

    @abstractmethod
    def examples(self, count: int) -> list[Any]:
        """Return at most ``count`` values, the most frequent first; empty if none are known."""

    @abstractmethod
    def draw(self, count: int, rng: np.random.Generator) -> list[Any]:
        """Return ``count`` made-up values: known values and, if possible, unseen values."""

    @abstractmethod
    def state(self) -> dict[str, Any] | None:
        """Return the learnt state, see :mod:`gatewise.data.vocabularies.stored`; None if the declaration says all."""


def check_type(found: pa.DataType, expected: pa.DataType | None, purpose: str, who: str) -> None:
    """Refuse to look up strings among integers, or integers among strings.

    Raises:
        TableError: both types are known, and only one is a type of strings.
    """
    if expected is None or pa.types.is_null(expected) or pa.types.is_null(found):
        return
    if is_string(found) != is_string(expected):
        raise TableError(f"{purpose}: found {_kind(found)}, {who} {_kind(expected)}")


def _kind(keys: pa.DataType) -> str:
    return "strings" if is_string(keys) else "integers"


UNSEEN = 0.1
"""Share of made-up values that the training table did not hold."""


def drawn(known: pa.Array, count: int, rng: np.random.Generator, *, strings: bool) -> list[Any]:
    """Return some known values and some unknown values."""
    unseen = [f"unseen {i}" if strings else int(rng.integers(-(2**62), 2**62)) for i in range(count)]
    if not len(known):
        return unseen
    found = known.take(pa.array(rng.integers(0, len(known), count))).to_pylist()
    chosen = rng.random(count) < UNSEEN
    return [unseen[i] if chosen[i] else str(key) if strings else int(key) for i, key in enumerate(found)]
