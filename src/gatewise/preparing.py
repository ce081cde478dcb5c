"""From tables to the inputs of a trainer: a scorer with the model to train, and encoded rows."""

from __future__ import annotations

import gc
import math
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from gatewise import declare
from gatewise.assembly import (
    WindowedRows,
    build_balance,
    build_model,
    build_tasks,
    load_language_models,
    load_pretrained_vectors,
    shared_matrices,
)
from gatewise.caching import Cacher, fits
from gatewise.data import AsOf, CachedRows, EncodedTable, Moments, TableEncoder, check_there, read_at, readable
from gatewise.errors import DeclarationError, GatewiseWarning, TableError
from gatewise.layout import EmbeddingField
from gatewise.nn import EmbeddingTables, HostTables, ShardedTables, TensorTable
from gatewise.processes import Alone, Processes, of_rank_zero
from gatewise.progress import counting, said, working
from gatewise.serving import Scorer
from gatewise.training import Monitor, choose_device

MANY_ROWS = 50_000
"""Number of rows from which the memory of an earlier training is worth looking for."""
SOME, SOME_BLOCKS = 50_000, 8
"""Rows, in memory or in blocks on disk, that say how the training rows are distributed."""
Rows = TensorTable | WindowedRows
"""Encoded rows of a training: in memory, or on disk."""


def check_declared(schema: declare.Schema, options: declare.Options) -> None:
    """Refuse options that do not fit a schema, before the tables are read.

    Raises:
        DeclarationError: names the option.
    """
    options.model.check(schema)
    declare.check_balance(options.balance, schema)
    declare.check_tables(schema, options.training)
    tasks = build_tasks(schema)
    Monitor(options.training.monitor, tasks)
    if options.balance.named_tasks:
        build_balance(options.balance, tasks)
    if (fusion := options.parsed_fusion) is not None:
        learnt = [task.name for task in schema.tasks if task.learns_columns]
        fusion.check([column for task in tasks for column in task.columns], learnt, schema.known)


def check_fit(schema: declare.Schema, options: declare.Options, valid: Any) -> None:
    """Refuse options that cannot be trained, before the tables are encoded.

    Raises:
        DeclarationError: an option follows the monitored metric, and there is no validation table.
        MissingExtraError: the balancing rule needs a package that is not installed.
    """
    balance, schedule = options.balance, options.training.schedule
    for name, option in (("schedule", schedule), ("balance", balance)):
        if valid is None and option is not None and option.needs_validation:
            raise DeclarationError(f"{name} {option.kind!r} follows the monitored metric: fit needs a validation table")
    if not balance.needs_validation:
        build_balance(balance, build_tasks(schema))


@dataclass(frozen=True)
class Prepared:
    """The inputs of a training.

    Attributes:
        options: the declared options, without any ``auto``.
        scorer: encoder, tasks and the model to train.
        train: training rows, on the model's device or on disk.
        valid: validation rows, or None.
        replay: earlier rows that are mixed into the batches, or None.
        as_of: the moment at which training labels with a ``delay`` were read; None without such labels.
    """

    options: declare.Options
    scorer: Scorer
    train: Rows
    valid: Rows | None
    replay: Rows | None = None
    as_of: AsOf | None = None

    @property
    def until(self) -> dict[str, float]:
        """The moment up to which labels with a ``delay`` were learnt, by column of times."""
        now = {} if self.as_of is None else self.as_of.now
        return {column: moment for column, moment in now.items() if math.isfinite(moment)}

    def counted(self) -> dict[str, int]:
        """Return the number of rows by what they are for."""
        named = {"training": self.train, "validation": self.valid, "replay": self.replay}
        return {name: len(rows) for name, rows in named.items() if rows is not None}


def prepare(
    schema: declare.Schema,
    options: declare.Options,
    train: Any,
    valid: Any = None,
    *,
    known: Scorer | None = None,
    replay: Any = None,
    show: bool = False,
    among: Processes | None = None,
    now: declare.Instant | None = None,
    ripened: Ripened | None = None,
    counted: Mapping[str, torch.Tensor] | None = None,
) -> Prepared:
    """Return encoded tables and a new model, or a copy of the known model.

    Args:
        schema: features and tasks.
        options: architecture, device and seed.
        train: any table; vocabularies and statistics are learnt from it unless ``known`` has them.
        valid: any table, or None.
        known: encoder, model and tasks of an earlier training to continue, or None.
        replay: any table of earlier rows, or None; with ``known`` only.
        show: whether to show progress.
        among: the processes that train together; by default this one alone.
        now: the moment at which labels with a ``delay`` are read; None: the newest time of each table.
        ripened: rows whose labels became final since the last training, or None; with ``known`` only.
        counted: how many rows each value had in earlier trainings, see :class:`gatewise.nn.IdDropout`.

    Raises:
        TableError: a table, or a file of vectors, does not hold what the schema declares; names the column.
        DeclarationError: this machine does not have the device.
    """
    device = choose_device(options.training.device)
    if known is None:
        _check_vectors(schema)
    side = options.model.side
    aside = () if side is None else side.features
    train = readable(train)
    as_of = read_at(schema, train, now)
    tables = _Tables(
        schema.embedding_numbers(options.model.numbers), options.training, show, now, as_of, among or Alone()
    )
    encoder, encoded = tables.training(train, None if known is None else known.encoder)
    if ripened is not None:
        encoded = _with_ripened(encoded, encoder, ripened, as_of)
    if len(encoded) >= MANY_ROWS:
        # torch's optimisers refer to themselves: the one of an earlier training stays until somebody looks for such
        gc.collect()
    if known is None:
        encoder.learn_shares(_some(encoded))
    encoded_valid = None if valid is None else tables.validation(encoder, valid, aside)
    encoded_replay = None if replay is None else tables.training(replay, encoder, "the replay table")[1]
    options = _resolved(options, declare.TableSize(len(encoded), valid is not None), show)
    matrices = shared_matrices(encoder.layout.fields, options.training.tables)
    shared = among if among is not None and among.size > 1 and matrices else None
    kind = HostTables if options.training.tables == "host" else EmbeddingTables
    if known is None:
        scorer = _untrained(encoder, options, device, _tables_of(kind, shared, matrices))
    else:
        scorer = known.copy(device, kind)
    if known is not None and shared is not None:
        scorer.model.input_layer.tables = ShardedTables.of(scorer.model.input_layer.tables, shared, matrices)
    with counting("texts read", show and bool(encoder.layout.texts)) as count:
        read = partial(scorer.model.input_layer.read_texts, read=count)
        tensors = _rows(scorer, encoded).prepared(read)
        scorer.model.input_layer.learn(tensors.pieces(), counted)
        held_out = None if encoded_valid is None else _rows(scorer, encoded_valid).prepared(read)
        earlier = None if encoded_replay is None else _rows(scorer, encoded_replay).prepared(read)
    return Prepared(options, scorer, tensors, held_out, earlier, as_of)


@dataclass(frozen=True)
class Ripened:
    """Rows that are learnt again, for the tasks whose labels became final meanwhile.

    Attributes:
        table: any table.
        since: the moment up to which labels were learnt; empty: none were.
    """

    table: Any
    since: Moments


def _with_ripened(
    encoded: EncodedTable | CachedRows, encoder: TableEncoder, ripened: Ripened, as_of: AsOf | None
) -> EncodedTable:
    """Return training rows, and below them the rows with labels that became final.

    Raises:
        DeclarationError: no task has a ``delay``.
        TableError: the training rows do not fit into memory.

    Warns:
        GatewiseWarning: there are no such rows.
    """
    if as_of is None:
        raise DeclarationError("ripened: no task has a delay, so that no label becomes final later")
    if isinstance(encoded, CachedRows):
        raise TableError("ripened: the rows to learn do not fit into training.memory, give fewer at a time")
    found = encoder.encode(ripened.table, weights=True, as_of=AsOf(as_of.now, ripened.since))
    assert found.weights is not None
    fresh = found.taken(np.flatnonzero((found.weights > 0).any(axis=1)))
    if not len(fresh):
        what = f"ripened: none of its {len(found):,} rows has a label that became final since the last training"
        warnings.warn(what, GatewiseWarning, stacklevel=5)
    return encoded.followed_by(fresh)


@dataclass(frozen=True)
class _Tables:
    """Encodes tables, in memory or, where they do not fit, into caches on disk."""

    schema: declare.Schema
    training_options: declare.Training
    show: bool
    now: declare.Instant | None
    as_of: AsOf | None
    among: Processes

    def training(
        self, source: Any, known: TableEncoder | None, what: str = "the training table"
    ) -> tuple[TableEncoder, EncodedTable | CachedRows]:
        """Return the encoder, learnt from the training table unless it is known, and the encoded table."""
        source = readable(source)
        # replayed rows are older than today's, and as final as they are today
        as_of = self.as_of
        if not self._fits(source):
            cacher = Cacher(self.schema, self.training_options, self.show, self.among)
            if known is None:
                return cacher.learnt(source, as_of)
            return known, cacher.encoded(known, source, weights=True, as_of=as_of)
        with working(f"encoding {what}", self.show):
            if known is None:
                return TableEncoder.fit(self.schema, source, as_of)
            return known, known.encode(source, weights=True, as_of=as_of)

    def _fits(self, source: Any) -> bool:
        # the machines of several processes may differ in memory
        first = self.among.rank == 0
        return of_rank_zero(self.among, first and fits(self.schema, self.training_options, source))

    def validation(self, encoder: TableEncoder, source: Any, aside: Collection[str]) -> EncodedTable | CachedRows:
        """Return the encoded validation table."""
        source = readable(source)
        as_of = read_at(self.schema, source, self.now)
        if not self._fits(source):
            cacher = Cacher(self.schema, self.training_options, self.show, self.among)
            return cacher.encoded(encoder, source, optional=aside, as_of=as_of)
        with working("encoding the validation table", self.show):
            return encoder.encode(source, optional=aside, as_of=as_of)


def _some(encoded: EncodedTable | CachedRows) -> EncodedTable:
    """Return some rows, from all over the table."""
    if isinstance(encoded, EncodedTable):
        return encoded.taken(np.unique(np.linspace(0, len(encoded) - 1, min(len(encoded), SOME)).astype(np.int64)))
    blocks = len(encoded.block_rows)
    return encoded.load(np.unique(np.linspace(0, blocks - 1, min(blocks, SOME_BLOCKS)).astype(int)).tolist())


def _rows(scorer: Scorer, encoded: EncodedTable | CachedRows) -> Rows:
    """Return encoded rows as tensors on the model's device, all of them or some at a time."""
    if isinstance(encoded, CachedRows):
        return WindowedRows(encoded, sum(task.num_labels for task in scorer.tasks), scorer.device)
    return scorer.tensors(encoded)


def _resolved(options: declare.Options, size: declare.TableSize, show: bool) -> declare.Options:
    """Return options of numbers only, and say what they became."""
    found = declare.chosen(options, size)
    values = ", ".join(f"{name} {value:,.4g}" for name, value in found.items())
    if found:
        said(f"chosen for {size.rows:,} rows: {values}", show)
    return declare.resolved(options, size)


def _check_vectors(schema: declare.Schema) -> None:
    """Refuse files of vectors that do not exist, before a table is encoded."""
    for feature in schema.features:
        if (vectors := getattr(feature, "pretrained", None)) is not None:
            check_there(vectors, f"feature {feature.name!r}")


def _tables_of(
    kind: type[EmbeddingTables], shared: Processes | None, matrices: Collection[str]
) -> Callable[[tuple[EmbeddingField, ...]], EmbeddingTables]:
    """Return what makes tables of a kind, or those of which several processes share some matrices."""
    return kind if shared is None else partial(ShardedTables, processes=shared, shared=matrices)


def _untrained(
    encoder: TableEncoder,
    options: declare.Options,
    device: torch.device,
    tables: Callable[[tuple[EmbeddingField, ...]], EmbeddingTables],
) -> Scorer:
    """Return a scorer with an untrained model, whose embedding tables ``tables`` makes."""
    tasks = build_tasks(encoder.schema, encoder.statistics)
    model = build_model(options.model, encoder.layout, tasks, options.training.seed, tables)
    load_language_models(model)
    load_pretrained_vectors(model, encoder)
    return Scorer(encoder, model.to(device), tasks, fusion=options.parsed_fusion)
