"""From declarations to modules."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch

from gatewise import balance, declare, nn
from gatewise.layout import Layout
from gatewise.tasks import Task

TRUNKS: dict[type[declare.Architecture], type[nn.Trunk]] = {
    declare.SingleTask: nn.SingleTask,
    declare.SharedBottom: nn.SharedBottom,
    declare.OMoE: nn.OMoE,
    declare.MMoE: nn.MMoE,
}
NOT_THE_TRUNKS = ("tower_dims", "l2_embedding", "l2_dense", "kind")


def build_trunk(architecture: declare.Architecture, input_dim: int, num_tasks: int) -> nn.Trunk:
    """Return the declared trunk; its constructor takes the declaration's fields by name."""
    names = [field.name for field in fields(architecture) if field.name not in NOT_THE_TRUNKS]
    options: dict[str, Any] = {name: getattr(architecture, name) for name in names}
    return TRUNKS[type(architecture)](input_dim, num_tasks, **options)


def build_model(
    architecture: declare.Architecture, layout: Layout, tasks: list[Task], seed: int = 0
) -> nn.MultiTaskModel:
    """Return a new model whose weights follow from the seed; the caller's random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        input_layer = nn.InputLayer(layout)
        trunk = build_trunk(architecture, input_layer.output_dim, len(tasks))
        towers = nn.Towers(
            len(tasks),
            trunk.output_dim,
            tuple(architecture.tower_dims),
            activation=architecture.activation,
            dropout=architecture.dropout,
            norm=architecture.norm,
        )
    with torch.no_grad():
        towers.bias.copy_(torch.tensor([task.initial_bias for task in tasks]))
    return nn.MultiTaskModel(
        input_layer, trunk, towers, l2_embedding=architecture.l2_embedding, l2_dense=architecture.l2_dense
    )


def build_balance(declared: declare.AnyBalance, tasks: list[Task]) -> balance.BalanceRule:
    """Return the declared balancing rule for these tasks."""
    match declared:
        case declare.Uncertainty():
            factors = [task.uncertainty_factor for task in tasks]
            return balance.Uncertainty(factors, initial_log_variance=declared.initial_log_variance)
        case _:
            return balance.Static()
