"""From a specification and weights to a ranker."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn import Identity

from gatewise import declare
from gatewise.assembly import build_model, build_tasks
from gatewise.convert.features import TableName, column_order, fill_tables, make_schema
from gatewise.convert.parts import Parts
from gatewise.convert.source import Source
from gatewise.convert.spec import Spec
from gatewise.data import TableEncoder
from gatewise.errors import DeclarationError, shown
from gatewise.loading import ranker_of
from gatewise.nn import MultiTaskModel
from gatewise.ranker import Ranker
from gatewise.serving import Scorer

STATISTICS = {"binary": {"rate": 0.5}, "regression": {"mean": 0.0, "std": 1.0}}
"""Statistics of labels by kind of task, with which predictions are in the unit of the old model."""


def make_ranker(
    spec: Spec, source: Source, parts: Parts, *, table: TableName, order: Callable[[Spec], Sequence[str]], funnel: bool
) -> Ranker:
    """Return a ranker whose predictions are those of the old model.

    Args:
        spec: the old model's features and tasks.
        source: its weights.
        parts: what was read of the weights.
        table: the name of a feature's embedding table.
        order: returns the features' names in the order of the old model's input.
        funnel: whether the second task is a step after the first.

    Raises:
        DeclarationError: a weight has no counterpart, or what the specification says does not fit the weights.
    """
    if len(parts.towers) != len(spec.tasks):
        found = f"{len(spec.tasks)} name" + "s" * (len(spec.tasks) > 1)
        raise DeclarationError(f"tasks: the weights have {len(parts.towers)} towers, found {found}")
    schema = make_schema(spec.features, spec.tasks, source, table, funnel=funnel)
    names = [task.name for task in spec.tasks]
    model = declare.from_dict(
        declare.Options,
        {"model": parts.architecture(names, **spec.hidden), "balance": "static"},
    )
    statistics = {task.name: STATISTICS[task.kind] for task in spec.tasks}
    encoder = TableEncoder.without_training(schema, statistics)
    tasks = build_tasks(schema, encoder.statistics)
    built = build_model(model.model, encoder.layout, tasks)
    _fill(built, spec, source, parts, table, order(spec))
    if source.rest():
        raise DeclarationError(f"{source.of}: these weights have no counterpart: {shown(source.rest(), 3)}")
    return ranker_of(Scorer(encoder, built.eval(), tasks), model)


@torch.no_grad()
def _fill(
    model: MultiTaskModel, spec: Spec, source: Source, parts: Parts, table: TableName, order: Sequence[str]
) -> None:
    fill_tables(model.input_layer, spec.features, source, table)
    places = column_order(model.input_layer, [(name, len(model.input_layer.columns_of(name))) for name in order])
    parts.fill_trunk(model.trunk, places)
    assert not isinstance(model.towers, Identity)
    parts.fill_towers(model.towers, places)
