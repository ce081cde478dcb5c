"""From declarations to modules."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial

import torch
from torch.nn import Module

from gatewise import balance, declare, nn
from gatewise.assembly.hidden import hidden_layers
from gatewise.assembly.interactions import build_interaction
from gatewise.assembly.texts import build_text_encoder
from gatewise.assembly.trunks import TrunkContext, build_trunk
from gatewise.draws import Draws
from gatewise.errors import DeclarationError, did_you_mean, shown
from gatewise.layout import EmbeddingField, Layout
from gatewise.nn import enough_memory
from gatewise.tasks import Task, merged_scores


def build_model(
    architecture: declare.Architecture,
    layout: Layout,
    tasks: list[Task],
    seed: int = 0,
    tables: Callable[[tuple[EmbeddingField, ...]], nn.EmbeddingTables] = nn.EmbeddingTables,
) -> nn.MultiTaskModel:
    """Return a new model whose weights follow from the seed; the caller's random state stays unchanged.

    ``tables`` makes the embedding tables.

    Language models for texts have random weights; :func:`load_language_models` loads the pretrained ones.
    """
    draws = Draws()
    draws.seed(seed)
    with draws.as_global(), enough_memory("the model: declare fewer or narrower experts and layers"):
        texts = [build_text_encoder(column) for column in layout.texts]
        widths = widened(layout, architecture.embedding_sets(len(tasks)))
        input_layer = nn.InputLayer(widths, texts, architecture.id_dropout, tables)
        context = TrunkContext.of(architecture, input_layer, [task.name for task in tasks])
        interaction = None
        if architecture.interaction is not None:
            interaction = build_interaction(architecture.interaction, context.blocks(), len(context.kept))
            width = nn.output_width(interaction, len(context.kept), f"interaction {architecture.interaction.kind!r}")
            context = replace(context, interaction_dim=width)
        trunk = build_trunk(architecture, context)
        members = build_members(architecture, context, tasks)
        towers = build_towers(architecture, context, trunk, tasks)
        feature_layer = build_feature_layer(architecture, len(context.kept), interaction, context.interaction_dim)
        side_tower = build_side_tower(architecture, context, sum(task.num_scores for task in tasks))
    expectation = None
    if architecture.expectation:
        starts = list(itertools.accumulate((task.num_scores for task in tasks), initial=0))
        order = tuple(starts[position] for position in context.positions(architecture.steps))
        expectation = nn.BehaviouralExpectation(order, architecture.expectation)
    return nn.MultiTaskModel(
        input_layer,
        trunk,
        towers,
        l2_embedding=architecture.l2_embedding,
        l2_dense=architecture.l2_dense,
        l1_embedding=architecture.l1_embedding,
        l1_dense=architecture.l1_dense,
        expectation=expectation,
        feature_layer=feature_layer,
        side_tower=side_tower,
        members=members,
    )


def build_members(architecture: declare.Architecture, context: TrunkContext, tasks: list[Task]) -> nn.Members | None:
    """Return the module that makes several models of one, or None for a single one."""
    count = declare.number_of(architecture.members, "members")
    if count == 1:
        return None
    return nn.Members(count, context.input_dim(architecture), partial(merged_scores, tasks))


def build_towers(
    architecture: declare.Architecture, context: TrunkContext, trunk: nn.Trunk, tasks: list[Task]
) -> nn.AnyTowers:
    """Return the towers of all members, whose untrained scores are what the training labels suggest."""
    count, width = declare.number_of(architecture.members, "members"), len(tasks)
    reads = [context.positions(task.reads) for task in tasks]
    towers = nn.make_towers(
        count * width,
        trunk.output_dim,
        architecture.tower_shapes(context.tasks) * count,
        tuple(task.num_scores for task in tasks) * count,
        reads=[tuple(member * width + place for place in own) for member in range(count) for own in reads],
        hidden=hidden_layers(architecture, "tower"),
        residual=architecture.tower_residual,
    )
    with torch.no_grad():
        starts = torch.cat([torch.tensor(task.initial_bias).expand(task.num_scores) for task in tasks])
        towers.start_at(starts.repeat(count))
    return towers


def build_feature_layer(
    architecture: declare.Architecture, input_dim: int, interaction: Module | None, interaction_dim: int | None
) -> nn.FeatureLayer | None:
    """Return the layers between input layer and trunk, or None if there are none."""
    nothing = architecture.input_norm == "none" and not architecture.input_dropout and not architecture.shared_dims
    if nothing and interaction is None:
        return None
    return nn.FeatureLayer(
        input_dim,
        interaction=interaction,
        interaction_dim=interaction_dim,
        norm=architecture.input_norm,
        dropout=architecture.input_dropout,
        dims=tuple(architecture.shared_dims),
        hidden=nn.Hidden(architecture.activation),
    )


Aside = tuple[tuple[str, ...], nn.SideTower]


def build_side_tower(architecture: declare.Architecture, context: TrunkContext, num_scores: int) -> Aside | None:
    """Return the side tower and its features, or None."""
    if architecture.side is None:
        return None
    width = context.input_layer.output_dim - len(context.kept)
    tower = nn.SideTower(
        width,
        num_scores,
        tuple(architecture.side.dims),
        dropout=architecture.side.dropout,
        hidden=nn.Hidden(architecture.activation),
    )
    return context.side, tower


def widened(layout: Layout, sets: int) -> Layout:
    """Return the layout with ``sets`` embedding vectors per value, side by side."""
    return replace(layout, fields=tuple(replace(field, dim=field.dim * sets) for field in layout.fields))


def build_balance(declared: declare.AnyBalance, tasks: list[Task]) -> balance.BalanceRule:
    """Return the declared balancing rule for these tasks.

    Raises:
        DeclarationError: the rule names an unknown task, or has to be tuned first.
        MissingExtraError: the rule needs TorchJD, which is not installed.
    """
    if declare.class_of(declared) is not None:
        made: balance.BalanceRule = declare.made_of(declared, num_tasks=len(tasks))
        return made
    options = {field.name: getattr(declared, field.name) for field in fields(declared) if field.name != "kind"}
    match declared:
        case declare.TunedStatic():
            raise DeclarationError("balance: tuned_static needs a validation table to find its weights on")
        case declare.Static(weights=weights):
            return balance.Static(None if weights is None else _weights(weights, tasks))
        case declare.Uncertainty():
            return balance.Uncertainty([task.uncertainty_factor for task in tasks], **options)
        case declare.MetaBalance(target=target):
            options["target"] = 0 if target is None else _position(target, tasks, "target")
    if type(declared) in STATELESS:
        return STATELESS[type(declared)](**options)
    return STATEFUL[type(declared)](len(tasks), **options)


STATELESS: dict[type[declare.AnyBalance], type[balance.BalanceRule]] = {
    declare.SoftUncertainty: balance.SoftUncertainty,
    declare.GeometricMean: balance.GeometricMean,
    declare.SmoothTchebycheff: balance.SmoothTchebycheff,
    declare.MGDA: balance.MGDA,
    declare.PCGrad: balance.PCGrad,
    declare.UPGrad: balance.UPGrad,
    declare.CAGrad: balance.CAGrad,
    declare.IMTLG: balance.IMTLG,
    declare.AlignedMTL: balance.AlignedMTL,
    declare.DualProj: balance.DualProj,
    declare.FairGrad: balance.FairGrad,
    declare.NashMTL: balance.NashMTL,
}
"""Rules that do not need the number of tasks."""
STATEFUL: dict[type[declare.AnyBalance], type[balance.BalanceRule]] = {
    declare.ConstrainedUncertainty: balance.ConstrainedUncertainty,
    declare.DWA: balance.DWA,
    declare.RLW: balance.RLW,
    declare.IMTLL: balance.IMTLL,
    declare.FAMO: balance.FAMO,
    declare.GradNorm: balance.GradNorm,
    declare.MetaBalance: balance.MetaBalance,
    declare.DBMTLBalance: balance.DBMTLBalance,
}
"""Rules that need the number of tasks."""


def _weights(weights: Mapping[str, float], tasks: list[Task]) -> list[float]:
    given = [1.0] * len(tasks)
    for name, weight in weights.items():
        given[_position(name, tasks, "weights")] = weight
    return given


def _position(name: str, tasks: list[Task], option: str) -> int:
    names = [task.name for task in tasks]
    if name not in names:
        raise DeclarationError(f"balance.{option}: no task {name!r} (tasks: {shown(names)}){did_you_mean(name, names)}")
    return names.index(name)
