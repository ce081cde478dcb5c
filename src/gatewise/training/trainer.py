"""The training loop: ``fit`` -> ``run_epoch`` -> ``train_step``."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gatewise.balance import BalanceRule
from gatewise.errors import ArtefactError, DeclarationError, TrainingError
from gatewise.nn import Batch, MultiTaskModel, TensorTable, Vectors
from gatewise.tasks import Metrics, Task, evaluate_tasks, summed_losses, targets_and_weights
from gatewise.training.checkpoint import load_checkpoint, save_checkpoint
from gatewise.training.clipping import clip_gradients
from gatewise.training.memory import kept_memory
from gatewise.training.monitor import Monitor, Stopping
from gatewise.training.optimizers import LazyOptimizer
from gatewise.training.record import EpochRecord, records_from, write_history
from gatewise.training.reporter import Reporter
from gatewise.training.schedules import Schedule, steps_per_epoch

CHECKPOINT = "checkpoint.pt"
HISTORY = "history.jsonl"
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Trainer:
    """Trains a model on tensors; needs nothing but torch.

    Order of rows, dropout and every other random choice of an epoch follow from ``(seed, epoch)`` alone. So a training
    that is resumed after an epoch gives the numbers of one that never stopped, and the caller's random state is left as
    it was.

    Args:
        model: what is trained, on the device where it trains.
        tasks: whose scores and labels they are, in order.
        balance: weighs the tasks' losses.
        optimizer: holds the parameters of model and balance.
        schedule: changes the learning rate.
        monitor: what decides the best epoch.
        stopping: when to stop early; only asked where there is a validation table.
        epochs: passes over the training table at most.
        batch_size: rows of a batch.
        accumulate: batches that make one step.
        clip_norm: longest gradient allowed.
        precision: ``fp32``, ``bf16`` or ``fp16``, of the matrix products.
        compile: compile what a step does above the input layer with ``torch.compile``; on a CPU that needs a C++
            compiler.
        seed: see above.
        run_dir: where checkpoint and history are written after every epoch; None: nowhere.
        fingerprint: says what is trained; a checkpoint with another one is refused.
        reporter: is told how it goes.
    """

    def __init__(
        self,
        model: MultiTaskModel,
        tasks: list[Task],
        *,
        balance: BalanceRule,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule | None = None,
        monitor: Monitor | None = None,
        stopping: Stopping | None = None,
        epochs: int = 10,
        batch_size: int = 1024,
        accumulate: int = 1,
        clip_norm: float | None = None,
        precision: str = "fp32",
        compile: bool = False,  # noqa: A002
        seed: int = 0,
        run_dir: Path | None = None,
        fingerprint: str = "",
        reporter: Reporter | None = None,
    ) -> None:
        self.model, self.tasks = model, tasks
        self.balance, self.optimizer, self.schedule = balance, optimizer, schedule or Schedule()
        self.monitor = monitor or Monitor("mean", tasks)
        self.stopping = stopping or Stopping()
        self.epochs, self.batch_size, self.accumulate = epochs, batch_size, accumulate
        self.clip_norm, self.precision, self.seed = clip_norm, precision, seed
        self.run_dir, self.fingerprint, self.reporter = run_dir, fingerprint, reporter or Reporter()
        self.device = next(model.parameters()).device
        self.task_weights = torch.tensor([task.weight for task in tasks], device=self.device)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "fp16")
        self._compiled = self._compile() if compile else self._objective
        self._samples: dict[int, tuple[Tensor, Tensor]] = {}
        self.history: list[EpochRecord] = []
        self.best_weights: dict[str, Tensor] | None = None

    def fit(self, train: TensorTable, valid: TensorTable | None = None, *, resume: bool = False) -> list[EpochRecord]:
        """Train until the epochs or the patience are used up, then bring the best epoch's weights back.

        Without a validation table the last whole epoch counts as the best. Ctrl-C leaves the weights of the best epoch
        so far in the model and the last whole epoch in the checkpoint.

        Args:
            train: the training table; its rows are checked once.
            valid: decides the best epoch and early stopping.
            resume: go on from the checkpoint in ``run_dir``.

        Raises:
            TrainingError: a loss is not finite, or what is monitored is undefined.
            ArtefactError: there is no checkpoint to resume from, or one of another training.
        """
        self.model.input_layer.check(train)
        train = self.model.input_layer.read_texts(self._with_targets(train))
        if valid is not None:
            valid = self.model.input_layer.read_texts(valid)
            # what cannot be monitored is better known before the first epoch than after it
            self.monitor.score(self.evaluate(valid))
        if resume:
            self._load()
        else:
            self._save()
        steps = steps_per_epoch(len(train), self.batch_size, self.accumulate)
        self.reporter.training_started(self.epochs, steps, len(self.history) + 1)
        reason = "interrupted"
        try:
            with kept_memory(), torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
                while len(self.history) < self.epochs and not self.stopping.exhausted:
                    self._finish_epoch(self.run_epoch(train), valid)
            reason = "patience is used up" if self.stopping.exhausted else "all epochs done"
        finally:
            if self.best_weights is not None:
                self.model.load_state_dict(self.best_weights)
            self.reporter.training_ended(reason)
        return self.history

    def run_epoch(self, train: TensorTable) -> EpochRecord:
        """Make one pass over the training table and record it.

        Raises:
            TrainingError: a task's loss is not finite.
        """
        epoch, started = len(self.history) + 1, time.perf_counter()
        torch.manual_seed(_seed_of(self.seed, epoch))
        generator = torch.Generator().manual_seed(_seed_of(self.seed, epoch))
        self.model.train()
        whole_groups = any(task.reads_groups for task in self.tasks)
        batches = train.batches(self.batch_size, generator, whole_groups=whole_groups)
        groups = _grouped(batches, self.accumulate)
        steps = torch.stack([self.train_step(group) for group in groups]).cpu()
        summed, counted, weights = steps.sum(dim=0)
        self._check_finite(steps[:, 0], epoch)
        seconds = time.perf_counter() - started
        losses = summed / counted.clamp(min=torch.finfo(counted.dtype).tiny)
        record = {
            task.name: {"loss": float(loss), "weight": float(weight), "weighted_loss": float(loss * weight)}
            for task, loss, weight in zip(self.tasks, losses, weights / len(steps), strict=True)
        }
        rate = self.optimizer.param_groups[0]["lr"]
        return EpochRecord(epoch, rate, seconds, len(train) / seconds, record)

    def train_step(self, batches: list[Batch]) -> Tensor:
        """Make one optimiser step from the rows of all batches.

        Each task's loss is the mean over its own rows in all of them together, so that accumulating gives the gradient
        of one large batch, also where labels are missing.

        Returns:
            ``[3, task]``: summed losses, what they were summed over, and the weights given.
        """
        counted, share = self._sample(batches)
        rows = sum(len(batch.targets) for batch in batches)
        parts = []
        self.optimizer.zero_grad(set_to_none=True)
        with self._gradients():
            for position, batch in enumerate(batches):
                objective = self._compiled if len(batch.targets) == self.batch_size else self._objective
                vectors = self.model.input_layer(batch.inputs)
                part, first = len(batch.targets) / rows, position == 0
                loss, sums, weights = objective(vectors, batch.targets, batch.weights, batch.groups, share, part, first)
                self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
                parts.append(sums)
        self._update()
        summed = sum(parts[1:], parts[0])
        self.reporter.step_done(summed * share)
        return torch.stack([summed, counted, weights])

    def _compile(self) -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
        """Return the compiled objective, for whole batches: one of another size would be compiled anew."""
        options: dict[str, Any] = {}
        if self.device.type == "cpu":
            if not any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++")):
                raise DeclarationError("compile: needs a C++ compiler such as g++, and this machine has none")
            # much of a step is Python between kernels, which the wrapper in C++ saves
            options["cpp_wrapper"] = True
        return torch.compile(self._objective, dynamic=False, options=options)

    def _objective(
        self,
        vectors: Vectors,
        targets: Tensor,
        row_weights: Tensor | None,
        groups: Tensor | None,
        share: Tensor,
        part: float,
        first: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what a batch adds to the step's objective.

        Args:
            vectors: what the input layer makes of its rows.
            targets: ``[batch, target]``.
            row_weights: ``[batch, task]`` or None.
            groups: ``[batch]`` or None.
            share: ``[task]``, what makes the mean of the sum.
            part: the batch's share of the step's rows.
            first: whether it is the step's first batch, which carries the rule's own penalty.

        Returns:
            The objective, the summed losses ``[task]`` and the weights given ``[task]``, the last two without gradient.
        """
        with self._autocast():
            output = self.model.from_vectors(vectors)
        sums = summed_losses(self.tasks, output.scores.float(), targets, row_weights, groups)
        losses = sums * share
        weights = self.balance(losses) * self.task_weights
        objective = (weights * losses).sum()
        if output.penalty is not None:
            objective = objective + output.penalty.float() * part
        of_rule = self.balance.penalty(losses) if first else None
        if of_rule is not None:
            objective = objective + (of_rule * self.task_weights * (share > 0)).sum()
        return objective, sums.detach(), weights.detach()

    def evaluate(self, table: TensorTable) -> Metrics:
        """Return every metric of every task over a whole table."""
        with self._autocast():
            scores, _ = self.model.score(table)
        return evaluate_tasks(self.tasks, scores, table.labels, table.groups)

    def _update(self) -> None:
        if self.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)
            clip_gradients([p for group in self.optimizer.param_groups for p in group["params"]], self.clip_norm)
        if not self.scaler.is_enabled():
            self.optimizer.step()
            self.schedule.after_step()
            return
        scale = self.scaler.get_scale()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        # fp16 leaves a step out where the gradient overflowed, and lowers the scale
        if self.scaler.get_scale() >= scale:
            self.schedule.after_step()

    def _finish_epoch(self, record: EpochRecord, valid: TensorTable | None) -> None:
        started = time.perf_counter()
        if valid is not None:
            record.valid = self.evaluate(valid)
            record.score = self.monitor.score(record.valid)
            record.best = self.stopping.improved(record.epoch, record.score)
        if record.best or valid is None:
            self._keep_best()
        self.schedule.after_epoch(record.score)
        record.seconds += time.perf_counter() - started
        self.history.append(record)
        self._save()
        self.reporter.epoch_done(record)

    @torch.no_grad()
    def _keep_best(self) -> None:
        """Copy the weights over those of an earlier best epoch: there is never a second copy of a large table."""
        weights = self.model.state_dict()
        if self.best_weights is None:
            self.best_weights = {name: value.clone() for name, value in weights.items()}
            return
        for name, value in weights.items():
            self.best_weights[name].copy_(value)

    def _with_targets(self, table: TensorTable) -> TensorTable:
        weights = None if table.weights is None else table.weights.cpu()
        targets, counted = targets_and_weights(self.tasks, table.labels, weights)
        counted = None if counted is None else counted.to(self.device)
        return replace(table, targets=targets.to(self.device), weights=counted)

    def _sample(self, batches: list[Batch]) -> tuple[Tensor, Tensor]:
        """Return how much counts of each task ``[task]``, and what makes the mean of its summed losses ``[task]``."""
        weights = [batch.weights for batch in batches if batch.weights is not None]
        if not weights:
            return self._all_rows(sum(len(batch.targets) for batch in batches))
        counted = sum((weight.sum(dim=0) for weight in weights[1:]), weights[0].sum(dim=0))
        return counted, torch.where(counted > 0, 1 / counted.clamp(min=1e-30), counted)

    def _all_rows(self, rows: int) -> tuple[Tensor, Tensor]:
        """Return the same where every row counts 1: a pair that is made once for each size of a step."""
        if rows not in self._samples:
            counted = torch.full((len(self.tasks),), float(rows), device=self.device)
            self._samples[rows] = counted, 1 / counted
        return self._samples[rows]

    def _gradients(self) -> AbstractContextManager[None]:
        lazy = isinstance(self.optimizer, LazyOptimizer)
        return self.model.input_layer.tables.row_gradients() if lazy else nullcontext()

    def _autocast(self) -> AbstractContextManager[None]:
        dtype = PRECISIONS[self.precision]
        return torch.autocast(self.device.type, dtype=dtype, enabled=self.precision != "fp32")

    def _check_finite(self, summed: Tensor, epoch: int) -> None:
        """Name the task that broke first (one broken task soon breaks all), or weights that the last step broke.

        Args:
            summed: ``[step, task]``, the summed losses of every step.
            epoch: names it in the error.
        """
        found = ""
        finite = summed.isfinite()
        if not finite.all():
            step = int(finite.all(dim=1).int().argmin())
            task = int(finite[step].int().argmin())
            found = f"the loss of task {self.tasks[task].name!r} became {float(summed[step, task])}"
        else:
            for name, weight in self.model.named_parameters():
                if not weight.detach().sum().isfinite():
                    found = f"the weights {name!r} became infinite or NaN"
        if found:
            raise TrainingError(f"{found} in epoch {epoch}: try a lower lr, clip_norm, or precision fp32")

    def _save(self) -> None:
        if self.run_dir is None:
            return
        state = {
            "fingerprint": self.fingerprint,
            "history": [asdict(record) for record in self.history],
            "model": self.model.state_dict(),
            "best": self.best_weights,
            "balance": self.balance.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "stopping": self.stopping.state_dict(),
        }
        save_checkpoint(self.run_dir / CHECKPOINT, state)
        write_history(self.run_dir / HISTORY, self.history)

    def _load(self) -> None:
        if self.run_dir is None:
            raise ArtefactError("resume needs the folder of the run to go on with")
        path = self.run_dir / CHECKPOINT
        state = load_checkpoint(path)
        if state.get("fingerprint") != self.fingerprint:
            raise ArtefactError(
                f"checkpoint {str(path)!r} belongs to another training: schema, model, options or data differ"
            )
        try:
            self._restore(state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ArtefactError(f"checkpoint {str(path)!r} does not fit this training: {reason}") from None

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.best_weights = state["best"]
        self.balance.load_state_dict(state["balance"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
        self.stopping.load_state_dict(state["stopping"])
        self.history = records_from(state["history"])


def _grouped(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    while group := list(itertools.islice(batches, size)):
        yield group


def _seed_of(seed: int, epoch: int) -> int:
    """Mix seed and epoch, so that neighbouring seeds share no epoch."""
    return (seed * 1_000_003 + epoch * 7_919) % (2**63 - 1)
