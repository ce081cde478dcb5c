"""From declarations to modules."""

from __future__ import annotations

import itertools
from dataclasses import replace

import torch

from gatewise import balance, declare, nn
from gatewise.assembly.texts import build_text_encoder
from gatewise.assembly.trunks import Surroundings, build_trunk
from gatewise.layout import Layout
from gatewise.tasks import Task


def build_model(
    architecture: declare.Architecture, layout: Layout, tasks: list[Task], seed: int = 0
) -> nn.MultiTaskModel:
    """Return a new model whose weights follow from the seed; the caller's random state stays as it was.

    Language models that read texts have the right architecture only: see :func:`load_language_models`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        texts = [build_text_encoder(column) for column in layout.texts]
        input_layer = nn.InputLayer(widened(layout, architecture.embedding_sets(len(tasks))), texts)
        around = Surroundings.of(architecture, input_layer, [task.name for task in tasks])
        trunk = build_trunk(architecture, around)
        towers = nn.Towers(
            len(tasks),
            trunk.output_dim,
            tuple(architecture.tower_dims),
            tuple(task.num_scores for task in tasks),
            activation=architecture.activation,
            dropout=architecture.dropout,
            norm=architecture.norm,
            residual=architecture.tower_residual,
        )
        feature_layer = build_feature_layer(architecture, len(around.kept))
        side_tower = build_side_tower(architecture, around, sum(towers.output_dims))
    with torch.no_grad():
        towers.bias.copy_(torch.cat([torch.tensor(task.initial_bias).expand(task.num_scores) for task in tasks]))
    expectation = None
    if architecture.expectation:
        starts = list(itertools.accumulate(towers.output_dims, initial=0))
        order = tuple(starts[position] for position in around.positions(architecture.steps))
        expectation = nn.BehaviouralExpectation(order, architecture.expectation)
    return nn.MultiTaskModel(
        input_layer,
        trunk,
        towers,
        l2_embedding=architecture.l2_embedding,
        l2_dense=architecture.l2_dense,
        expectation=expectation,
        feature_layer=feature_layer,
        side_tower=side_tower,
    )


def build_feature_layer(architecture: declare.Architecture, input_dim: int) -> nn.FeatureLayer | None:
    """Return what is done to the input, or None where that is nothing."""
    if architecture.input_norm == "none" and not architecture.input_dropout and not architecture.shared_dims:
        return None
    return nn.FeatureLayer(
        input_dim,
        norm=architecture.input_norm,
        dropout=architecture.input_dropout,
        dims=tuple(architecture.shared_dims),
        activation=architecture.activation,
    )


Aside = tuple[tuple[str, ...], nn.SideTower]


def build_side_tower(architecture: declare.Architecture, around: Surroundings, num_scores: int) -> Aside | None:
    """Return the features on the side and their tower, or None."""
    if architecture.side is None:
        return None
    width = around.input_layer.output_dim - len(around.kept)
    tower = nn.SideTower(
        width,
        num_scores,
        tuple(architecture.side.dims),
        dropout=architecture.side.dropout,
        activation=architecture.activation,
    )
    return around.side, tower


def widened(layout: Layout, sets: int) -> Layout:
    """Return the layout with so many vectors side by side for every value."""
    return replace(layout, fields=tuple(replace(field, dim=field.dim * sets) for field in layout.fields))


def build_balance(declared: declare.AnyBalance, tasks: list[Task]) -> balance.BalanceRule:
    """Return the declared balancing rule for these tasks."""
    match declared:
        case declare.Uncertainty():
            factors = [task.uncertainty_factor for task in tasks]
            return balance.Uncertainty(factors, initial_log_variance=declared.initial_log_variance)
        case _:
            return balance.Static()
