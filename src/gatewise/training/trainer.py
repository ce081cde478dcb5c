"""The training loop: ``fit`` -> ``run_epoch`` -> ``train_step``."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gatewise.balance import BalanceRule, Seen
from gatewise.draws import Draws, State, drawing, generator, lent
from gatewise.errors import ArtefactError, DeclarationError
from gatewise.nn import Batch, MultiTaskModel, TensorTable, Vectors
from gatewise.nn.memory import enough_memory
from gatewise.tasks import Metrics, Task, evaluate_tasks, summed_losses, targets_and_weights
from gatewise.training.checkpoint import load_checkpoint, save_checkpoint
from gatewise.training.clipping import clip_gradients
from gatewise.training.compiling import compiled
from gatewise.training.conflict import SITES, ConflictMonitor
from gatewise.training.finite import check_finite
from gatewise.training.gate_watch import watched_gates
from gatewise.training.gradients import TaskGradients
from gatewise.training.memory import kept_memory
from gatewise.training.monitor import Monitor, Stopping
from gatewise.training.optimizers import LazyOptimizer
from gatewise.training.record import EpochRecord, records_from, write_history
from gatewise.training.replay import without_trace
from gatewise.training.reporter import Reporter
from gatewise.training.run_folder import CHECKPOINT, HISTORY, differences, goes_on
from gatewise.training.sample import Sample, Samples
from gatewise.training.schedules import Schedule, steps_per_epoch

CPU = torch.device("cpu")
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Weighed(NamedTuple):
    """What the balancing rule saw of a step, and the weights ``[task]`` that it and the declared ones give."""

    seen: Seen
    weights: Tensor


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
        conflict_every: how many steps lie between two whose tasks' gradients are compared; None: none are.
        run_dir: where checkpoint and history are written after every epoch; None: nowhere.
        fingerprint: says what is trained, part by part; a checkpoint in which one differs is refused.
        reporter: is told how it goes.

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
    ) -> None:
        self.model, self.tasks = model, tasks
        self.balance, self.optimizer, self.schedule = balance, optimizer, schedule or Schedule()
        self.monitor = monitor or Monitor("mean", tasks)
        self.stopping = stopping or Stopping()
        self.epochs, self.batch_size, self.accumulate = epochs, batch_size, accumulate
        self.clip_norm, self.precision, self.seed = clip_norm, precision, seed
        self.run_dir, self.reporter = run_dir, reporter or Reporter()
        self.fingerprint = dict(fingerprint or {})
        self.device = next(model.parameters()).device
        self.task_weights = torch.tensor([task.weight for task in tasks], device=self.device)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "fp16")
        self.conflict = (
            None if conflict_every is None else ConflictMonitor([task.name for task in tasks], conflict_every)
        )
        self._compiled = self._compile() if compile else self._losses
        self._samples = Samples(self.task_weights)
        self._draws = Draws(self.device)
        self.history: list[EpochRecord] = []
        self.best_weights: dict[str, Tensor] | None = None

    def fit(
        self, train: TensorTable, valid: TensorTable | None = None, *, resume: bool = False, overwrite: bool = False
    ) -> list[EpochRecord]:
        """Train until the epochs or the patience are used up, then bring the best epoch's weights back.

        Without a validation table the last whole epoch counts as the best. Ctrl-C leaves the weights of the best epoch
        so far in the model and the last whole epoch in the checkpoint.

        Args:
            train: the training table; its rows are checked once.
            valid: decides the best epoch and early stopping.
            resume: go on from the checkpoint in ``run_dir``; begin where the folder is there and has none yet.
            overwrite: begin anew where ``run_dir`` holds a training that is longer or not at its end, which is lost.

        Raises:
            TrainingError: a loss is not finite, or what is monitored is undefined.
            ArtefactError: there is no run to resume, or one of another training; or there is one, and neither
                ``resume`` nor ``overwrite``.
        """
        self.model.input_layer.check(train)
        train = self.model.input_layer.read_texts(self._with_targets(train))
        if valid is not None:
            valid = self.model.input_layer.read_texts(valid)
            # what cannot be monitored is better known before the first epoch than after it
            self.monitor.check(self.evaluate(valid))
        if goes_on(self.run_dir, self.epochs, resume=resume, overwrite=overwrite):
            self._load()
        else:
            self._save()
        steps = steps_per_epoch(len(train), self.batch_size, self.accumulate)
        self.reporter.training_started(self.epochs, steps, len(self.history) + 1)
        reason = "interrupted"
        try:
            with kept_memory(), enough_memory(f"a step of training: batch_size {self.batch_size} may be too large"):
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
        self._draws.seed(_seed_of(self.seed, epoch))
        order = torch.Generator().manual_seed(_seed_of(self.seed, epoch))
        self.model.train()
        if self.conflict is not None:
            self.conflict.start()
        whole_groups = any(task.reads_groups for task in self.tasks)
        batches = train.batches(self.batch_size, order, whole_groups=whole_groups)
        groups = _grouped(batches, self.accumulate)
        steps = torch.stack([self.train_step(group) for group in groups]).cpu()
        summed, counted, _ = steps.sum(dim=0)
        check_finite(self.tasks, self.model, steps[:, 0], epoch)
        losses = summed / counted.clamp(min=torch.finfo(counted.dtype).tiny)
        self.balance.after_epoch(torch.where(counted > 0, losses, torch.nan))
        # a task without a row in a step was given no weight
        given = steps[:, 1] > 0
        weights = (steps[:, 2] * given).sum(dim=0) / given.sum(dim=0).clamp(min=1)
        seconds = time.perf_counter() - started
        record = {
            task.name: {"loss": float(loss), "weight": float(weight), "weighted_loss": float(loss * weight)}
            for task, loss, weight in zip(self.tasks, losses, weights, strict=True)
        }
        rate = self.optimizer.param_groups[0]["lr"]
        conflict = [] if self.conflict is None else self.conflict.summary()
        return EpochRecord(epoch, rate, seconds, len(train) / seconds, record, conflict=conflict)

    def train_step(self, batches: list[Batch]) -> Tensor:
        """Make one optimiser step from the rows of all batches.

        Each task's loss is the mean over its own rows in all of them together, so that accumulating gives the gradient
        of one large batch, also where labels are missing. The balancing rule weighs those losses once for all batches.

        Returns:
            ``[3, task]``: summed losses, what they were summed over, and the weights given.
        """
        with drawing(self._draws):
            return self._step(batches)

    def _step(self, batches: list[Batch]) -> Tensor:
        sample = self._samples.of(batches)
        watched = self.conflict is not None and self.conflict.due()
        gradients = self._task_gradients(watched)
        rehearsed = len(batches) > 1 and self.balance.needs != "nothing"
        weighed = self._rehearse(batches, sample, gradients) if rehearsed else None
        wanted = None if rehearsed else gradients
        before = self._draws.state() if self.balance.needs_outcome else None
        summed = torch.zeros_like(sample.share)
        self.optimizer.zero_grad(set_to_none=True)
        with self._gradients():
            for position, batch in enumerate(batches):
                vectors, sums, penalty = self._forward(batch, wanted)
                losses = sums * sample.share
                if wanted is not None:
                    wanted.add(losses, vectors)
                weighed = weighed or self._weighed(losses.detach(), sample, wanted)
                summed = summed + sums.detach()
                objective = (weighed.weights * losses).sum()
                if penalty is not None:
                    objective = objective + penalty * (len(batch.targets) / sample.rows)
                if position == len(batches) - 1:
                    objective = self._with_own_loss(objective, summed * sample.share, sample)
                self.scaler.scale(objective).backward()  # type: ignore[no-untyped-call]
        self._update()
        assert weighed is not None
        if before is not None:
            self.balance.after_step(weighed.seen, self._losses_after(batches, sample, before))
        if self.conflict is not None and gradients is not None and watched:
            self.conflict.take(gradients)
        self.reporter.step_done(summed * sample.share)
        return torch.stack([summed, sample.counted, weighed.weights])

    def _forward(self, batch: Batch, gradients: TaskGradients | None) -> tuple[Vectors, Tensor, Tensor | None]:
        """Return what the input layer gives, every task's summed loss ``[task]`` and the model's penalty."""
        vectors = self.model.input_layer(batch.inputs)
        if gradients is not None:
            gradients.watch(vectors)
        whole = len(batch.targets) == self.batch_size and gradients is None and torch.is_grad_enabled()
        if whole and self._compiled != self._losses:
            # what is compiled knows no stream but the global one
            with lent():
                return vectors, *self._compiled(vectors, batch.targets, batch.weights, batch.groups)
        return vectors, *self._losses(vectors, batch.targets, batch.weights, batch.groups)

    def _losses(
        self, vectors: Vectors, targets: Tensor, row_weights: Tensor | None, groups: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Return every task's loss ``[task]``, summed over a batch, and the model's penalty.

        Args:
            vectors: what the input layer makes of its rows.
            targets: ``[batch, target]``.
            row_weights: ``[batch, task]`` or None.
            groups: ``[batch]`` or None.
        """
        with self._autocast():
            output = self.model.from_vectors(vectors)
        sums = summed_losses(self.tasks, output.scores.float(), targets, row_weights, groups)
        return sums, None if output.penalty is None else output.penalty.float()

    def _task_gradients(self, watched: bool) -> TaskGradients | None:
        """Return what takes the tasks' gradients in this step, if anybody wants them."""
        sites = {*(SITES if watched else ()), *((self.balance.at,) if self.balance.needs == "gramian" else ())}
        return TaskGradients(self.model, sites, self.scaler) if sites else None

    def _rehearse(self, batches: list[Batch], sample: Sample, gradients: TaskGradients | None) -> Weighed:
        """Return what the rule sees of all batches together, and its weights, before any of them has been learnt from.

        The batches run once more in the step itself, with the same dropout.
        """
        # a rule that draws has random numbers of its own; those that follow here are for the dropout of the step
        seed = int(torch.randint(2**62, (), generator=generator(CPU)))
        losses = torch.zeros_like(sample.share)
        with without_trace(self.model, self._draws):
            for batch in batches:
                with torch.set_grad_enabled(gradients is not None):
                    vectors, sums, _ = self._forward(batch, gradients)
                    if gradients is not None:
                        gradients.add(sums * sample.share, vectors)
                losses = losses + sums.detach() * sample.share
            self._draws.of(CPU).manual_seed(seed)
            return self._weighed(losses, sample, gradients)

    def _weighed(self, losses: Tensor, sample: Sample, gradients: TaskGradients | None) -> Weighed:
        """Ask the rule for its weights of a step's losses ``[task]``."""
        gramian = None
        if gradients is not None and self.balance.needs == "gramian":
            gramian = gradients.gramian(self.balance.at)
        seen = Seen(sample.present, losses, gramian)
        if gramian is not None and not gramian.isfinite().all():
            # too large for half precision: the scaler leaves the step out; any other overflow ends the epoch
            return Weighed(seen, self.task_weights)
        return Weighed(seen, self.balance(seen) * self.task_weights)

    def _with_own_loss(self, objective: Tensor, losses: Tensor, sample: Sample) -> Tensor:
        own = self.balance.own_loss(losses)
        return objective if own is None else objective + (own * self.task_weights * sample.present).sum()

    @torch.no_grad()
    def _losses_after(self, batches: list[Batch], sample: Sample, state: State) -> Tensor:
        """Return the mean losses ``[task]`` of the same rows with the same dropout after the step."""
        with without_trace(self.model, self._draws, state):
            sums = [self._forward(batch, None)[1] for batch in batches]
        return sum(sums[1:], sums[0]) * sample.share

    def _compile(self) -> Callable[..., tuple[Tensor, Tensor | None]]:
        if self.balance.needs == "gramian":
            rule = type(self.balance).__name__
            raise DeclarationError(f"compile: {rule} needs every task's gradient, which a compiled step does not give")
        return compiled(self._losses, self.device)

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
            with watched_gates(self.model, [task.name for task in self.tasks]) as gates:
                record.valid = self.evaluate(valid)
            record.gates = gates()
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

    def _gradients(self) -> AbstractContextManager[None]:
        lazy = isinstance(self.optimizer, LazyOptimizer)
        return self.model.input_layer.tables.row_gradients() if lazy else nullcontext()

    def _autocast(self) -> AbstractContextManager[None]:
        dtype = PRECISIONS[self.precision]
        return torch.autocast(self.device.type, dtype=dtype, enabled=self.precision != "fp32")

    def _save(self) -> None:
        if self.run_dir is None:
            return
        state = {
            "fingerprint": self.fingerprint,
            "finished": len(self.history) >= self.epochs or self.stopping.exhausted,
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
        assert self.run_dir is not None
        path = self.run_dir / CHECKPOINT
        state = load_checkpoint(path)
        differs = differences(state.get("fingerprint"), self.fingerprint)
        if differs:
            raise ArtefactError(f"checkpoint {str(path)!r} belongs to another training: {differs}")
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
        if self.run_dir is not None:
            # the process may have ended between the two files
            write_history(self.run_dir / HISTORY, self.history)


def _grouped(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    while group := list(itertools.islice(batches, size)):
        yield group


def _seed_of(seed: int, epoch: int) -> int:
    """Mix seed and epoch, so that neighbouring seeds share no epoch."""
    return (seed * 1_000_003 + epoch * 7_919) % (2**63 - 1)
