"""From tables to the inputs of a trainer: a scorer with the model to train, and encoded rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from gatewise import declare
from gatewise.assembly import (
    build_balance,
    build_model,
    build_tasks,
    load_language_models,
    load_pretrained_vectors,
)
from gatewise.data import TableEncoder, check_there
from gatewise.errors import DeclarationError
from gatewise.nn import TensorTable
from gatewise.progress import counting, said, working
from gatewise.serving import Scorer
from gatewise.training import Monitor, choose_device


def check_declared(schema: declare.Schema, options: declare.Options) -> None:
    """Refuse options that do not fit a schema, before the tables are read.

    Raises:
        DeclarationError: names the option.
    """
    options.model.check(schema)
    declare.check_balance(options.balance, schema)
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
        train: training rows, on the model's device.
        valid: validation rows, or None.
    """

    options: declare.Options
    scorer: Scorer
    train: TensorTable
    valid: TensorTable | None


def prepare(
    schema: declare.Schema,
    options: declare.Options,
    train: Any,
    valid: Any = None,
    *,
    known: Scorer | None = None,
    show: bool = False,
) -> Prepared:
    """Return encoded tables and a new model, or a copy of the known model.

    Args:
        schema: features and tasks.
        options: architecture, device and seed.
        train: any table; vocabularies and statistics are learnt from it unless ``known`` has them.
        valid: any table, or None.
        known: encoder, model and tasks of an earlier training to continue, or None.
        show: whether to show progress.

    Raises:
        TableError: a table, or a file of vectors, does not hold what the schema declares; names the column.
        DeclarationError: this machine does not have the device.
    """
    device = choose_device(options.training.device)
    with working("encoding the tables", show):
        if known is None:
            _check_vectors(schema)
            encoder, encoded = TableEncoder.fit(schema.embedding_numbers(options.model.numbers), train)
        else:
            encoder, encoded = known.encoder, known.encoder.encode(train, weights=True)
        side = options.model.side
        aside = () if side is None else side.features
        encoded_valid = None if valid is None else encoder.encode(valid, optional=aside)
    options = _resolved(options, declare.TableSize(len(encoded), valid is not None), show)
    scorer = _untrained(encoder, options, device) if known is None else known.copy(device)
    with counting("texts read", show and bool(encoder.layout.texts)) as count:
        read = partial(scorer.model.input_layer.read_texts, read=count)
        tensors = read(scorer.tensors(encoded))
        scorer.model.input_layer.learn(tensors)
        held_out = None if encoded_valid is None else read(scorer.tensors(encoded_valid))
    return Prepared(options, scorer, tensors, held_out)


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


def _untrained(encoder: TableEncoder, options: declare.Options, device: torch.device) -> Scorer:
    """Return a scorer with an untrained model."""
    tasks = build_tasks(encoder.schema, encoder.statistics)
    model = build_model(options.model, encoder.layout, tasks, options.training.seed)
    load_language_models(model)
    load_pretrained_vectors(model, encoder)
    return Scorer(encoder, model.to(device), tasks, fusion=options.parsed_fusion)
