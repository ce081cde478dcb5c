"""What all models of DeepCTR-Torch can do: compile, fit, evaluate, predict."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from gatewise import declare
from gatewise.compat.deepctr_torch.callbacks import Callback, EarlyStopping, History, ModelCheckpoint
from gatewise.compat.deepctr_torch.inputs import LIBRARY, AnyFeat, build_input_features
from gatewise.compat.deepctr_torch.metrics import measured, metric_names, monitor_of
from gatewise.compat.fields import Field, labels_of, make_table
from gatewise.compat.moved import MovedModel, NoCounterpartError
from gatewise.compat.optimisers import optimiser_options
from gatewise.errors import DeclarationError, GatewiseError
from gatewise.history import EpochRecord, kept_epoch
from gatewise.ranker import Ranker
from gatewise.training import Reporter

Dims = Sequence[int]
KINDS = {"binary": declare.Binary, "regression": declare.Regression}
OPTIMISERS: dict[str, tuple[Any, float]] = {
    "sgd": (torch.optim.SGD, 0.01),
    "adam": (torch.optim.Adam, 0.001),
    "adagrad": (torch.optim.Adagrad, 0.01),
    "rmsprop": (torch.optim.RMSprop, 0.01),
}
"""Class and learning rate of each optimiser that has a name."""
LOSSES = {"binary_crossentropy": declare.Binary, "mse": declare.Regression, "mae": declare.Regression}
BATCH = 256


class BaseModel(MovedModel):
    """Base of the models.

    Args:
        dnn_feature_columns: the features.
        hidden: options of all hidden layers.
        l2_reg_embedding: factor of the sum of squares of all embeddings, beside a loss summed over the batch.
        l2_reg_dnn: the same of all other weights.
        seed: of the training.
        device: of the training.
        gpus: not more than one.
    """

    library = LIBRARY

    def __init__(
        self,
        dnn_feature_columns: Sequence[AnyFeat],
        hidden: dict[str, Any],
        l2_reg_embedding: float,
        l2_reg_dnn: float,
        seed: int,
        device: str,
        gpus: Any,
    ) -> None:
        if gpus is not None and len(gpus) > 1:
            raise NoCounterpartError("training on several GPUs", LIBRARY)
        if hidden["activation"] in ("dice", "linear"):
            raise NoCounterpartError(f"dnn_activation {hidden['activation']!r}", LIBRARY)
        self.dnn_feature_columns, self.hidden = list(dnn_feature_columns), hidden
        self.l2_reg_embedding, self.l2_reg_dnn = l2_reg_embedding, l2_reg_dnn
        self.seed, self.device = seed, str(device)
        self.feature_index = build_input_features(self.dnn_feature_columns)
        self.history = History()
        self.metrics: list[str] = []
        self._optimiser: dict[str, Any] | None = None

    def _set_tasks(self, kinds: Sequence[str], names: Sequence[str]) -> None:
        if len(kinds) != len(names):
            raise DeclarationError(f"task_types: expected {len(names)}, one per name, found {len(kinds)}")
        for kind in kinds:
            if kind not in KINDS:
                raise DeclarationError(f"task_types: expected binary or regression, found {kind!r}")
        self.task_names = list(names)
        self.tasks = [KINDS[kind](name) for kind, name in zip(kinds, names, strict=True)]
        self.columns = list(names)

    @override
    def fields(self) -> list[Field]:
        return [feature.field() for feature in self.dnn_feature_columns]

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """Yield one stand-in, so that an optimiser of torch can be made, whose options :meth:`compile` reads."""
        yield torch.nn.Parameter(torch.zeros(1))

    def compile(
        self, optimizer: str | torch.optim.Optimizer, loss: Any = None, metrics: Sequence[str] | None = None
    ) -> None:
        """Choose optimiser, losses and metrics.

        Args:
            optimizer: ``sgd``, ``adam``, ``adagrad``, ``rmsprop``, or an optimiser of torch with options.
            loss: ``binary_crossentropy``, ``mse`` or ``mae``, for all tasks or one per task; None: as the tasks say.
            metrics: of ``binary_crossentropy``, ``logloss``, ``auc``, ``mse``, ``accuracy`` and ``acc``.
        """
        self._optimiser = _optimiser(optimizer)
        self.metrics = metric_names(metrics or ())
        losses = list(loss) if isinstance(loss, (list, tuple)) else [loss] * len(self.tasks)
        if len(losses) != len(self.tasks):
            raise DeclarationError(f"loss: expected {len(self.tasks)}, one per task, found {len(losses)}")
        self.tasks = [_with_loss(task, own) for task, own in zip(self.tasks, losses, strict=True)]
        if {"accuracy", "acc"} & set(self.metrics):
            self.tasks = [_with_accuracy(task) for task in self.tasks]

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        initial_epoch: int = 0,
        validation_split: float = 0.0,
        validation_data: tuple[Any, ...] | None = None,
        shuffle: bool = True,
        callbacks: Sequence[Callback] | None = None,
    ) -> History:
        """Train the model; with validation rows it has the weights of the best epoch.

        Returns:
            The history: ``loss``, and with validation rows ``val_loss`` and the metrics, each as the mean over tasks
            (``val_auc``) and by task (``val_ctr_auc``).
        """
        if initial_epoch or not shuffle:
            raise NoCounterpartError("initial_epoch" if initial_epoch else "shuffle=False", LIBRARY)
        table = self._table(x, y)
        table, valid = self._held_out(table, validation_split, validation_data)
        ranker = self._made(batch_size or BATCH, epochs, callbacks or ())
        self.history = History()
        told = _Callbacks(self, [*(callbacks or ()), self.history])
        ranker.fit(table, valid, callbacks=[told], progress=None if verbose == 1 else False)
        self._ranker = ranker
        self._save(callbacks or (), ranker)
        told.end()
        return self.history

    def evaluate(self, x: Any, y: Any, batch_size: int = BATCH) -> dict[str, float]:
        """Return the metrics of :meth:`compile`: each as the mean over tasks (``auc``) and by task (``ctr_auc``)."""
        return self.logs(self.ranker.evaluate(self._table(x, y)))

    def predict(self, x: Any, batch_size: int = BATCH) -> np.ndarray:
        """Return the predictions ``[row, task]``, float64."""
        found = self.ranker.predict(self._table(x))
        return np.column_stack([found[name].to_numpy() for name in self.columns])

    def logs(self, found: Mapping[str, Mapping[str, float | None]]) -> dict[str, float]:
        """Return metrics by the library's names, from those of every output."""
        return measured(self.metrics, dict(zip(self.task_names, (found[name] for name in self.columns), strict=True)))

    def _made(self, batch_size: int, epochs: int, callbacks: Sequence[Callback]) -> Ranker:
        if self._optimiser is None:
            raise GatewiseError(f"{type(self).__name__}: compile it before fit")
        options = dict(self._optimiser)
        if options["optimizer"] == "sgd":
            # the library sums losses over the batch, and a step of SGD grows with the loss
            options["lr"] *= batch_size
        if options["optimizer"] != "adamw":
            options["weight_decay"] += 2 * self.l2_reg_dnn / batch_size
            options["embedding_decay"] = 2 * self.l2_reg_embedding / batch_size
        stop = next((each for each in callbacks if isinstance(each, EarlyStopping)), None)
        stopping: dict[str, Any] = {"patience": None}
        if stop is not None:
            if stop.baseline is not None:
                raise NoCounterpartError("baseline of EarlyStopping", LIBRARY)
            monitor = monitor_of(stop.monitor, stop.mode, dict(zip(self.task_names, self.columns, strict=True)))
            stopping = {"patience": max(stop.patience, 1), "min_delta": stop.min_delta, "monitor": monitor}
        training = {"batch_size": batch_size, "epochs": epochs, "seed": self.seed, "device": self.device}
        return Ranker(self.schema(), self.architecture(), **training, **options, **stopping)  # type: ignore[arg-type]

    def _table(self, x: Any, y: Any = None) -> dict[str, Any]:
        if isinstance(x, (list, tuple)):
            x = dict(zip(self.feature_index, x, strict=True))
        table = make_table(self.fields(), x)
        if y is None:
            return table
        labels = labels_of(y, len(self.tasks))
        return table | {task.name: labels[:, i] for i, task in enumerate(self.tasks)}

    def _held_out(
        self, table: dict[str, Any], share: float, given: tuple[Any, ...] | None
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        if given:
            if len(given) > 2:
                raise NoCounterpartError("weights of validation rows", LIBRARY)
            return table, self._table(*given)
        if not 0 < share < 1:
            return table, None
        rows = int(len(table[self.tasks[0].name]) * (1 - share))
        first, rest = ({n: values[part] for n, values in table.items()} for part in (slice(rows), slice(rows, None)))
        return first, rest

    def _save(self, callbacks: Sequence[Callback], ranker: Ranker) -> None:
        kept = kept_epoch(ranker.history)
        for each in callbacks:
            if isinstance(each, ModelCheckpoint) and kept is not None:
                ranker.save(each.path(kept.epoch, self.epoch_logs(kept)))

    def epoch_logs(self, record: EpochRecord) -> dict[str, float]:
        """Return the losses and metrics of an epoch by the library's names."""
        logs = {"loss": sum(record.train[task.name]["loss"] for task in self.tasks)}
        if record.valid:
            logs |= {f"val_{name}": value for name, value in self.logs(record.valid).items()}
            found = [record.valid[name] for name in self.columns]
            losses = [own["log_loss"] if "log_loss" in own else own["rmse"] for own in found]
            logs["val_loss"] = sum(math.nan if loss is None else loss for loss in losses)
        return logs


class _Callbacks(Reporter):
    """Calls the library's callbacks as the training goes on."""

    def __init__(self, model: BaseModel, callbacks: Sequence[Callback]) -> None:
        self.model, self.callbacks = model, callbacks
        for each in callbacks:
            each.set_model(model)

    @override
    def on_training_start(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        self._each(lambda callback: callback.on_train_begin())

    @override
    def on_epoch_end(self, record: EpochRecord) -> None:
        logs = self.model.epoch_logs(record)
        self._each(lambda callback: callback.on_epoch_end(record.epoch - 1, logs))

    def end(self) -> None:
        """Tell of the end, when the model is trained."""
        self._each(lambda callback: callback.on_train_end())

    def _each(self, call: Callable[[Callback], None]) -> None:
        for callback in self.callbacks:
            call(callback)


def _optimiser(given: str | torch.optim.Optimizer) -> dict[str, Any]:
    if isinstance(given, torch.optim.Optimizer):
        return optimiser_options(type(given), given.defaults, LIBRARY)
    if given not in OPTIMISERS:
        raise DeclarationError(f"optimizer: expected one of {', '.join(OPTIMISERS)}, found {given!r}")
    kind, lr = OPTIMISERS[given]
    return optimiser_options(kind, {"lr": lr}, LIBRARY)


def _with_accuracy(task: declare.Task) -> declare.Task:
    return replace(task, metrics=("accuracy",)) if isinstance(task, declare.Binary) else task


def _with_loss(task: declare.Task, loss: Any) -> declare.Task:
    if loss is None:
        return task
    if not isinstance(loss, str) or loss not in LOSSES:
        raise NoCounterpartError(f"loss {loss!r}", LIBRARY)
    if not isinstance(task, LOSSES[loss]):
        raise DeclarationError(f"loss {loss!r}: task {task.name!r} is {task.kind}")
    return replace(task, loss=loss) if isinstance(task, declare.Regression) else task  # type: ignore[arg-type]
