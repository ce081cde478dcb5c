"""Writing a cache: rows are encoded piece by piece, and dealt to files at random."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from gatewise.data.cache.manifest import Manifest, Part, sha256_of
from gatewise.data.cache.records import (
    BLOCK_ROWS,
    from_batches,
    read_batches,
    read_tokens,
    texts_file,
    to_batch,
    write_batches,
    write_tokens,
)
from gatewise.data.cache.texts import TextDictionary
from gatewise.data.cache.turns import Turns
from gatewise.data.encoded import EncodedTable
from gatewise.errors import TableError
from gatewise.files import write_atomically

PART_ROWS = 64 * BLOCK_ROWS
"""Rows of a file, on average."""
SPOOL = "spool-"
ALONE = Turns()
RANDOM, TIME = "random", "time"
"""Orders of a cache: rows dealt to the files at random, or as they come."""


@dataclass(frozen=True)
class Plan:
    """How rows become a cache.

    Attributes:
        key: what the cache is made of, see :class:`Manifest`.
        rows: number of rows.
        order: ``random`` or ``time``.
        seed: of the dealing.
        whole_groups: whether the rows of a group are to be in one block, as far as rows are dealt at random.
        label_columns: name of every label column; None for one that is not of zeros and ones.
        texts: number of text columns.
        source: the source in words.
        block_rows: rows of a block.
        part_rows: rows of a file, on average.
    """

    key: dict[str, str]
    rows: int
    order: str = RANDOM
    seed: int = 0
    whole_groups: bool = False
    label_columns: Sequence[str | None] = ()
    texts: int = 0
    source: str = ""
    block_rows: int = BLOCK_ROWS
    part_rows: int = PART_ROWS

    @property
    def parts(self) -> int:
        """Number of files."""
        return max(1, math.ceil(self.rows / self.part_rows))


def write_cache(
    folder: Path,
    plan: Plan,
    pieces: Iterable[pa.Table],
    encode: Callable[[pa.Table], EncodedTable],
    count: Callable[[int], None] = lambda _: None,
    turns: Turns = ALONE,
) -> Manifest:
    """Write encoded pieces into a folder that this process holds; an interrupted writing goes on where it ended.

    First every piece is encoded into a file of its own, cut by the part to which its rows are dealt; then every part is
    gathered from these files, its rows put into a random order, and written. The same pieces and plan give the same
    bytes, interrupted or not, and by however many processes: each encodes and gathers its share. Where rows have texts,
    which are numbered as they come, rank 0 encodes all pieces.

    Args:
        folder: of the cache; may hold what an interrupted writing left.
        plan: number of rows, order, seed.
        pieces: the rows, in an order that is always the same.
        encode: returns a piece encoded, with hashes as groups.
        count: called with the number of rows that were done since the last call.
        turns: which of several processes this is; all of them call this, with the same pieces.

    Returns:
        The manifest, written last.

    Raises:
        TableError: there are other rows than planned, because the source has changed.
        ArtefactError: a file cannot be written.
    """
    texts = [TextDictionary() for _ in range(plan.texts)]
    spooled: list[Path] = []
    rows = 0
    for place, piece in enumerate(pieces):
        path = folder / f"{SPOOL}{place:06d}.arrow"
        mine = turns.first if texts else turns.mine(place)
        if mine and path.exists():
            _restore_texts(path, texts)
        elif mine:
            _spool(path, plan, (place, rows), encode(piece), texts)
        spooled.append(path)
        rows += piece.num_rows
        count(piece.num_rows)
    if rows != plan.rows:
        found = f"had {plan.rows:,} rows, and {rows:,} when read again"
        raise TableError(f"{plan.source}: {found}: it has changed meanwhile")
    turns.wait()
    for number in range(plan.parts):
        if turns.mine(number):
            _write_part(folder, plan, number, spooled)
    turns.wait()
    if turns.first:
        _finish(folder, plan, texts)
    turns.wait()
    return Manifest.read(folder)


def _finish(folder: Path, plan: Plan, texts: Sequence[TextDictionary]) -> None:
    """Write the manifest of parts that are there, which makes the cache complete, and delete the pieces."""
    for place, known in enumerate(texts):
        write_atomically(folder / texts_file(place), partial(_write_tokens, known))
    parts = [_described(_path(folder, number), plan) for number in range(plan.parts)]
    digests = [sha256_of(folder / texts_file(place)) for place in range(plan.texts)]
    names = [name for name in plan.label_columns if name is not None]
    Manifest(plan.key, plan.rows, plan.order, parts, digests, names, plan.source).write(folder)
    for path in folder.glob(f"{SPOOL}*"):
        path.unlink()


def _spool(path: Path, plan: Plan, begin: tuple[int, int], rows: EncodedTable, texts: Sequence[TextDictionary]) -> None:
    """Write an encoded piece, the ``begin[0]``-th, from row ``begin[1]`` on, with one record batch per part."""
    before = [len(known) for known in texts]
    coded = tuple(known.coded(each) for known, each in zip(texts, rows.texts, strict=True))
    for place, (known, first) in enumerate(zip(texts, before, strict=True)):
        write_atomically(_texts_of(path, place), partial(_write_tokens, known, first=first))
    rows = replace(rows, texts=coded)
    dealt = _dealt(plan, begin, rows)
    batches = [to_batch(rows.taken(np.flatnonzero(dealt == number))) for number in range(plan.parts)]
    # written last: a piece whose file is there is complete
    write_atomically(path, lambda target: write_batches(target, batches))


def _write_tokens(known: TextDictionary, target: Path, *, first: int = 0) -> None:
    write_tokens(target, known.tokens(first))


def _texts_of(path: Path, place: int) -> Path:
    """Return the file of the texts that a piece added to a dictionary."""
    return path.with_suffix(f".texts-{place}")


def _restore_texts(path: Path, texts: Sequence[TextDictionary]) -> None:
    for place, known in enumerate(texts):
        known.add(read_tokens(_texts_of(path, place)))


def _dealt(plan: Plan, begin: tuple[int, int], rows: EncodedTable) -> np.ndarray:
    """Return the part ``[row]`` of every row of a piece; rows of a group get one part."""
    place, first = begin
    if plan.order == TIME:
        return np.full(len(rows), min(first // plan.part_rows, plan.parts - 1))
    drawn = np.random.default_rng([plan.seed, place]).integers(plan.parts, size=len(rows))
    if not plan.whole_groups or rows.groups is None:
        return drawn
    return np.where(rows.groups < 0, drawn, rows.groups % plan.parts)


def _path(folder: Path, number: int) -> Path:
    return folder / f"part-{number:05d}.arrow"


def _write_part(folder: Path, plan: Plan, number: int, spooled: Sequence[Path]) -> None:
    """Gather a part from all pieces, and write it in a random order, unless it is there."""
    path = _path(folder, number)
    if not path.exists():
        rows = from_batches([read_batches(each).get_batch(number) for each in spooled])
        if plan.order == RANDOM:
            rows = rows.taken(_shuffled(plan, number, rows))
        blocks = [to_batch(rows.taken(np.arange(*ends))) for ends in _blocks(plan, rows)]
        write_atomically(path, lambda target: write_batches(target, blocks))


def _shuffled(plan: Plan, number: int, rows: EncodedTable) -> np.ndarray:
    """Return the order of a part's rows: at random, those of a group beside each other."""
    order = np.random.default_rng([plan.seed, plan.parts, number]).permutation(len(rows))
    if not plan.whole_groups or rows.groups is None:
        return order
    groups = rows.groups[order]
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    return order[np.argsort(np.where(groups < 0, np.arange(len(order)), first[member]), kind="stable")]


def _blocks(plan: Plan, rows: EncodedTable) -> list[tuple[int, int]]:
    """Return the first row of every block and the row behind it; a group of neighbouring rows is not cut."""
    blocks, start, count = [], 0, len(rows)
    ends = np.arange(1, count + 1)
    if plan.whole_groups and rows.groups is not None:
        ends = np.append(np.flatnonzero((np.diff(rows.groups) != 0) | (rows.groups[1:] < 0)) + 1, count)
    while start < count:
        end = int(ends[np.searchsorted(ends, min(start + plan.block_rows, count))])
        blocks.append((start, end))
        start = end
    return blocks or [(0, 0)]


def _described(path: Path, plan: Plan) -> Part:
    """Return what the manifest says of a part."""
    counted = [place for place, name in enumerate(plan.label_columns) if name is not None]
    reader = read_batches(path)
    blocks, positives, known = list[int](), list[list[int]](), list[list[int]]()
    for number in range(reader.num_record_batches):
        labels = from_batches([reader.get_batch(number)]).labels
        assert labels is not None
        blocks.append(len(labels))
        positives.append((labels[:, counted] == 1).sum(axis=0).tolist())
        known.append((~np.isnan(labels[:, counted])).sum(axis=0).tolist())
    return Part(path.name, blocks, positives, known, path.stat().st_size, sha256_of(path))
