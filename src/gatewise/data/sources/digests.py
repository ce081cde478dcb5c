"""Digests that name data: of facts about files, or of the values themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from gatewise.data.pieces import regrouped

PIECE = 1 << 20
"""Rows whose values are digested at once, however a table is cut into chunks."""


def digest_of(facts: Iterable[str]) -> str:
    """Return a digest of texts in their order."""
    found = _new()
    for fact in facts:
        found.update(f"{len(fact)}:{fact}".encode())
    return found.hexdigest()


def digest_of_values(pieces: Iterable[pa.Table]) -> str:
    """Return a digest of the names, types and values of a table in pieces; where it is cut does not matter."""
    found = _new()
    for piece in regrouped(pieces, PIECE, some=True):
        _update(found, piece)
    return found.hexdigest()


def _update(found: Any, table: pa.Table) -> None:
    bare = table.replace_schema_metadata(None).combine_chunks()
    with pa.ipc.new_stream(pa.PythonFile(_Sink(found), mode="w"), bare.schema) as writer:
        writer.write_table(bare)


class _Sink:
    """A file that digests what is written to it."""

    closed = False

    def __init__(self, found: Any) -> None:
        self.found = found

    def write(self, data: bytes) -> int:
        self.found.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """Nothing is open."""


def _new() -> Any:
    return hashlib.blake2b(digest_size=16)
