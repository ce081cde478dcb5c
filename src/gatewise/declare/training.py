"""Training options: optimiser, schedule, stopping, precision, device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Annotated, Any, Literal, TypedDict

from pydantic import AfterValidator, Field
from typing_extensions import override

from gatewise.declare.base import Rate, declaration, shorthand
from gatewise.declare.doors import OpenTo

Positive = Annotated[int, Field(gt=0)]
AnyCallback = Annotated[Any, OpenTo("callback")]
Unit = Literal["epoch", "step"]


@declaration
class ScheduleOptions:
    """What all schedules have in common; none of it is an option."""

    @property
    def needs_validation(self) -> bool:
        """Whether the rate follows the monitored metric, so that there must be a validation table."""
        return False

    @property
    def ends_with_training(self) -> bool:
        """Whether another number of epochs is another schedule from the first step on."""
        return False


@declaration
class StepDecay(ScheduleOptions):
    """Multiply the learning rate by ``factor`` after every ``every`` epochs or steps."""

    every: Positive = field(default=1, kw_only=True)
    """How many epochs or steps lie between two decays."""
    factor: Annotated[float, Field(gt=0, le=1)] = field(default=0.8, kw_only=True)
    """What the rate is multiplied by."""
    unit: Unit = field(default="epoch", kw_only=True)
    """What ``every`` counts."""
    kind: Literal["step"] = field(default="step", kw_only=True, repr=False)


@declaration
class Cosine(ScheduleOptions):
    """Rise linearly over the warm-up, then fall along half a cosine to ``floor`` times the rate at the last epoch."""

    warmup: Rate = field(default=0.05, kw_only=True)
    """Share of all epochs or steps spent rising."""
    floor: Annotated[float, Field(ge=0, le=1)] = field(default=0.0, kw_only=True)
    """Last rate as a share of ``lr``."""
    unit: Unit = field(default="step", kw_only=True)
    """Whether the rate changes after every step or every epoch."""
    kind: Literal["cosine"] = field(default="cosine", kw_only=True, repr=False)

    @property
    @override
    def ends_with_training(self) -> bool:
        """Yes: the rate falls to its floor at the last epoch."""
        return True


@declaration
class Plateau(ScheduleOptions):
    """Multiply the learning rate by ``factor`` when the monitored metric has not improved for ``patience`` epochs."""

    patience: Annotated[int, Field(ge=0)] = field(default=1, kw_only=True)
    """Epochs without improvement that are tolerated."""
    factor: Annotated[float, Field(gt=0, lt=1)] = field(default=0.5, kw_only=True)
    """What the rate is multiplied by."""
    kind: Literal["plateau"] = field(default="plateau", kw_only=True, repr=False)

    @property
    @override
    def needs_validation(self) -> bool:
        """Yes: the rate falls where the monitored metric stays."""
        return True


Schedule = Annotated[Annotated[StepDecay | Cosine | Plateau, Field(discriminator="kind")], shorthand]


@declaration
class Training:
    """How a model is trained. All options can be given to ``Ranker`` directly."""

    epochs: Positive = field(default=10, kw_only=True)
    """Passes over the training table at most."""
    batch_size: Positive = field(default=1024, kw_only=True)
    """Rows in a batch."""
    accumulate: Positive = field(default=1, kw_only=True)
    """Batches whose gradients make one step; the result is that of one batch of all their rows."""
    optimizer: Literal["adamw", "adam", "adagrad", "rmsprop", "sgd"] = field(default="adamw", kw_only=True)
    """The update rule."""
    lr: Annotated[float, Field(gt=0)] = field(default=1e-3, kw_only=True)
    """Learning rate."""
    momentum: Rate = field(default=0.9, kw_only=True)
    """Momentum of ``sgd``."""
    weight_decay: Annotated[float, Field(ge=0)] = field(default=0.0, kw_only=True)
    """The optimiser's own decay, on weights outside embeddings, biases and normalisation."""
    embedding_update: Literal["lazy", "rowwise_adagrad", "dense"] = field(default="lazy", kw_only=True)
    """``lazy``: the optimiser's rule on the rows that a step reads, while the others stay; ``rowwise_adagrad``: that
    rule on them, which remembers one number a row; ``dense``: all rows move at every step, the slow reference."""
    embedding_decay: Annotated[float, Field(ge=0)] = field(default=0.0, kw_only=True)
    """The optimiser's own decay of embeddings: of the rows that a step reads, or of all where updates are dense."""
    schedule: Schedule | None = field(default=None, kw_only=True)
    """How the learning rate changes: ``step``, ``cosine`` or ``plateau``."""
    clip_norm: Annotated[float, Field(gt=0)] | None = field(default=None, kw_only=True)
    """Scale the gradient down to this norm where it is longer."""
    monitor: Annotated[str, Field(pattern=r"^mean$|^.+\.[a-z0-9_@]+$")] = field(default="mean", kw_only=True)
    """What decides the best epoch: ``task.metric``, or the mean over tasks of each kind's metric without a unit, such
    as AUC (binary) and R2 (regression)."""
    patience: Positive | None = field(default=3, kw_only=True)
    """Stop after this many epochs without improvement; null: never stop early. Needs a validation table."""
    min_delta: Annotated[float, Field(ge=0)] = field(default=0.0, kw_only=True)
    """Improvement below this does not end the waiting of ``patience``; the best epoch is the best by any margin."""
    precision: Literal["fp32", "bf16", "fp16"] = field(default="fp32", kw_only=True)
    """Type of the matrix products; weights and losses stay in fp32."""
    compile: bool = field(default=False, kw_only=True)
    """Compile the training step with ``torch.compile``: slow to start, then faster where layers are small."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = field(default="auto", kw_only=True)
    """``auto`` takes CUDA, then MPS, then the CPU."""
    conflict_every: Positive | None = field(default=None, kw_only=True)
    """Compare the tasks' gradients every so many steps, at the shared representation and in the experts: mean cosine
    and ratio of norms of every two tasks go into the history. Null: never."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = field(default=0, kw_only=True)
    """Decides initial weights, order of rows and dropout."""
    callbacks: Annotated[Sequence[AnyCallback], AfterValidator(tuple)] = field(default=(), kw_only=True)
    """Registered reporters that are told how training goes; ``fit`` takes objects that are not registered."""


class TrainingOptions(TypedDict, total=False):
    """The options of :class:`Training` as keyword arguments; a test holds both to each other."""

    epochs: int
    batch_size: int
    accumulate: int
    optimizer: Literal["adamw", "adam", "adagrad", "rmsprop", "sgd"]
    lr: float
    momentum: float
    weight_decay: float
    embedding_update: Literal["lazy", "rowwise_adagrad", "dense"]
    embedding_decay: float
    schedule: StepDecay | Cosine | Plateau | Literal["step", "cosine", "plateau"] | None
    clip_norm: float | None
    monitor: str
    patience: int | None
    min_delta: float
    precision: Literal["fp32", "bf16", "fp16"]
    compile: bool
    device: str
    conflict_every: int | None
    seed: int
    callbacks: Sequence[Any]
