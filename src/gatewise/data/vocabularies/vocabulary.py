"""What every way from values to rows of an embedding table can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.plain_types import is_string
from gatewise.data.values import RowOf
from gatewise.errors import TableError
from gatewise.layout import RESERVED_ROWS

Values = Sequence[Any]
"""Python values, as JSON brings them."""
RowsOfValues = Callable[[Values], Iterable[int] | None]
"""From Python values to their rows; None where a table has to say what is wrong."""

ValueKinds = tuple[set[type], ...]
"""Sets of Python types; all values that are not None are of the types of one set."""

LEARNT_FROM = "its vocabulary was learnt from"


class AnyVocabulary(ABC):
    """From the values of a column, or of several that share an embedding table, to rows of the table."""

    @property
    @abstractmethod
    def type(self) -> pa.DataType | None:
        """The values' type: int64 or large_string; null or None where nothing is known of it."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many rows values have, without the reserved ones."""

    @property
    def rows(self) -> int:
        """Rows that an embedding table needs, the reserved ones included."""
        return self.size + RESERVED_ROWS

    @property
    def strings(self) -> bool:
        """Whether values are strings; they are as well where no value was seen."""
        return self.type is None or not pa.types.is_integer(self.type)

    def check(self, keys: pa.Array, purpose: str, row_of: RowOf = int) -> None:  # noqa: ARG002
        """Refuse keys that have no row and cannot have one.

        Args:
            keys: see :func:`gatewise.data.values.as_keys`.
            purpose: who asks, for messages.
            row_of: the row of the table that a key stands in.

        Raises:
            TableError: strings among integers, or the other way round.
        """
        check_type(keys.type, self.type, purpose, LEARNT_FROM)

    @abstractmethod
    def lookup(self, values: pa.Array) -> np.ndarray:
        """Return the int32 row of every value; none is null."""

    @abstractmethod
    def rows_of(self, keys: pa.Array) -> np.ndarray:
        """Return the int32 row of every key of a column; null has its own."""

    def extended(self, values: pa.Array, counts: np.ndarray) -> AnyVocabulary:  # noqa: ARG002
        """Return a vocabulary that also has rows for these values; rows of known values stay."""
        return self

    def value_kinds(self) -> ValueKinds:
        """Return the Python types that :meth:`value_rows` takes."""
        if self.type is None or pa.types.is_null(self.type):
            return ()
        return ({int},) if pa.types.is_integer(self.type) else ({str},)

    @abstractmethod
    def value_rows(self) -> RowsOfValues:
        """Return a look-up of Python values, of which each may be None; integers are of 64 bits."""

    @abstractmethod
    def examples(self, count: int) -> list[Any]:
        """Return so many values at most, the most frequent first; none where none is known."""

    @abstractmethod
    def draw(self, count: int, rng: np.random.Generator) -> list[Any]:
        """Return so many made-up values: known ones, and unseen ones where there can be some."""

    @abstractmethod
    def state(self) -> dict[str, Any] | None:
        """Return what was learnt as JSON values; None where the declaration says it all."""


def check_type(found: pa.DataType, expected: pa.DataType | None, purpose: str, who: str) -> None:
    """Refuse to look strings up among integers or the other way round.

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
    """Return some of the known values and some that are not among them."""
    unseen = [f"unseen {i}" if strings else int(rng.integers(-(2**62), 2**62)) for i in range(count)]
    if not len(known):
        return unseen
    found = known.take(pa.array(rng.integers(0, len(known), count))).to_pylist()
    chosen = rng.random(count) < UNSEEN
    return [unseen[i] if chosen[i] else str(key) if strings else int(key) for i, key in enumerate(found)]
