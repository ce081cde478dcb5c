"""The training loop: ``fit`` -> ``run_epoch`` -> :class:`gatewise.training.step.TrainingStep`."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gatewise.balance import BalanceRule
from gatewise.errors import ArtefactError
from gatewise.history import EpochRecord, records_from, write_history
from gatewise.machine.allocator import give_back_freed_memory
from gatewise.nn import Batch, MultiTaskModel, ShardedTables, TensorTable, enough_memory
from gatewise.processes import Alone, Processes, of_rank_zero, share_of
from gatewise.tasks import Metrics, Task, evaluate_tasks, targets_and_weights
from gatewise.training.averages import Averages
from gatewise.training.checkpoint import load_checkpoint, save_checkpoint
from gatewise.training.gate_watch import watched_gates
from gatewise.training.kept import Kept, kept_state, whole_state
from gatewise.training.monitor import Monitor, Stopping
from gatewise.training.numerics import check_finite
from gatewise.training.progress_in_epoch import Progress
from gatewise.training.reporter import Reporter
from gatewise.training.rows import TrainingRows
from gatewise.training.run_folder import CHECKPOINT, HISTORY, differences, goes_on
from gatewise.training.schedules import Schedule, steps_per_epoch
from gatewise.training.shards import Shards
from gatewise.training.step import TrainingStep
from gatewise.training.termination import Termination

ROWS_AT_ONCE = 4096
"""Rows that a process scores at once."""


class Trainer:
    """Trains a model on encoded rows; only torch is needed.

    Order of rows, dropout and every other random choice of an epoch follow from ``(seed, epoch)`` alone. A resumed
    training therefore gives the numbers of an uninterrupted one. The caller's random state stays unchanged.

    Args:
        model: the model to train, on its device.
        tasks: the tasks, in the order of scores and labels.
        balance: the rule that weighs the tasks' losses.
        optimizer: holds the parameters of model and balance.
        schedule: changes the learning rate.
        monitor: the score that decides the best epoch.
        stopping: early stopping; used with validation rows only.
        epochs: largest number of passes over the training rows.
        batch_size: rows per batch.
        accumulate: batches per step.
        clip_norm: largest norm of the gradient.
        precision: ``fp32``, ``bf16`` or ``fp16``, for the matrix products.
        compile: compile the model above the input layer with ``torch.compile``; a CPU needs a C++ compiler for it.
        seed: seed of all random choices.
        conflict_every: compare the tasks' gradients at every so many steps; None: never.
        run_dir: folder in which checkpoint and history are written after every epoch; None: not written.
        fingerprint: identifies the training, part by part; a checkpoint with a different part is refused.
        reporter: called on every step and epoch.
        processes: the processes that train the model together, each with its share of every batch.
        save_seconds: seconds between checkpoints within an epoch.
        keep_optimizer: whether :attr:`kept` has the state of the optimiser, too.
        averages: averages of the weights, which are judged and kept in their place.

    Attributes:
        kept: the state of the balancing rule, and of the optimiser if asked for, in the epoch whose weights are kept.

    Raises:
        DeclarationError: the step cannot be compiled.
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
        conflict_every: int | None = None,
        run_dir: Path | None = None,
        fingerprint: Mapping[str, str] | None = None,
        reporter: Reporter | None = None,
        processes: Processes | None = None,
        save_seconds: float = 600.0,
        keep_optimizer: bool = False,
        averages: Averages | None = None,
    ) -> None:
        self.model, self.tasks = model, tasks
        self.processes = processes or Alone()
        self.step = TrainingStep(
            model,
            tasks,
            balance=balance,
            optimizer=optimizer,
            schedule=schedule,
            batch_size=batch_size,
            clip_norm=clip_norm,
            precision=precision,
            compile=compile,
            conflict_every=conflict_every,
            processes=self.processes,
        )
        self.shards = Shards(model, optimizer, self.processes)
        self.averages = averages or Averages()
        self.monitor = monitor or Monitor("mean", tasks)
        self.stopping = stopping or Stopping()
        self.epochs, self.batch_size, self.accumulate, self.seed = epochs, batch_size, accumulate, seed
        # only rank 0 writes files and reports
        first = self.processes.rank == 0
        self.run_dir, self.reporter = run_dir, reporter if reporter is not None and first else Reporter()
        self.fingerprint = dict(fingerprint or {})
        self.history: list[EpochRecord] = []
        self.best_weights: dict[str, Tensor] | None = None
        self.kept: Kept = {}
        self.keep_optimizer = keep_optimizer
        self.save_seconds = save_seconds
        # steps of the epoch that is under way, as a checkpoint within it had them
        self._under_way: dict[str, Any] | None = None
        self._termination = Termination()

    def fit(
        self, train: TrainingRows, valid: TrainingRows | None = None, *, resume: bool = False, overwrite: bool = False
    ) -> list[EpochRecord]:
        """Train until the epochs or the patience are used up, then restore the best epoch's weights.

        Without validation rows the last complete epoch counts as the best. Ctrl-C leaves the weights of the best epoch
        so far in the model, and the last checkpoint in ``run_dir``: of the end of an epoch, or of at most
        ``save_seconds`` ago within one. SIGTERM writes a checkpoint after the step that is under way, then ends the
        process.

        Args:
            train: the training rows, such as a :class:`gatewise.nn.TensorTable`; their ids are checked once.
            valid: the validation rows, which decide the best epoch and early stopping.
            resume: resume from the checkpoint in ``run_dir``; start anew if the folder has no checkpoint yet.
            overwrite: start anew even if ``run_dir`` holds an earlier training, which is lost.

        Raises:
            TrainingError: a loss is not finite, or the monitored metric is undefined.
            ArtefactError: no run to resume, or a run of another training; or ``run_dir`` holds an earlier
                run, and neither ``resume`` nor ``overwrite`` is set.
        """
        train = train.prepared(self.prepare)
        give_back_freed_memory()
        if valid is not None:
            valid = valid.prepared(self.model.input_layer.read_texts)
            # an undefined metric is reported before the first epoch, not after it
            self.monitor.check(self.evaluate(valid))
        self._begin(resume, overwrite)
        steps = None if train.rows is None else steps_per_epoch(train.rows, self.batch_size, self.accumulate)
        self.reporter.on_training_start(self.epochs, steps, len(self.history) + 1)
        reason = "interrupted"
        try:
            large = f"a step of training: batch_size {self.batch_size} may be too large"
            with enough_memory(large), self._termination.awaited(self.run_dir is not None):
                while len(self.history) < self.epochs and not self.stopping.exhausted:
                    self._finish_epoch(self.run_epoch(train), valid)
                    self._termination.end()
            reason = "patience is used up" if self.stopping.exhausted else "all epochs done"
        finally:
            if self.best_weights is not None:
                self.model.load_state_dict(self.best_weights)
            self.reporter.on_training_end(reason)
        tables = self.model.input_layer.tables
        if isinstance(tables, ShardedTables):
            self.best_weights, self.kept = None, whole_state(self.kept, tables, self.run_dir)
            self.model.input_layer.tables = tables.gathered(self.run_dir)
        return self.history

    def prepare(self, table: TensorTable) -> TensorTable:
        """Return a table that is ready for steps: ids checked, targets computed, frozen texts encoded."""
        self.model.input_layer.check(table)
        weights = None if table.weights is None else table.weights.cpu()
        targets, counted = targets_and_weights(self.tasks, table.labels, weights)
        device = self.step.device
        counted = None if counted is None else counted.to(device)
        return self.model.input_layer.read_texts(replace(table, targets=targets.to(device), weights=counted))

    def run_epoch(self, train: TrainingRows) -> EpochRecord:
        """Make one pass over the prepared training rows, and return its record.

        Raises:
            TrainingError: a task's loss is not finite.
        """
        epoch, started = len(self.history) + 1, time.perf_counter()
        before, self._under_way = self._under_way, None
        done = Progress() if before is None else Progress.of(before["progress"], self.step.device)
        # each rank draws its own dropout
        self.step.common.seed(_seed_of(self.seed, epoch))
        self.step.draws.seed(_seed_of(self.seed + self.processes.rank, epoch))
        if (conflict := self.step.conflict) is not None:
            conflict.start()
        if before is not None:
            self.step.restore_within_epoch(before["step"])
        self.model.train()
        first = done.steps * self.accumulate
        saved, taken = started, done.seconds
        for group in _grouped(self._batches(train, epoch, first), self.accumulate):
            result = self.step(group)
            self.reporter.on_step_end(result.losses)
            done.add(result.rows, torch.stack([result.summed, result.counted, result.weights]))
            now = time.perf_counter()
            if self._due(now - saved):
                done.seconds, saved = taken + now - started, now
                self._save({"progress": done.state(), "step": self.step.state_within_epoch()})
                self._termination.end()
        record = self._summary(epoch, done.results)
        seconds, rows = taken + time.perf_counter() - started, done.rows
        rate = self.step.optimizer.param_groups[0]["lr"]
        return EpochRecord(
            epoch, rate, seconds, rows / seconds, record, conflict=[] if conflict is None else conflict.summary()
        )

    def _batches(self, train: TrainingRows, epoch: int, first: int) -> Iterator[Batch]:
        """Return the batches of an epoch, from the ``first`` on."""
        whole_groups = any(task.reads_groups for task in self.tasks)
        seed = _seed_of(self.seed, epoch)
        return train.batches(self.batch_size, seed, whole_groups=whole_groups, processes=self.processes, first=first)

    def _due(self, seconds: float) -> bool:
        """Return whether all processes reach a checkpoint within an epoch, so many seconds after the last one."""
        if self.run_dir is None:
            return False
        late, asked = seconds >= self.save_seconds and self.processes.rank == 0, self._termination.asked
        if self.processes.size > 1:
            late, asked = (self.processes.sum(torch.tensor([late, asked]).long()) > 0).tolist()
            # whichever process was asked to end, all do
            self._termination.asked = asked
        return late or asked

    def _summary(self, epoch: int, steps: Tensor) -> dict[str, dict[str, float]]:
        """Return each task's mean loss and weight from the steps ``[step, 3, task]`` of an epoch."""
        summed, counted, _ = steps.sum(dim=0)
        check_finite(self.tasks, self.model, steps[:, 0], epoch)
        losses = summed / counted.clamp(min=torch.finfo(counted.dtype).tiny)
        self.step.balance.after_epoch(torch.where(counted > 0, losses, torch.nan))
        # a task without a row in a step has no weight in this step
        given = steps[:, 1] > 0
        weights = (steps[:, 2] * given).sum(dim=0) / given.sum(dim=0).clamp(min=1)
        return {
            task.name: {"loss": float(loss), "weight": float(weight), "weighted_loss": float(loss * weight)}
            for task, loss, weight in zip(self.tasks, losses, weights, strict=True)
        }

    def evaluate(self, rows: TrainingRows) -> Metrics:
        """Return every metric of every task over all rows."""
        pieces = [(self._scores(piece), piece.labels, piece.groups) for piece in rows.pieces()]
        scores, labels, groups = zip(*pieces, strict=True)
        grouped = None if groups[0] is None else _joined(groups)
        return evaluate_tasks(self.tasks, _joined(scores), _joined(labels), grouped)

    def _scores(self, table: TensorTable) -> Tensor:
        """Return the scores ``[row, score]`` of a table; every process scores its share of the rows."""
        if self.processes.size == 1:
            with self.step.autocast():
                return self.model.score(table)[0]
        # the same number of batches in every process, which may have to ask the others for rows
        batches = torch.split(torch.arange(len(table)), ROWS_AT_ONCE * self.processes.size)
        shares = [rows[share_of(self.processes, len(rows))] for rows in batches]
        with self.step.autocast():
            own, _ = self.model.run(table.inputs(rows.to(table.device)) for rows in shares)
        scores = own.new_zeros(len(table), own.shape[1])
        scores[torch.cat(shares)] = own
        return self.processes.sum(scores)

    def _finish_epoch(self, record: EpochRecord, valid: TrainingRows | None) -> None:
        started = time.perf_counter()
        self.averages.after_epoch()
        # what is judged is what is kept
        with self.averages.in_model():
            self._judge(record, valid)
        self.step.schedule.after_epoch(record.score)
        record.seconds += time.perf_counter() - started
        self.history.append(record)
        self._save()
        self.reporter.on_epoch_end(record)

    def _judge(self, record: EpochRecord, valid: TrainingRows | None) -> None:
        """Evaluate the model after an epoch, and keep its weights if they are the best so far."""
        if valid is not None:
            with watched_gates(self.model, [task.name for task in self.tasks], self.processes) as gates:
                record.valid = self.evaluate(valid)
            record.gates = gates()
            record.score = self.monitor.score(record.valid)
            record.best = self.stopping.improved(record.epoch, record.score)
        if record.best or valid is None:
            self._keep_state()
            # the weights of the only epoch stay where they are: nothing could be restored
            if self.epochs > 1 or self.averages:
                self._keep_best()

    @torch.no_grad()
    def _keep_best(self) -> None:
        """Copy the weights into the buffers of the last best epoch, so that a large table has one copy at most."""
        weights = self.model.state_dict()
        if self.best_weights is None:
            self.best_weights = {name: value.clone() for name, value in weights.items()}
            return
        for name, value in weights.items():
            self.best_weights[name].copy_(value)

    def _keep_state(self) -> None:
        state = kept_state(self.model, self.step.balance, self.step.optimizer, with_optimizer=self.keep_optimizer)
        # after the only epoch nothing changes the optimiser's own tensors
        self.kept = {name: value.clone() for name, value in state.items()} if self.epochs > 1 else state

    def _begin(self, resume: bool, overwrite: bool) -> None:
        """Resume from the checkpoint if ``resume``, else write the first checkpoint."""
        first = self.processes.rank == 0
        there = first and goes_on(self.run_dir, resume=resume, overwrite=overwrite)
        if of_rank_zero(self.processes, there):
            self._load()
        else:
            self._save()

    def _save(self, under_way: dict[str, Any] | None = None) -> None:
        """Write a checkpoint, of the end of an epoch or with the steps of the epoch that is under way."""
        if self.run_dir is None or (self.processes.rank > 0 and not self.shards):
            return
        state: dict[str, Any] = {
            "under_way": under_way,
            "fingerprint": self.fingerprint,
            "finished": len(self.history) >= self.epochs or self.stopping.exhausted,
            "history": [asdict(record) for record in self.history],
            "best": self.best_weights,
            "kept": self.kept,
            "averages": self.averages.state_dict(),
            "stopping": self.stopping.state_dict(),
            **self.step.state_dict(),
        }
        state = self.shards.save(self.run_dir, state) if self.shards else state
        if self.processes.rank == 0:
            save_checkpoint(self.run_dir / CHECKPOINT, state)
            self.shards.tidy(self.run_dir)
            write_history(self.run_dir / HISTORY, self.history)

    def _load(self) -> None:
        assert self.run_dir is not None
        path = self.run_dir / CHECKPOINT
        state = load_checkpoint(path)
        differs = differences(state.get("fingerprint"), self.fingerprint)
        if differs:
            raise ArtefactError(f"checkpoint {str(path)!r} belongs to another training: {differs}")
        try:
            self._restore(self.shards.load(self.run_dir, state))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ArtefactError(f"checkpoint {str(path)!r} does not fit this training: {reason}") from None

    def _restore(self, state: dict[str, Any]) -> None:
        self.step.load_state_dict(state)
        self.best_weights, self._under_way = state["best"], state.get("under_way")
        self.stopping.load_state_dict(state["stopping"])
        self.averages.load_state_dict(state.get("averages", {}))
        self.kept = state.get("kept", {})
        self.history = records_from(state["history"])
        if self.best_weights is None and self._under_way is None and self.history:
            # a training of one epoch, which kept no weights, goes on
            self._keep_best()
        if self.run_dir is not None and self.processes.rank == 0:
            # the process may have ended between writing the two files
            write_history(self.run_dir / HISTORY, self.history)


def _grouped(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    while group := list(itertools.islice(batches, size)):
        yield group


def _joined(parts: tuple[Tensor, ...]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _seed_of(seed: int, epoch: int) -> int:
    """Return a seed from seed and epoch, so that no two neighbouring seeds have an epoch in common."""
    return (seed * 1_000_003 + epoch * 7_919) % (2**63 - 1)
