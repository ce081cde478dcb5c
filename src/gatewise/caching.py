"""Rows that do not fit into memory: encoded once into a cache on disk, from which every epoch reads windows."""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise import declare
from gatewise.data import (
    MANIFEST,
    PIECE_ROWS,
    SEEN,
    VOCABULARIES,
    AsOf,
    CachedRows,
    EncodedTable,
    Manifest,
    Plan,
    TableEncoder,
    TableLearner,
    Turns,
    cache_of,
    declared_types,
    extent_of,
    identity_of,
    label_columns,
    needed_columns,
    open_cache,
    read_absorbed,
    readable,
    regrouped,
    source_of,
    stream_table,
    write_absorbed,
    write_cache,
)
from gatewise.errors import ArtefactError, GatewiseWarning, TableError
from gatewise.files import held_in_turn, write_atomically, write_bytes, write_text
from gatewise.machine.memory import memory_of_machine
from gatewise.meeting import meeting
from gatewise.processes import Alone, Processes
from gatewise.progress import counting, said
from gatewise.version import __version__

ENCODER = "encoder.json"
"""The file of a cache that holds the encoder, so that a second training learns nothing anew; its learnt values are in
the file ``VOCABULARIES`` beside it."""
ABSORBED = "absorbed-"
"""Begins the names of files in which processes hand over what they learnt from their parts of a table."""
Learn = Callable[[Turns], tuple[TableEncoder, int] | None]
"""Learns, in all processes; returns encoder and number of rows in rank 0, at least."""
SHARE = 4
"""Part of the machine's memory, one in so many, that tables may take."""
COPIES = 2
"""How often a table stands in memory while it is encoded: as it is read, and encoded."""
VALUE_BYTES = 8
CHANCE = 5.0
"""Standard deviations by which chance alone lets the share of ones differ between blocks."""


def fits(schema: declare.Schema, training: declare.Training, source: Any) -> bool:
    """Return whether a table is trained on in memory: whether it takes no more than ``training.memory``."""
    limit = memory_of_machine() // SHARE if training.memory == declare.AUTO else int(training.memory)
    columns = needed_columns(schema, weights=True)
    extent = extent_of(source, columns)
    known = [extent.bytes or 0, (extent.rows or 0) * len(columns) * VALUE_BYTES]
    return limit > 0 and COPIES * max(known) <= limit


@dataclass(frozen=True)
class Cacher:
    """Makes caches, or finds those that were made of the same.

    Attributes:
        schema: features and tasks.
        training: order, seed and folder of caches.
        show: whether to show progress.
        among: the processes that train together, which encode together where they see one folder.
    """

    schema: declare.Schema
    training: declare.Training
    show: bool = False
    among: Processes = field(default_factory=Alone)

    def learnt(self, source: Any, as_of: AsOf | None = None) -> tuple[TableEncoder, CachedRows]:
        """Return an encoder that is learnt from the training table, and the encoded table, in two passes over it.

        Raises:
            TableError: as :meth:`TableEncoder.fit`.
            ArtefactError: a file cannot be written.

        Warns:
            GatewiseWarning: as :meth:`TableEncoder.fit`; or the order of the rows does harm.
        """
        source = readable(source)
        key = {**self._key(source), "schema": json.dumps(self.schema.to_dict()), "order": self.training.order}
        key |= {"seed": str(self.training.seed), "made by": __version__} | _moment(as_of)
        folder = self._folder(key)
        with self._together(folder) as turns:
            encoder, rows = self._known(folder, partial(self.learn, source, as_of, folder), turns)
            cached = self._encoded(folder, key, source, encoder, rows, turns, weights=True, as_of=as_of)
        self._tell(cached, folder, "training")
        warn_of_order(cached)
        return encoder, cached

    def encoded(
        self,
        encoder: TableEncoder,
        source: Any,
        *,
        weights: bool = False,
        optional: Collection[str] = (),
        as_of: AsOf | None = None,
    ) -> CachedRows:
        """Return a table that is encoded by a fitted encoder.

        Args:
            encoder: the encoder.
            source: any table.
            weights: whether the table is trained on: row weights are read, and rows are dealt at random if so declared;
                otherwise rows keep their order.
            optional: names of features whose columns may be absent.
            as_of: the moment at which labels with a ``delay`` are read.
        """
        source = readable(source)
        learnt, values = encoder.saved()
        state = json.dumps([encoder.schema.to_dict(), learnt, sha256(values).hexdigest(), weights, sorted(optional)])
        key = {**self._key(source), "encoder": state, "order": self.training.order if weights else "time"}
        key |= {"seed": str(self.training.seed), "made by": __version__} | _moment(as_of)
        folder = self._folder(key)
        given: dict[str, Any] = {"weights": weights, "optional": optional, "as_of": as_of}
        with self._together(folder) as turns:
            _, rows = self._known(folder, lambda turns: (encoder, _count(source)) if turns.first else None, turns)
            cached = self._encoded(folder, key, source, encoder, rows, turns, **given)
        self._tell(cached, folder, "training" if weights else "validation")
        return cached

    def _key(self, source: Any) -> dict[str, str]:
        return {"source": identity_of(source, needed_columns(self.schema, weights=True))}

    def _folder(self, key: dict[str, str]) -> Path:
        return cache_of(key, None if self.training.cache is None else Path(self.training.cache))

    @contextmanager
    def _together(self, folder: Path) -> Iterator[Turns]:
        """Hold a cache's folder for the processes that see it; those that do not agree on one hold it in turn."""
        with meeting(self.among, folder) as turns, ExitStack() as stack:
            if turns is None or turns.first:
                stack.enter_context(held_in_turn(folder, self._say))
            yield Turns() if turns is None else turns

    def _known(self, folder: Path, learn: Learn, turns: Turns) -> tuple[TableEncoder, int]:
        """Return encoder and number of rows that were learnt before, or learn and keep them, in all processes."""
        found = self._kept(folder) if turns.first else None
        if turns.first and found is None:
            (folder / ENCODER).unlink(missing_ok=True)
        turns.wait()
        # rank 0 has looked at every byte
        is_kept = (folder / ENCODER).exists()
        # nobody writes before all have looked
        turns.wait()
        if not is_kept:
            found = learn(turns)
            if found is not None:
                self._keep(folder, *found)
            turns.wait()
        known = found or self._kept(folder)
        if known is None:
            raise ArtefactError(f"cache {str(folder)!r}: {ENCODER} and {VOCABULARIES} are not what rank 0 wrote there")
        return known

    def _kept(self, folder: Path) -> tuple[TableEncoder, int] | None:
        """Return encoder and number of rows that were learnt before; None: they were not, or are damaged."""
        try:
            kept = json.loads((folder / ENCODER).read_text(encoding="utf-8"))
            values = (folder / VOCABULARIES).read_bytes()
            if kept["values"] == sha256(values).hexdigest():
                encoder = TableEncoder.from_saved(self.schema, kept["encoder"], values)
                if kept["seen"]:
                    encoder.remember((folder / SEEN).read_bytes())
                return encoder, int(kept["rows"])
        except (OSError, ValueError, KeyError, TypeError, ArtefactError):
            pass
        return None

    def _keep(self, folder: Path, encoder: TableEncoder, rows: int) -> None:
        """Keep encoder and number of rows for :meth:`_kept`."""
        state, values = encoder.saved()
        write_bytes(folder / VOCABULARIES, values)
        remembered = encoder.remembered()
        if remembered is not None:
            write_bytes(folder / SEEN, remembered)
        known = {"rows": rows, "values": sha256(values).hexdigest(), "seen": remembered is not None}
        write_text(folder / ENCODER, json.dumps({**known, "encoder": state}))
        # of processes that were killed while they learnt
        for path in folder.glob(f"{ABSORBED}*"):
            path.unlink()

    def learn(self, source: Any, as_of: AsOf | None, folder: Path, turns: Turns) -> tuple[TableEncoder, int] | None:
        """Return encoder and number of rows in rank 0, and None in the others.

        Where the number of rows is known before they are read, every process learns from a part of the table, and hands
        over what it learnt in a file; rank 0 merges them, in the order of the parts, to what one pass gives.

        Args:
            source: any table that can be read repeatedly.
            as_of: the moment at which labels with a ``delay`` are read.
            folder: where all processes find the files.
            turns: which of the processes this is.

        Raises:
            TableError: as :meth:`TableEncoder.fit`.

        Warns:
            GatewiseWarning: as :meth:`TableEncoder.fit`.
        """
        rows, shared = extent_of(source).rows, turns.size > 1 and TableLearner(self.schema).merges
        if not shared or rows is None:
            return _learnt(self._learn_from(source, as_of)) if turns.first else None
        pieces = math.ceil(rows / PIECE_ROWS)
        files = [folder / f"{ABSORBED}{rank:05d}.arrow" for rank in range(turns.size)]
        learner = None
        if turns.first:
            learner = self._learn_from(source, as_of, turns.part(pieces))
        else:
            self._absorb(source, as_of, turns.part(pieces), files[turns.rank])
        turns.wait()
        if learner is None:
            return None
        # what stops a part stops one pass at its row, or does not stop it
        return _learnt(learner if _merged(learner, files[1:]) else self._learn_from(source, as_of))

    def _absorb(self, source: Any, as_of: AsOf | None, pieces: range, path: Path) -> None:
        """Write what a part of a table teaches; nothing where the part cannot be read as declared."""
        path.unlink(missing_ok=True)
        with suppress(TableError):
            absorbed = self._learn_from(source, as_of, pieces).absorbed()
            write_atomically(path, lambda target: write_absorbed(target, absorbed))

    def _learn_from(self, source: Any, as_of: AsOf | None, part: range | None = None) -> TableLearner:
        """Return a learner that took in the pieces of a part, which are numbered from 0, or all of them."""
        part = range(sys.maxsize) if part is None else part
        learner = TableLearner(self.schema, as_of, first=part.start * PIECE_ROWS)
        pieces = pieces_of(self.schema, source, declared_types(self.schema))
        with counting("rows looked at", self.show) as count:
            for piece in islice(pieces, part.start, part.stop):
                learner.absorb(piece)
                count(piece.num_rows)
        return learner

    def _encoded(
        self,
        folder: Path,
        key: dict[str, str],
        source: Any,
        encoder: TableEncoder,
        rows: int,
        turns: Turns,
        *,
        weights: bool,
        optional: Collection[str] = (),
        as_of: AsOf | None = None,
    ) -> CachedRows:
        """Return the rows of a complete cache, or write it first."""
        found = _complete(folder) if turns.first else None
        turns.wait()
        # rank 0 has looked at every byte
        if found is not None or (not turns.first and (folder / MANIFEST).exists()):
            return found or CachedRows(folder, Manifest.read(folder))
        plan = Plan(
            key={name: value for name, value in key.items() if name != "encoder"},
            rows=rows,
            order=key["order"],
            seed=self.training.seed,
            whole_groups=encoder.schema.group is not None,
            label_columns=label_columns(encoder.schema),
            texts=len(encoder.layout.texts),
            source=source_of(source).shown,
        )
        encode: Callable[[pa.Table], EncodedTable] = partial(
            encoder.encode_piece, weights=weights, optional=optional, as_of=as_of
        )
        with counting("rows encoded", self.show) as count:
            pieces = pieces_of(encoder.schema, source, encoder.column_types(), weights=weights)
            return CachedRows(folder, write_cache(folder, plan, pieces, encode, count, turns))

    def _say(self, line: str) -> None:
        said(line, self.show)

    def _tell(self, cached: CachedRows, folder: Path, which: str) -> None:
        size = sum(part.size for part in cached.manifest.parts)
        what = f"{len(cached):,} {which} rows do not fit into training.memory"
        said(f"{what}: they are read from a cache, {size / 1e6:,.0f} MB in {folder}", self.show)


def _learnt(learner: TableLearner) -> tuple[TableEncoder, int]:
    return learner.learn(), learner.rows


def _merged(learner: TableLearner, files: Sequence[Path]) -> bool:
    """Merge what other processes learnt, and delete their files; return whether all of it could be merged."""
    try:
        for path in files:
            learner.merge(read_absorbed(path))
    except (ArtefactError, TableError):
        return False
    finally:
        for path in files:
            path.unlink(missing_ok=True)
    return True


def _complete(folder: Path) -> CachedRows | None:
    """Return the rows of a complete cache; of a damaged one nothing is left."""
    try:
        return open_cache(folder)
    except ArtefactError:
        if (folder / MANIFEST).exists():
            for part in folder.glob("part-*"):
                part.unlink()
            (folder / MANIFEST).unlink()
        return None


def _moment(as_of: AsOf | None) -> dict[str, str]:
    """Return what the key of a cache says of the moment at which labels are read."""
    return {} if as_of is None else {"as of": json.dumps(dict(as_of.now))}


def pieces_of(
    schema: declare.Schema, source: Any, types: dict[str, pa.DataType], *, weights: bool = True
) -> Iterator[pa.Table]:
    """Yield the needed columns of a source in pieces of a fixed number of rows."""
    yield from regrouped(stream_table(source, needed_columns(schema, weights=weights), types), PIECE_ROWS)


def _count(source: Any) -> int:
    known = extent_of(source).rows
    return sum(piece.num_rows for piece in stream_table(source, [])) if known is None else known


def warn_of_order(cached: CachedRows) -> None:
    """Warn where rows stay in the order of the log, and the share of ones differs between blocks.

    Warns:
        GatewiseWarning: names the label and its shares.
    """
    if cached.manifest.order != "time":
        return
    for label, (ones, known) in cached.shares().items():
        positive, count = np.array(ones), np.array(known)
        positive, count = positive[count > 0], count[count > 0]
        if len(count) > 1 and beyond_chance(positive, count) > CHANCE:
            share = positive / count
            what = f"order 'time': the share of {label!r} differs between blocks of rows, from {share.min():.3g} to"
            remedy = "training follows the order; take order: random, which deals rows to all blocks"
            warnings.warn(f"{what} {share.max():.3g}, by more than chance: {remedy}", GatewiseWarning, stacklevel=3)


def beyond_chance(ones: np.ndarray, counts: np.ndarray) -> float:
    """Return by how many standard deviations the shares of ones ``[block]`` differ more than by chance."""
    rate = ones.sum() / counts.sum()
    if rate in (0, 1):
        return 0.0
    squares = ((ones - counts * rate) ** 2 / (counts * rate * (1 - rate))).sum()
    freedom = len(counts) - 1
    return float((squares - freedom) / math.sqrt(2 * freedom))
