"""The multi-task trainer of torch-rechub."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gatewise import declare
from gatewise.compat.fields import make_table
from gatewise.compat.moved import NoCounterpartError
from gatewise.compat.optimisers import optimiser_options
from gatewise.compat.torch_rechub.models.multi_task import ESMM, LIBRARY, RechubModel
from gatewise.compat.torch_rechub.utils.data import rows_of
from gatewise.errors import DeclarationError, TableError
from gatewise.export import export_onnx
from gatewise.history import EpochRecord
from gatewise.ranker import Ranker

PENALTIES = ("embedding_l1", "embedding_l2", "dense_l1", "dense_l2")


class MTLTrainer:
    """Trains a model, evaluates it, predicts and exports.

    Attributes:
        ranker: the trained :class:`gatewise.Ranker`.
    """

    def __init__(
        self,
        model: RechubModel,
        task_types: Sequence[str],
        optimizer_fn: type = torch.optim.Adam,
        optimizer_params: Mapping[str, Any] | None = None,
        regularization_params: Mapping[str, float] | None = None,
        scheduler_fn: type | None = None,
        scheduler_params: Mapping[str, Any] | None = None,
        adaptive_params: Mapping[str, Any] | None = None,
        n_epoch: int = 10,
        earlystop_taskid: int = 0,
        earlystop_patience: int = 10,
        device: str = "cpu",
        gpus: Sequence[int] | None = None,
        model_path: str | Path = "./",
        model_logger: Any = None,
        earlystop_mode: str = "max",
    ) -> None:
        if not isinstance(model, RechubModel):
            raise NoCounterpartError(f"MTLTrainer of a {type(model).__name__}", LIBRARY)
        if gpus is not None and len(gpus) > 1:
            raise NoCounterpartError("training on several GPUs", LIBRARY)
        if len(task_types) != len(model.columns):
            outputs = len(model.columns)
            raise DeclarationError(f"task_types: expected {outputs}, one per output, found {len(task_types)}")
        if earlystop_mode not in ("max", "min"):
            raise DeclarationError(f"earlystop_mode: expected 'max' or 'min', found {earlystop_mode!r}")
        self.model, self.task_types, self.n_task, self.n_epoch = model, list(task_types), len(task_types), n_epoch
        self.model_path, self.model_logger = Path(model_path), model_logger
        params = {"lr": 1e-3, "weight_decay": 1e-5} if optimizer_params is None else optimizer_params
        self._training: dict[str, Any] = {
            "epochs": n_epoch,
            "patience": earlystop_patience,
            "monitor": _monitor(model, earlystop_taskid),
            "device": str(device),
            "schedule": _schedule(scheduler_fn, scheduler_params or {}),
            **_decays(optimiser_options(optimizer_fn, params, LIBRARY), regularization_params or {}),
        }
        self._balance = _balance(adaptive_params)
        self._l1_dense = (regularization_params or {}).get("dense_l1", 0.0)

    @property
    def ranker(self) -> Ranker:
        """The trained ranker.

        Raises:
            GatewiseError: the model is not trained yet.
        """
        return self.model.ranker

    def fit(self, train_dataloader: Any, val_dataloader: Any, mode: str = "base", seed: int = 0) -> list[list[float]]:
        """Train the model, and save its artefact as ``model_{mode}_{seed}`` in ``model_path``.

        The model has the weights of the best epoch, and a better value of the metric of task ``earlystop_taskid`` is a
        higher AUC or a lower squared error, whatever ``earlystop_mode`` says.

        Returns:
            Per epoch the training losses of all tasks, then their validation scores, as :meth:`evaluate` gives them.
        """
        training = {"batch_size": train_dataloader.batch_size, "seed": torch.initial_seed() % 2**63, **self._training}
        architecture = replace(self.model.architecture(), l1_dense=self._l1_dense)
        ranker = Ranker(self.model.schema(), architecture, balance=self._balance, **training)
        ranker.fit(self._table(train_dataloader), self._table(val_dataloader))
        self.model._ranker = ranker
        ranker.save(self.model_path / f"model_{mode}_{seed}")
        log = [self._log(record) for record in ranker.history]
        self._tell(ranker.history, log)
        return log

    def evaluate(self, model: RechubModel, data_loader: Any) -> list[float]:
        """Return the score of every output: AUC, or the mean squared error of a regression; NaN if undefined.

        The cvr of ESMM is judged on the rows with a click.
        """
        found = model.ranker.evaluate(self._table(data_loader))
        return [_score(found[column]) for column in model.columns]

    def predict(self, model: RechubModel, data_loader: Any) -> list[list[float]]:
        """Return per row the predictions of all outputs."""
        rows, _ = rows_of(data_loader, self.n_task)
        found = model.ranker.predict(make_table(model.fields(), rows))
        predictions: list[list[float]] = np.column_stack([found[name].to_numpy() for name in model.columns]).tolist()
        return predictions

    def export_onnx(
        self,
        output_path: str | Path,
        dummy_input: Any = None,  # noqa: ARG002
        batch_size: int = 2,  # noqa: ARG002
        seq_length: int = 10,  # noqa: ARG002
        opset_version: int = 14,  # noqa: ARG002
        dynamic_batch: bool = True,  # noqa: ARG002
        device: str | None = None,  # noqa: ARG002
        verbose: bool = False,  # noqa: ARG002
        onnx_export_kwargs: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> bool:
        """Write the trained model as ONNX: raw columns in, one named output per prediction, batches of any size.

        Returns:
            True: what cannot be exported is an error.
        """
        export_onnx(self.ranker.scorer, output_path)
        return True

    def visualization(self, *_: Any, **__: Any) -> None:
        """Refuse a drawing of the model's graph."""
        raise NoCounterpartError("MTLTrainer.visualization", LIBRARY)

    def _table(self, loader: Any) -> dict[str, Any]:
        rows, labels = rows_of(loader, self.n_task)
        if labels is None:
            raise TableError("the loader has no labels: expected rows and labels")
        return make_table(self.model.fields(), rows) | _labels(self.model, labels)

    def _log(self, record: EpochRecord) -> list[float]:
        losses = [record.train[task.name]["loss"] for task in self.model.tasks]
        return [*losses, *(_score(record.valid[column]) for column in self.model.columns)]

    def _tell(self, history: list[EpochRecord], log: list[list[float]]) -> None:
        loggers = self.model_logger if isinstance(self.model_logger, (list, tuple)) else [self.model_logger]
        for logger in [each for each in loggers if each is not None]:
            logger.log_hyperparams({"n_epoch": self.n_epoch, "learning_rate": self._training["lr"]})
            for record, scores in zip(history, log, strict=True):
                own = {f"train/{name}_loss": found["loss"] for name, found in record.train.items()}
                valid = {f"val/task_{i}_score": score for i, score in enumerate(scores[len(own) :])}
                logger.log_metrics(own | valid | {"learning_rate": record.lr}, step=record.epoch - 1)
            logger.finish()


def _labels(model: RechubModel, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the labels by task; of ESMM, whose columns are cvr, ctr and ctcvr, those of click and both."""
    if isinstance(model, ESMM):
        return {"ctr": labels[:, 1], "cvr": labels[:, 2]}
    return {task.name: labels[:, i] for i, task in enumerate(model.tasks)}


def _score(metrics: Mapping[str, float | None]) -> float:
    value = metrics["auc"] if "auc" in metrics else metrics["rmse"]
    if value is None:
        return math.nan
    return value if "auc" in metrics else value**2


def _monitor(model: RechubModel, task: int) -> str:
    column = model.columns[task]
    regression = not isinstance(model, ESMM) and isinstance(model.tasks[task], declare.Regression)
    return f"{column}.{'rmse' if regression else 'auc'}"


def _schedule(kind: type | None, params: Mapping[str, Any]) -> declare.StepDecay | None:
    if kind is None:
        return None
    if kind is torch.optim.lr_scheduler.StepLR:
        return declare.StepDecay(every=params["step_size"], factor=params.get("gamma", 0.1))
    if kind is torch.optim.lr_scheduler.ExponentialLR:
        return declare.StepDecay(every=1, factor=params["gamma"])
    raise NoCounterpartError(f"the schedule {kind.__name__!r}", LIBRARY)


def _balance(adaptive: Mapping[str, Any] | None) -> Any:
    if adaptive is None:
        return "static"
    match adaptive.get("method"):
        case "uwl":
            return "uncertainty"
        case "metabalance":
            return "metabalance"
        case "gradnorm":
            return declare.GradNorm(alpha=adaptive.get("alpha", 0.16))
        case other:
            raise DeclarationError(f"adaptive_params: expected method uwl, metabalance or gradnorm, found {other!r}")


def _decays(options: dict[str, Any], penalties: Mapping[str, float]) -> dict[str, Any]:
    """Return training options with decays that have the gradients of the library's penalties.

    The library adds strength times the sum of squares to the loss, whose gradient is that of a weight decay of twice
    the strength, and decays all weights, embeddings too.
    """
    for name, strength in penalties.items():
        if name not in PENALTIES:
            raise DeclarationError(f"regularization_params: expected one of {', '.join(PENALTIES)}, found {name!r}")
        if strength and (name == "embedding_l1" or (name.endswith("l2") and options["optimizer"] == "adamw")):
            raise NoCounterpartError(f"{name} with {options['optimizer']}", LIBRARY)
    decay = options["weight_decay"]
    of_embeddings = decay + 2 * penalties.get("embedding_l2", 0.0)
    of_others = decay + 2 * penalties.get("dense_l2", 0.0)
    return options | {"weight_decay": of_others, "embedding_decay": of_embeddings}
