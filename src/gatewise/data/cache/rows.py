"""Reading a cache: blocks of encoded rows."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import pyarrow as pa

from gatewise.data.cache.manifest import Manifest, sha256_of
from gatewise.data.cache.records import from_batches, read_batches, read_tokens, texts_file
from gatewise.data.encoded import EncodedTable
from gatewise.data.ragged import RaggedIds
from gatewise.errors import ArtefactError


@dataclass(frozen=True)
class CachedRows:
    """The encoded rows of a cache, by block.

    Attributes:
        folder: of the cache.
        manifest: what is in it.
    """

    folder: Path
    manifest: Manifest

    def __len__(self) -> int:
        return self.manifest.rows

    @cached_property
    def block_rows(self) -> list[int]:
        """The number of rows of every block, in the order of the rows."""
        return [rows for part in self.manifest.parts for rows in part.blocks]

    @cached_property
    def _first_blocks(self) -> list[int]:
        return [0, *accumulate(len(part.blocks) for part in self.manifest.parts)]

    @cached_property
    def tokens(self) -> list[RaggedIds]:
        """The texts of every text column."""
        return [read_tokens(self.folder / texts_file(place)) for place in range(len(self.manifest.texts))]

    @cached_property
    def _readers(self) -> threading.local:
        # a reader is not for several threads
        return threading.local()

    def batch(self, block: int) -> pa.RecordBatch:
        """Return a block as a record batch."""
        part = bisect_right(self._first_blocks, block) - 1
        readers = self._readers.__dict__.setdefault("by_part", {})
        if part not in readers:
            readers[part] = read_batches(self.folder / self.manifest.parts[part].file)
        return readers[part].get_batch(block - self._first_blocks[part])

    def load(self, blocks: Sequence[int], before: pa.RecordBatch | None = None) -> EncodedTable:
        """Return the rows of some blocks, in the given order, behind other rows.

        Args:
            blocks: their numbers.
            before: rows to stand in front of them.
        """
        batches = [self.batch(block) for block in blocks]
        return from_batches([*([] if before is None else [before]), *batches], self.tokens)

    def shares(self) -> dict[str, tuple[list[int], list[int]]]:
        """Return by label column, of zeros and ones, the number of ones and of labels in every block."""
        parts = self.manifest.parts
        return {
            name: (
                [block[place] for part in parts for block in part.positives],
                [block[place] for part in parts for block in part.known],
            )
            for place, name in enumerate(self.manifest.label_columns)
        }


def open_cache(folder: Path) -> CachedRows:
    """Return the rows of a complete cache, whose files were compared with the manifest.

    Raises:
        ArtefactError: there is no complete cache, or a file is missing or damaged; names it.
    """
    manifest = Manifest.read(folder)
    expected = {part.file: part.sha256 for part in manifest.parts}
    expected |= {texts_file(place): digest for place, digest in enumerate(manifest.texts)}
    for name, digest in expected.items():
        try:
            damaged = sha256_of(folder / name) != digest
        except OSError as error:
            raise ArtefactError(f"cache {str(folder)!r}: {name}: {error.strerror}; remove the cache") from None
        if damaged:
            raise ArtefactError(f"cache {str(folder)!r}: {name} is damaged; remove the cache")
    return CachedRows(folder, manifest)
