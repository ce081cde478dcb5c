"""Architectures: how tasks share what lies between the embeddings and the predictions."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.base import Dims, Rate, declaration

Activation = Literal["relu", "gelu", "silu", "tanh", "leaky_relu"]
Norm = Literal["none", "batch", "layer"]
Penalty = Annotated[float, Field(ge=0)]


@declaration
class Architecture:
    """What all architectures have: one tower a task, and the way hidden layers are built."""

    tower_dims: Dims = field(default=(32,), kw_only=True)
    """Hidden widths of every task's tower; a linear output follows."""
    activation: Activation = field(default="relu", kw_only=True)
    """After every hidden layer of experts, bottoms, gates and towers."""
    dropout: Rate = field(default=0.0, kw_only=True)
    """Share of hidden units dropped in training."""
    norm: Norm = field(default="none", kw_only=True)
    """Normalisation between a hidden layer and its activation."""
    l2_embedding: Penalty = field(default=0.0, kw_only=True)
    """Adds this times the batch mean of the squared norm of the embeddings a row looks up."""
    l2_dense: Penalty = field(default=0.0, kw_only=True)
    """Adds this times the sum of squares of all weights outside embeddings, biases and normalisation."""


@declaration
class SingleTask(Architecture):
    """Every task has its own bottom and tower; only the embeddings are common.

    With a schema of one task it is the ordinary single-task model, the control that sharing has to beat.
    """

    bottom_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of every task's bottom."""
    kind: Literal["single_task"] = field(default="single_task", kw_only=True, repr=False)


@declaration
class SharedBottom(Architecture):
    """All tasks read one bottom (hard parameter sharing; Caruana, 1997)."""

    bottom_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of the bottom."""
    kind: Literal["shared_bottom"] = field(default="shared_bottom", kw_only=True, repr=False)


@declaration
class OMoE(Architecture):
    """Experts mixed by one gate for all tasks (one-gate mixture-of-experts; Ma et al., KDD 2018)."""

    experts: Annotated[int, Field(gt=0)] = field(default=8, kw_only=True)
    """How many experts."""
    expert_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of every expert."""
    gate_dims: Dims = field(default=(), kw_only=True)
    """Hidden widths of the gate; none: softmax(W x)."""
    kind: Literal["omoe"] = field(default="omoe", kw_only=True, repr=False)


@declaration
class MMoE(Architecture):
    """Experts mixed by one gate a task (multi-gate mixture-of-experts; Ma et al., KDD 2018).

    Example:
        >>> MMoE(experts=4, expert_dims=[16]).expert_dims
        (16,)
    """

    experts: Annotated[int, Field(gt=0)] = field(default=8, kw_only=True)
    """How many experts all tasks share."""
    expert_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of every expert."""
    gate_dims: Dims = field(default=(), kw_only=True)
    """Hidden widths of every gate; none: softmax(W x)."""
    kind: Literal["mmoe"] = field(default="mmoe", kw_only=True, repr=False)


AnyArchitecture = Annotated[SingleTask | SharedBottom | OMoE | MMoE, Field(discriminator="kind")]
