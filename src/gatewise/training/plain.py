"""Training of any module on plain tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from gatewise.balance import BalanceRule, Static
from gatewise.errors import DeclarationError, ShapeError, did_you_mean, shown
from gatewise.history import EpochRecord
from gatewise.nn import TensorTable
from gatewise.nn.plain import Packing, PlainInputs, plain_model
from gatewise.tasks import Task
from gatewise.training.monitor import Monitor, Stopping
from gatewise.training.optimizers import make_optimizer
from gatewise.training.reporter import Reporter
from gatewise.training.schedules import Schedule
from gatewise.training.trainer import Trainer

Labels = Mapping[str, Tensor]
"""Labels ``[row]`` per task; NaN: the row has no label of this task."""


def fit_module(
    module: nn.Module,
    inputs: PlainInputs,
    labels: Labels,
    tasks: Sequence[Task],
    *,
    valid: tuple[PlainInputs, Labels] | None = None,
    balance: BalanceRule | None = None,
    optimizer: str | torch.optim.Optimizer = "adamw",
    lr: float = 1e-3,
    weight_decay: float = 0.01,
    epochs: int = 10,
    batch_size: int = 1024,
    accumulate: int = 1,
    clip_norm: float | None = None,
    precision: str = "fp32",
    monitor: str = "mean",
    patience: int | None = 3,
    seed: int = 0,
    run_dir: Path | None = None,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> list[EpochRecord]:
    """Train any module on plain tensors: masked losses, balancing, clipping, early stopping, the best epoch's weights.

    Args:
        module: returns ``[batch, score]``, or a tensor per task, by position or by name; scores are raw, such as
            logits. It is trained in place, on its device.
        inputs: a tensor ``[row, ...]``, a list of tensors that the module takes by position, or a mapping by name.
        labels: per task ``[row]``; NaN where a row has no label.
        tasks: what the labels mean, in the order of the outputs, such as :class:`gatewise.tasks.BinaryTask`.
        valid: inputs and labels of the validation rows, which decide the best epoch; None: the last epoch's
            weights stay.
        balance: the rule that weighs the tasks' losses; None: all weights are 1. A rule that needs gradients takes them
            at the weights that tasks share: give it ``at="experts"``.
        optimizer: ``adamw``, ``adam``, ``adagrad``, ``rmsprop`` or ``sgd``; or an optimiser of the module's parameters.
        lr: learning rate.
        weight_decay: decay of the weights, of a named optimiser.
        epochs: largest number of passes over the rows.
        batch_size: rows per batch.
        accumulate: batches per step.
        clip_norm: largest norm of the gradient.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        monitor: ``mean``, or a task and its metric such as ``click.auc``.
        patience: epochs without a better score until training stops; None: no early stopping.
        seed: seed of the order of rows and of the module's dropout.
        run_dir: folder of checkpoint and history; None: not written.
        resume: resume from the checkpoint in ``run_dir``.
        reporter: called on every step and epoch.

    Returns:
        One record per epoch: losses and weights per task, metrics of the validation rows, which epoch was the best.

    Raises:
        ShapeError: numbers of rows differ, or outputs do not fit the tasks.
        DeclarationError: a task has no labels, or the balancing rule takes gradients elsewhere.
        TrainingError: a loss is not finite, or the monitored metric is undefined.

    Example:
        >>> from gatewise.tasks import BinaryTask, RegressionTask
        >>> x = torch.linspace(-1, 1, 600).view(200, 3)
        >>> labels = {"click": (x[:, 0] > 0).float(), "stars": 2 * x[:, 1]}
        >>> tasks = [BinaryTask("click"), RegressionTask("stars")]
        >>> history = fit_module(nn.Linear(3, 2), x, labels, tasks, valid=(x, labels), lr=0.1, epochs=20, batch_size=20)
        >>> history[-1].valid["click"]["auc"] > 0.99, history[-1].valid["stars"]["r2"] > 0.9
        (True, True)
    """
    if balance is not None and balance.needs == "gramian" and balance.at == "representation":
        raise DeclarationError(
            f"balance: {type(balance).__name__} takes gradients at the input layer's output, and a plain module has no "
            "input layer; give it at='experts'"
        )
    names, packing = [task.name for task in tasks], Packing.of(inputs)
    device = next(module.parameters()).device
    model = plain_model(module, packing, names, [task.num_scores for task in tasks])
    rule = (balance or Static()).to(device)
    if isinstance(optimizer, str):
        optimizer = make_optimizer(optimizer, model, rule, lr=lr, weight_decay=weight_decay)
    trainer = Trainer(
        model,
        list(tasks),
        balance=rule,
        optimizer=optimizer,
        schedule=Schedule(),
        monitor=Monitor(monitor, list(tasks)),
        stopping=Stopping(patience),
        epochs=epochs,
        batch_size=batch_size,
        accumulate=accumulate,
        clip_norm=clip_norm,
        precision=precision,
        seed=seed,
        run_dir=run_dir,
        reporter=reporter,
    )
    train = _table(packing, inputs, labels, names, device)
    judged = None if valid is None else _table(packing, *valid, names, device)
    return trainer.fit(train, judged, resume=resume)


def _table(
    packing: Packing, inputs: PlainInputs, labels: Labels, names: Sequence[str], device: torch.device
) -> TensorTable:
    x = packing.pack(inputs)
    for name in names:
        if name not in labels:
            raise DeclarationError(
                f"labels: task {name!r} has none (there are: {shown(labels)}){did_you_mean(name, labels)}"
            )
        if labels[name].shape not in ((len(x),), (len(x), 1)):
            raise ShapeError(f"labels of {name!r}: expected [{len(x)}], found {list(labels[name].shape)}")
    columns = torch.stack([labels[name].detach().reshape(-1).cpu().double() for name in names], dim=1)
    return TensorTable(torch.empty(len(x), 0, dtype=torch.int64), (), x, columns).to(device)
