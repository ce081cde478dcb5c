"""Training options: optimiser, schedule, stopping, precision, device."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

from pydantic import AfterValidator, BeforeValidator, Field, Tag, model_validator
from typing_extensions import override

from gatewise.declare.base import AUTO, Auto, Rate, declaration, number_of, number_or_auto, shorthand
from gatewise.declare.doors import OpenTo
from gatewise.errors import did_you_mean

Positive = Annotated[int, Field(gt=0)]
PositiveOrAuto = Annotated[Annotated[Positive, Tag("number")] | Annotated[Auto, Tag("auto")], number_or_auto]
RateOrAuto = Annotated[
    Annotated[Annotated[float, Field(gt=0)], Tag("number")] | Annotated[Auto, Tag("auto")], number_or_auto
]
PatienceOrAuto = Annotated[Annotated[Positive | None, Tag("number")] | Annotated[Auto, Tag("auto")], number_or_auto]
AnyCallback = Annotated[Any, OpenTo("callback")]
Unit = Literal["epoch", "step"]
WAYS = ("replicate", "shard", "host")
"""Where embedding tables may be."""


def _monitored(text: str) -> str:
    if re.fullmatch(r"mean|.+\.[a-z0-9_@]+(@0?\.[0-9]+)?", text) is None:
        raise ValueError(f"expected 'mean', or a task and a metric such as 'click.auc', found {text!r}")
    return text


def _device(text: str) -> str:
    if re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", text) is None:
        hint = "; did you mean 'cuda'?" if text.casefold() in ("gpu", "nvidia") else ""
        raise ValueError(f"expected 'auto', 'cpu', 'mps', 'cuda' or one such as 'cuda:0', found {text!r}{hint}")
    return text


def _tables(value: Any) -> Any:
    """Return a word that is known, or names; refuse other words and an empty list."""
    if isinstance(value, str) and value not in WAYS:
        raise ValueError(
            f"expected 'replicate', 'shard', 'host' or names of features, found {value!r}{did_you_mean(value, WAYS)}"
        )
    names = isinstance(value, (list, tuple)) and value and all(isinstance(each, str) for each in value)
    if not isinstance(value, str) and not names:
        raise ValueError(
            f"expected 'replicate', 'shard', 'host' or names of features, such as [user_id], found {value!r}"
        )
    return value if isinstance(value, str) else tuple(dict.fromkeys(value))


def _memory(value: Any) -> Any:
    """Return bytes, or ``auto``; anything else than a number or a text is left to the type to refuse."""
    if value == AUTO or isinstance(value, bool) or not isinstance(value, (int, str)):
        return value
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([kMGT]i?)?B?", str(value).strip())
    if found is None:
        raise ValueError(f"expected 'auto', or bytes such as 0, '500 MB' or '1.5 GB', found {value!r}")
    number, unit = found.groups()
    base = 1024 if (unit or "").endswith("i") else 1000
    return round(float(number) * base ** ("kMGT".find((unit or "?")[0]) + 1))


@declaration
class ScheduleOptions:
    """Base of all schedules; has no options."""

    @property
    def needs_validation(self) -> bool:
        """Whether the learning rate follows the monitored metric and so needs a validation table."""
        return False

    @property
    def ends_with_training(self) -> bool:
        """Whether the schedule depends on the number of epochs."""
        return False


@declaration
class StepDecay(ScheduleOptions):
    """Multiply the learning rate by ``factor`` once per ``every`` epochs or steps."""

    every: Positive = field(default=1, kw_only=True)
    """Number of epochs or steps between two decays."""
    factor: Annotated[float, Field(gt=0, le=1)] = field(default=0.8, kw_only=True)
    """Factor of the learning rate."""
    unit: Unit = field(default="epoch", kw_only=True)
    """The unit of ``every``."""
    kind: Literal["step"] = field(default="step", kw_only=True, repr=False)


@declaration
class Cosine(ScheduleOptions):
    """Linear warm-up of the learning rate, then half a cosine down to ``floor`` times ``lr`` at the last epoch."""

    warmup: Rate = field(default=0.05, kw_only=True)
    """Share of all epochs or steps in the warm-up."""
    floor: Annotated[float, Field(ge=0, le=1)] = field(default=0.0, kw_only=True)
    """Final learning rate as a share of ``lr``."""
    unit: Unit = field(default="step", kw_only=True)
    """Whether the learning rate changes per step or per epoch."""
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
    """Number of epochs without improvement before the rate falls."""
    factor: Annotated[float, Field(gt=0, lt=1)] = field(default=0.5, kw_only=True)
    """Factor of the learning rate."""
    kind: Literal["plateau"] = field(default="plateau", kw_only=True, repr=False)

    @property
    @override
    def needs_validation(self) -> bool:
        """Yes: the rate falls when the monitored metric stops improving."""
        return True


Schedule = Annotated[Annotated[StepDecay | Cosine | Plateau, Field(discriminator="kind")], shorthand]


class Decided(NamedTuple):
    """Options that may be ``auto``, as numbers: see :class:`Training`."""

    epochs: int
    batch_size: int
    patience: int | None
    lr: float


Tables = Annotated[Literal["replicate", "shard", "host"] | Sequence[str], BeforeValidator(_tables)]


@declaration
class Training:
    """Options of the training; ``Ranker`` takes each of them as a keyword argument."""

    epochs: PositiveOrAuto = field(default=AUTO, kw_only=True)
    """Largest number of passes over the training table; ``auto``: fewer, the more rows it has."""
    batch_size: PositiveOrAuto = field(default=AUTO, kw_only=True)
    """Rows per batch; ``auto``: about a hundredth of the rows, between 32 and 1,024."""
    accumulate: Positive = field(default=1, kw_only=True)
    """Batches per optimiser step; the gradient equals that of one large batch with all their rows."""
    optimizer: Literal["adamw", "adam", "adagrad", "rmsprop", "sgd"] = field(default="adamw", kw_only=True)
    """The optimiser."""
    lr: RateOrAuto = field(default=AUTO, kw_only=True)
    """Learning rate; ``auto``: 1e-3 for 128 rows per step, otherwise as the root of their number, from 5e-4 to 2e-3;
    for optimisers other than Adam 1e-3."""
    embedding_lr: Annotated[float, Field(gt=0)] | None = field(default=None, kw_only=True)
    """Learning rate of the embedding tables, which the schedule changes likewise; None: ``lr``."""
    momentum: Rate = field(default=0.9, kw_only=True)
    """Momentum of ``sgd``."""
    weight_decay: Annotated[float, Field(ge=0)] = field(default=0.0, kw_only=True)
    """Weight decay of the optimiser, without embeddings, biases and normalisation."""
    embedding_update: Literal["lazy", "rowwise_adagrad", "dense"] = field(default="lazy", kw_only=True)
    """``lazy``: the optimiser updates only the rows that a step reads; ``rowwise_adagrad``: Adagrad on these rows, with
    one number of state per row; ``dense``: the optimiser updates all rows in every step, the slow reference."""
    embedding_decay: Annotated[float, Field(ge=0)] = field(default=0.0, kw_only=True)
    """Weight decay of embeddings: of the rows that a step reads; with ``dense`` updates, of all rows."""
    schedule: Schedule | None = field(default=None, kw_only=True)
    """Schedule of the learning rate: ``step``, ``cosine`` or ``plateau``; None: constant."""
    clip_norm: Annotated[float, Field(gt=0)] | None = field(default=None, kw_only=True)
    """Largest norm of the gradient; a larger gradient is scaled down to this norm."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = field(default=None, kw_only=True)
    """Decay per step of an exponential moving average of the weights, such as 0.999: it is judged after each epoch, and
    kept, in place of the weights, which go on training; None: no average."""
    average_last: Positive | None = field(default=None, kw_only=True)
    """Number of last epochs whose weights are averaged; the mean is judged and kept; None: no mean."""
    monitor: Annotated[str, AfterValidator(_monitored)] = field(default="mean", kw_only=True)
    """The metric that decides the best epoch: ``task.metric``, or ``mean``: the mean over tasks of a metric without a
    unit, such as AUC (binary) and R2 (regression); ``mean.log_loss``: the mean of one metric over the tasks with it."""
    patience: PatienceOrAuto = field(default=AUTO, kw_only=True)
    """Number of epochs without improvement before an early stop; None: no early stop; ``auto``: a fifth of ``epochs``,
    between 3 and 10. Needs a validation table."""
    min_delta: Annotated[float, Field(ge=0)] = field(default=0.0, kw_only=True)
    """Smallest improvement that restarts ``patience``; the best epoch does not depend on ``min_delta``."""
    precision: Literal["fp32", "bf16", "fp16"] = field(default="fp32", kw_only=True)
    """Precision of the matrix products; weights and losses stay in fp32."""
    compile: bool = field(default=False, kw_only=True)
    """Whether to compile the training step with ``torch.compile``: a slow start, then faster steps for small layers."""
    device: Annotated[str, AfterValidator(_device)] = field(default="auto", kw_only=True)
    """Device of the training; ``auto``: CUDA if available, else MPS, else the CPU."""
    conflict_every: Positive | None = field(default=None, kw_only=True)
    """Number of steps between two comparisons of the tasks' gradients, at the shared representation and in the experts:
    the history has the mean cosine and ratio of norms per pair of tasks. None: never."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = field(default=0, kw_only=True)
    """Seed of initial weights, order of rows and dropout."""
    memory: Annotated[int | str, BeforeValidator(_memory)] = field(default=AUTO, kw_only=True)
    """Largest size of a table that is trained on in memory, such as ``"2 GB"``; a larger one is encoded into a cache on
    disk, once, and trained on from there. ``auto``: a quarter of the machine's memory; 0: always the cache."""
    order: Literal["random", "time"] = field(default="random", kw_only=True)
    """Order of the rows in a cache: dealt at random, or as they come, for training that follows the time."""
    cache: str | None = field(default=None, kw_only=True)
    """Folder of the caches; None: ``GATEWISE_CACHE``, or the user's cache folder."""
    save_minutes: Annotated[float, Field(ge=0)] = field(default=10.0, kw_only=True)
    """Minutes between two checkpoints within an epoch, where there is a folder for them."""
    ranks: Positive = field(default=1, kw_only=True)
    """Processes on this machine that ``gatewise train`` starts, and that train the model together."""
    tables: Tables = field(default="replicate", kw_only=True)
    """Embedding tables of several processes: each has all rows (``replicate``), or its part of rows and of the
    optimiser's state (``shard``); or names of features, such as ``[user_id]``, whose tables are shared like this, with
    all tables of their width, which are one matrix. The others are replicated. ``host``: tables and their state of the
    optimiser stay in the host's memory, whole in every process, while the model is on an accelerator; the rows of a
    batch are copied there, their gradients back, and the CPU updates them."""
    keep_optimizer: bool = field(default=False, kw_only=True)
    """Whether the artefact holds the optimiser's state, with which ``update`` goes on: of Adam twice the bytes of the
    weights, of ``rowwise_adagrad`` one number per embedding row."""
    callbacks: Annotated[Sequence[AnyCallback], AfterValidator(tuple)] = field(default=(), kw_only=True)
    """Registered reporters, called on every step and epoch; ``fit`` also takes reporters that are not registered."""

    @model_validator(mode="after")
    def _shards_move_rows(self) -> Training:
        if self.tables != "replicate" and self.embedding_update == "dense":
            raise ValueError(
                f"tables {self._way!r} moves the rows of a step alone, embedding_update 'dense' moves all rows"
            )
        if self.tables != "replicate" and self.precision == "fp16":
            raise ValueError(f"tables {self._way!r} trains in precision fp32 or bf16, not fp16")
        return self

    @property
    def _way(self) -> str:
        return self.tables if isinstance(self.tables, str) else "shard"

    @model_validator(mode="after")
    def _one_average(self) -> Training:
        if self.ema is not None and self.average_last is not None:
            raise ValueError("ema and average_last are two averages of the weights: declare one of them")
        return self

    @property
    def decided(self) -> Decided:
        """Epochs, batch size, patience and learning rate as numbers.

        Raises:
            DeclarationError: one of them is ``auto`` still; names it.
        """
        patience = None if self.patience is None else number_of(self.patience, "patience")
        epochs, batch_size = number_of(self.epochs, "epochs"), number_of(self.batch_size, "batch_size")
        return Decided(epochs, batch_size, patience, number_of(self.lr, "lr"))

    @property
    def known_epochs(self) -> int | None:
        """The largest number of epochs; None: the table decides it."""
        return None if self.epochs == AUTO else number_of(self.epochs, "epochs")


class TrainingOptions(TypedDict, total=False):
    """The options of :class:`Training` as keyword arguments; a test keeps the two equal."""

    epochs: int | Auto
    batch_size: int | Auto
    accumulate: int
    optimizer: Literal["adamw", "adam", "adagrad", "rmsprop", "sgd"]
    lr: float | Auto
    embedding_lr: float | None
    momentum: float
    weight_decay: float
    embedding_update: Literal["lazy", "rowwise_adagrad", "dense"]
    embedding_decay: float
    schedule: StepDecay | Cosine | Plateau | Literal["step", "cosine", "plateau"] | None
    clip_norm: float | None
    ema: float | None
    average_last: int | None
    monitor: str
    patience: int | Auto | None
    min_delta: float
    precision: Literal["fp32", "bf16", "fp16"]
    compile: bool
    device: str
    conflict_every: int | None
    seed: int
    memory: int | str
    order: Literal["random", "time"]
    cache: str | None
    save_minutes: float
    ranks: int
    tables: Literal["replicate", "shard", "host"] | Sequence[str]
    keep_optimizer: bool
    callbacks: Sequence[Any]
