"""Options of all architectures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Annotated, Literal, Self

from pydantic import Field, Tag

from gatewise.declare.base import Auto, Dims, Names, Rate, declaration, number_or_auto
from gatewise.declare.by_name import DimsByTask
from gatewise.declare.features import Sequence
from gatewise.declare.interactions import AnyInteraction
from gatewise.declare.number_embeddings import NumberEmbedding
from gatewise.declare.schema import Schema
from gatewise.declare.side_tower import SideTower
from gatewise.declare.tasks import Binary, Task
from gatewise.errors import DeclarationError, did_you_mean, shown

Activation = Literal["relu", "gelu", "silu", "tanh", "leaky_relu", "sigmoid", "prelu", "dice"]
Norm = Literal["none", "batch", "layer"]
Count = Annotated[int, Field(gt=0)]
CountOrAuto = Annotated[Annotated[Count, Tag("number")] | Annotated[Auto, Tag("auto")], number_or_auto]
Penalty = Annotated[float, Field(ge=0)]


@declaration
class Architecture:
    """Options of all architectures: input, towers, hidden layers and penalties."""

    members: CountOrAuto = field(default=1, kw_only=True)
    """Number of models whose predictions are averaged; they share all weights but the scales of their inputs and their
    towers. ``auto``: more, the smaller the table is."""
    numbers: NumberEmbedding | None = field(default=None, kw_only=True)
    """Embedding of every number that declares none of its own: ``piecewise_linear``, ``periodic``; None: the model
    reads numbers."""
    input_norm: Norm = field(default="none", kw_only=True)
    """Normalisation of the input, before all other layers."""
    input_dropout: Rate = field(default=0.0, kw_only=True)
    """Dropout rate of the input."""
    id_dropout: Penalty = field(default=0.0, kw_only=True)
    """Weight w of the out-of-vocabulary row: in training a value with n rows is replaced by it with probability
    w / (w + n), so that rare values are not remembered and the row of unseen values is trained. 0: never."""
    interaction: AnyInteraction | None = field(default=None, kw_only=True)
    """Interaction of all features' vectors before the shared layers and the trunk, such as ``cross``."""
    shared_dims: Dims = field(default=(), kw_only=True)
    """Widths of shared layers between the input and the trunk; empty: no shared layers."""
    side: SideTower | None = field(default=None, kw_only=True)
    """A shallow tower for bias features such as the display position."""
    tower_residual: bool = field(default=False, kw_only=True)
    """Whether the hidden layers of towers are residual layers."""
    tower_dims: DimsByTask = field(default=(32,), kw_only=True)
    """Hidden widths of every tower, or a mapping from each task to those of its own; a linear output layer follows."""
    activation: Activation = field(default="relu", kw_only=True)
    """Activation after each hidden layer of experts, bottoms, gates and towers."""
    dropout: Rate = field(default=0.0, kw_only=True)
    """Dropout rate of the hidden units of experts, bottoms and towers."""
    tower_activation: Activation | None = field(default=None, kw_only=True)
    """Activation of towers; None: ``activation``."""
    tower_dropout: Rate | None = field(default=None, kw_only=True)
    """Dropout rate of towers; None: ``dropout``."""
    norm: Norm = field(default="none", kw_only=True)
    """Normalisation between a hidden layer and its activation."""
    l2_embedding: Penalty = field(default=0.0, kw_only=True)
    """Strength of the penalty: batch mean of the squared norm of the embeddings that a row looks up."""
    l2_dense: Penalty = field(default=0.0, kw_only=True)
    """Strength of the penalty: sum of squares of all weights outside embeddings, biases and normalisation."""
    l1_embedding: Penalty = field(default=0.0, kw_only=True)
    """Strength of the penalty: batch mean of the sum of absolute values of the embeddings that a row looks up."""
    l1_dense: Penalty = field(default=0.0, kw_only=True)
    """Strength of the penalty: sum of absolute values of all weights outside embeddings, biases and normalisation."""

    ordered: Names = field(default=(), kw_only=True)
    """Binary tasks from the most to the least likely, such as click and purchase; needed for ``expectation``."""
    expectation: Penalty = field(default=0.0, kw_only=True)
    """Strength of the penalty: mean amount by which a later task's probability exceeds the earlier task's."""

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the ordered tasks, from the most to the least likely; empty without an order."""
        return tuple(self.ordered)

    @property
    def named_columns(self) -> str:
        """Name of the option whose features' columns must stay apart, or an empty string."""
        return ""

    @property
    def reads_sequences(self) -> bool:
        """Whether the model reads sequences without a pooling."""
        return False

    def tower_shapes(self, tasks: Iterable[str]) -> tuple[tuple[int, ...], ...]:
        """Return the hidden widths of each task's tower."""
        dims = self.tower_dims
        return tuple(tuple(dims[name]) if isinstance(dims, Mapping) else tuple(dims) for name in tasks)

    def of_tasks(self, tasks: Iterable[str]) -> Self:
        """Return these options for a model of fewer tasks."""
        dims = self.tower_dims
        return replace(self, tower_dims={name: dims[name] for name in tasks}) if isinstance(dims, Mapping) else self

    def embedding_sets(self, num_tasks: int) -> int:  # noqa: ARG002
        """Return the number of vectors per value in each embedding table."""
        return 1

    def check(self, schema: Schema) -> None:
        """Refuse options that do not fit a schema, such as the name of an unknown task.

        Raises:
            DeclarationError: names the option.
        """
        if self.side is not None:
            self._check_side(self.side, schema)
        for option in ("shared_dims", "interaction"):
            if getattr(self, option) and self.named_columns:
                raise DeclarationError(f"{option}: mixes all features, and {self.named_columns} needs them apart")
        for name in () if self.reads_sequences else unpooled_sequences(schema):
            raise DeclarationError(f"feature {name!r}: pooling None needs a model that reads sequences: mose")
        check_tasks("ordered", self.ordered, schema)
        if isinstance(self.tower_dims, Mapping):
            check_tasks("tower_dims", self.tower_dims, schema)
            for task in schema.tasks:
                if task.name not in self.tower_dims:
                    raise DeclarationError(f"tower_dims: task {task.name!r} is missing: give widths for every task")
        if self.expectation and len(self.steps) < 2:
            raise DeclarationError(
                f"expectation: needs two ordered tasks or more in 'ordered', found {len(self.steps)}"
            )
        for task in schema.tasks:
            if self.expectation and task.name in self.steps:
                _check_probability(task)

    def _check_side(self, side: SideTower, schema: Schema) -> None:
        check_features("side.features", side.features, schema)
        for name in unpooled_sequences(schema):
            if name in side.features:
                raise DeclarationError(f"side.features: sequence {name!r} needs a pooling there")
        if len(side.features) == len(schema.features):
            raise DeclarationError("side.features: all features are on the side, and none is left for the model")


def _check_probability(task: Task) -> None:
    if not isinstance(task, Binary):
        raise DeclarationError(f"expectation: compares probabilities, and task {task.name!r} is {task.kind}")
    if task.loss == "jrc":
        raise DeclarationError(f"expectation: compares tasks of one score, and task {task.name!r} has loss 'jrc'")
    if task.after is not None:
        raise DeclarationError(
            f"expectation: task {task.name!r} comes after {task.after!r} and is never the likelier one"
        )


def unpooled_sequences(schema: Schema) -> list[str]:
    """Return the names of the sequences without a pooling."""
    return [feature.name for feature in schema.features if isinstance(feature, Sequence) and feature.pooling is None]


def check_features(option: str, names: Iterable[str], schema: Schema) -> None:
    """Refuse names that are not a feature's."""
    _check(option, "feature", names, [feature.name for feature in schema.features])


def check_tasks(option: str, names: Iterable[str], schema: Schema) -> None:
    """Refuse names that are not a task's."""
    _check(option, "task", names, [task.name for task in schema.tasks])


def _check(option: str, what: str, names: Iterable[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise DeclarationError(f"{option}: no {what} {name!r} ({what}s: {shown(known)}){did_you_mean(name, known)}")
