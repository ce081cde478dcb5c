"""A source: where rows come from. One class per kind of source answers the same few questions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from gatewise.data.pieces import PIECE_ROWS
from gatewise.data.reading import Types
from gatewise.data.sources.digests import digest_of_values

Columns = Iterable[str] | None
"""Names of the wanted columns, as far as they exist; None: all."""


@dataclass(frozen=True)
class Extent:
    """How much a source holds, as far as it is known without reading rows; None: not known.

    Attributes:
        rows: number of rows.
        bytes: bytes of the wanted columns: in memory for a table and for Parquet (without compression), on the disk
            for CSV, several times the file's size for a compressed CSV file.
    """

    rows: int | None
    bytes: int | None

    def __add__(self, other: Extent) -> Extent:
        """Return the extent of both together."""
        return Extent(_sum(self.rows, other.rows), _sum(self.bytes, other.bytes))


class Source(ABC):
    """Rows with named columns, which can be read again and again."""

    shown: str = "table"
    """The name for messages and titles; it holds no password."""
    in_memory: bool = False
    """Whether the rows are in memory already, so that another pass over them costs little."""
    takes_types: bool = False
    """Whether the known types of columns matter, as for text files."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of all columns, without reading rows where that is possible."""

    @abstractmethod
    def read(self, columns: Columns, types: Types) -> pa.Table:
        """Return all rows, with all columns or those of ``columns`` that exist."""

    @abstractmethod
    def stream(self, columns: Columns, types: Types, rows: int) -> Iterator[pa.Table]:
        """Yield all rows in pieces of at most ``rows`` rows, at least one piece; never holds all of them."""

    def identity(self, columns: Columns = None) -> str:
        """Return a digest that changes with the data: of what is known of them without reading, if that is enough.

        By default of the values, which are read for it piece by piece.
        """
        return digest_of_values(self.stream(columns, {}, PIECE_ROWS))

    def extent(self, columns: Columns = None) -> Extent:  # noqa: ARG002
        """Return how much there is to read of the wanted columns; by default nothing is known."""
        return Extent(None, None)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
