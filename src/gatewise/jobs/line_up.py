"""The contestants of a comparison, all with about as many parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from gatewise import declare
from gatewise.analysis import COMMON, control_of, resized, summary_of
from gatewise.assembly import build_model, build_tasks
from gatewise.data import TableEncoder
from gatewise.declare import Options, Schema
from gatewise.errors import DeclarationError
from gatewise.jobs.contestants import Models, Part
from gatewise.tasks import Task
from gatewise.training import split_name

SINGLE_TASK, SHARED_BOTTOM = "single task", "shared bottom"
ALONE: dict[str, Any] = {"ordered": (), "expectation": 0.0}
"""Options of an architecture about several tasks, with their values in a single-task model."""


def line_up(
    schema: Schema,
    options: Options,
    encoder: TableEncoder,
    also: Sequence[str | declare.Architecture] = (),
) -> list[Models]:
    """Return a model, a shared bottom, single-task models and the models of ``also``.

    The others have the width at which their parameters outside the embeddings come nearest to the model's, each
    single-task model by itself. They have the model's options; single-task models have static balance.

    Args:
        schema: features and tasks.
        options: the model, its balance and training.
        encoder: fitted on the training rows.
        also: further architectures, or names of kinds.

    Raises:
        DeclarationError: a kind is unknown, or its options do not fit the schema.
    """
    budget = _size(options.model, schema, encoder)
    names = tuple(task.name for task in schema.tasks)
    others: dict[str, declare.Architecture] = {SHARED_BOTTOM: control_of(declare.SharedBottom, options.model)}
    others |= {type(model).__name__: model for model in (_declared(each, options.model) for each in also)}

    def whole(model: declare.Architecture) -> tuple[Part, ...]:
        return (Part(schema, _with(options, model), names),)

    found = {type(options.model).__name__: whole(options.model)}
    for name, model in others.items():
        _check(name, model, schema)
        sized = resized(model, lambda each: _size(each, schema, encoder), budget)
        found.setdefault(name, whole(sized))
    found[SINGLE_TASK] = tuple(_alone(task, schema, options, encoder, budget) for task in names)
    return [Models(name, parts) for name, parts in found.items()]


def _alone(name: str, schema: Schema, options: Options, encoder: TableEncoder, budget: int) -> Part:
    """Return the single-task model of a task; a step of a funnel needs the steps before it, too."""
    own = schema.only(name)
    control = control_of(declare.SingleTask, options.model).of_tasks(task.name for task in own.tasks)
    control = replace(control, **ALONE)
    model = resized(control, lambda each: _size(each, own, encoder), budget)
    (task,) = (task for task in build_tasks(own, encoder.statistics) if task.name == name)
    training = replace(options.training, monitor=_monitor(options.training.monitor, task))
    return Part(own, Options(model=model, balance=declare.Static(), training=training), (name,))


def _monitor(monitor: str, task: Task) -> str:
    """Return the metric that stops a single-task model: the declared one if it is the task's, or the task's summary."""
    output = task.outputs[-1]
    own = split_name(monitor)[0] in task.outputs
    return monitor if own else f"{output}.{summary_of(task, output).name}"


def _declared(each: str | declare.Architecture, model: declare.Architecture) -> declare.Architecture:
    if isinstance(each, declare.Architecture):
        return each
    common = {name: getattr(model, name) for name in COMMON}
    try:
        return declare.from_dict(Options, {"model": {"kind": each, **common}}).model
    except DeclarationError as error:
        raise DeclarationError(f"also: {error}".replace("Options.model", each)) from None


def _check(name: str, model: declare.Architecture, schema: Schema) -> None:
    try:
        model.check(schema)
    except DeclarationError as error:
        raise DeclarationError(f"also: {name}: {error}") from None


def _with(options: Options, model: declare.Architecture) -> Options:
    return declare.from_dict(Options, {"model": model, "balance": options.balance, "training": options.training})


def _size(model: declare.Architecture, schema: Schema, encoder: TableEncoder) -> int:
    """Return the number of parameters outside the embeddings, without allocating any."""
    with torch.device("meta"):
        built = build_model(model, encoder.layout, build_tasks(schema, encoder.statistics))
    return built.num_parameters(embeddings=False)
