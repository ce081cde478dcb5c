"""From an optimiser's name to the optimiser of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from gatewise.errors import DeclarationError, did_you_mean
from gatewise.nn import MultiTaskModel
from gatewise.training.optimizers.adagrad import Adagrad
from gatewise.training.optimizers.adam import Adam
from gatewise.training.optimizers.lazy import Group, LazyOptimizer
from gatewise.training.optimizers.rmsprop import RMSprop
from gatewise.training.optimizers.rowwise_adagrad import RowwiseAdagrad
from gatewise.training.optimizers.rule import Rule
from gatewise.training.optimizers.sgd import SGD

RULES: dict[str, Callable[[float, float], Rule]] = {
    "adamw": lambda decay, _: Adam(decay, decoupled=True),
    "adam": lambda decay, _: Adam(decay),
    "adagrad": lambda decay, _: Adagrad(decay),
    "rmsprop": lambda decay, _: RMSprop(decay),
    "sgd": lambda decay, momentum: SGD(decay, momentum=momentum),
}
REFERENCES: dict[str, type[torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}
OPTIMIZERS = tuple(RULES)
EMBEDDING_UPDATES = ("lazy", "rowwise_adagrad", "dense")
FUSED = ("adamw", "adam", "sgd")


def make_optimizer(
    name: str,
    model: MultiTaskModel,
    balance: nn.Module,
    *,
    lr: float,
    embedding_lr: float | None = None,
    weight_decay: float = 0.0,
    momentum: float = 0.9,
    embedding_update: str = "lazy",
    embedding_decay: float = 0.0,
) -> torch.optim.Optimizer:
    """Return an optimiser for the parameters of a model and a balancing rule.

    Args:
        name: one of ``adamw``, ``adam``, ``adagrad``, ``rmsprop``, ``sgd``.
        model: weight decay acts on its dense weight matrices, not on biases or normalisation.
        balance: the rule; its parameters have the same learning rate, without decay.
        lr: learning rate.
        embedding_lr: learning rate of the embedding tables; None: ``lr``.
        weight_decay: the optimiser's own.
        momentum: momentum of ``sgd``.
        embedding_update: ``lazy``: the rule ``name`` on the rows that a step reads; ``rowwise_adagrad``: row-wise
            Adagrad on these rows; ``dense``: torch's optimiser, which updates every row at every step.
        embedding_decay: weight decay of the embedding rows that a step updates.

    Raises:
        DeclarationError: unknown optimiser or embedding update.
    """
    for what, given, known in (
        ("optimizer", name, OPTIMIZERS),
        ("embedding_update", embedding_update, EMBEDDING_UPDATES),
    ):
        if given not in known:
            expected = ", ".join(known)
            raise DeclarationError(f"{what}: expected one of {expected}, found {given!r}{did_you_mean(given, known)}")
    tables = [table for table in model.input_layer.tables.parameters() if table.requires_grad]
    factors = _lr_factors(model)
    decayed = model.dense_weights()
    ids = {id(weight) for weight in (*tables, *decayed)}
    others = [p for module in (model, balance) for p in module.parameters() if p.requires_grad and id(p) not in ids]
    if not weight_decay:
        # a single group if possible: fewer calls per step
        decayed, others = [], decayed + others
    # each with its decay and its factor of the learning rate
    dense = [
        ([p for p in weights if factors.get(id(p), 1.0) == factor], decay, factor)
        for factor in (1.0, *sorted(set(factors.values()) - {1.0}))
        for weights, decay in ((decayed, weight_decay), (others, 0.0))
        if weights
    ]
    table_factor = 1.0 if embedding_lr is None else embedding_lr / lr
    if embedding_update == "dense":
        parts = [*dense, (tables, embedding_decay, table_factor)]
        groups = [{"params": part, "weight_decay": decay, "lr": lr * factor} for part, decay, factor in parts]
        return _reference(name, groups, lr, momentum)
    rule = RULES[name]
    table_rule = RowwiseAdagrad(embedding_decay) if embedding_update != "lazy" else rule(embedding_decay, momentum)
    moved = [Group(rule(decay, momentum), part, factor) for part, decay, factor in dense]
    return LazyOptimizer([*moved, Group(table_rule, tables, table_factor)], lr)


def _lr_factors(model: MultiTaskModel) -> dict[int, float]:
    """Return the learning-rate factor of every parameter of a language model, by ``id(parameter)``."""
    readers = model.input_layer.readers()
    return {id(p): column.lr_factor for column, encoder in readers for p in encoder.parameters()}


def _reference(name: str, groups: list[dict[str, Any]], lr: float, momentum: float) -> torch.optim.Optimizer:
    options: dict[str, Any] = {"lr": lr}
    if name == "sgd":
        options["momentum"] = momentum
    # one fused kernel per group: 2.9 times faster than the loop of small operators on a CPU
    if name in FUSED and groups[0]["params"][0].device.type in ("cpu", "cuda"):
        options["fused"] = True
    return REFERENCES[name](groups, **options)
