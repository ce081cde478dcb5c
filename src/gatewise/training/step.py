"""One step of the optimiser: losses, their weights, gradients, update."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gatewise.balance import BalanceRule, StepLosses
from gatewise.draws import Draws, State, drawing, generator, lent
from gatewise.errors import DeclarationError
from gatewise.nn import Batch, MultiTaskModel, Vectors
from gatewise.processes import Alone, Processes, sum_gradients
from gatewise.tasks import Task, for_members, summed_losses
from gatewise.training.conflict import SITES, ConflictMonitor
from gatewise.training.counts import TaskCounter, TaskCounts
from gatewise.training.devices import compiled
from gatewise.training.gradients import TaskGradients
from gatewise.training.numerics import clip_gradients
from gatewise.training.optimizers import LazyOptimizer
from gatewise.training.replay import without_trace
from gatewise.training.schedules import Schedule

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
CPU = torch.device("cpu")
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Balanced(NamedTuple):
    """The losses of a step, as the balancing rule saw them, and the weights ``[task]``, times the declared ones."""

    losses: StepLosses
    weights: Tensor


class StepResult(NamedTuple):
    """The result of a step, over all its batches and processes.

    Shape:
        - rows: a number, all rows of the step
        - summed: ``[task]``, losses summed over the task's rows
        - counted: ``[task]``, the weights of these rows, summed
        - losses: ``[task]``, mean losses; 0 for a task without a row
        - weights: ``[task]``, the factor of the task's mean loss
    """

    rows: int
    summed: Tensor
    counted: Tensor
    losses: Tensor
    weights: Tensor


class TrainingStep:
    """Makes steps of an optimiser; does not know epochs, tables and files.

    Args:
        model: the model to train, on its device.
        tasks: the tasks, in the order of scores and targets.
        balance: the rule that weighs the tasks' losses.
        optimizer: holds the parameters of model and balance.
        schedule: changes the learning rate.
        batch_size: rows of a whole batch; compiled code runs for this size only.
        clip_norm: largest norm of the gradient.
        precision: ``fp32``, ``bf16`` or ``fp16``, for the matrix products.
        compile: compile the model above the input layer.
        conflict_every: compare the tasks' gradients at every so many steps; None: never.
        processes: the processes that share every step.

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
        batch_size: int = 1024,
        clip_norm: float | None = None,
        precision: str = "fp32",
        compile: bool = False,  # noqa: A002
        conflict_every: int | None = None,
        processes: Processes | None = None,
    ) -> None:
        if processes is not None and processes.size > 1:
            _check_sharable(model)
        self.model, self.tasks = model, tasks
        self.balance, self.optimizer, self.schedule = balance, optimizer, schedule or Schedule()
        self.batch_size, self.clip_norm, self.precision = batch_size, clip_norm, precision
        self.processes = processes or Alone()
        self.device = model.device
        self.task_weights = torch.tensor([task.weight for task in tasks], device=self.device)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "fp16")
        self.draws = Draws(self.device)
        # several processes draw dropout of their own, and what a rule draws together
        self.common = self.draws if self.processes.size == 1 else Draws(self.device)
        names = [task.name for task in tasks]
        self.conflict = None if conflict_every is None else ConflictMonitor(names, conflict_every)
        self._compiled = self._compile() if compile else self._losses
        self._parameters: list[nn.Parameter] = [p for group in optimizer.param_groups for p in group["params"]]
        self._shards = model.input_layer.tables.trained_shards()
        apart = {id(weight) for weight in self._shards}
        self._replicas = [p for p in self._parameters if id(p) not in apart]
        self._counter = TaskCounter(self.task_weights, self.processes)

    def __call__(self, batches: list[Batch]) -> StepResult:
        """Make one optimiser step from the rows of all batches.

        Each task's loss is the mean over its own rows in all batches and processes together. So accumulated batches
        give the gradient of one large batch, also with missing labels. The balancing rule weighs these losses once.
        """
        with drawing(self.draws):
            return self._step(batches)

    def _step(self, batches: list[Batch]) -> StepResult:
        counts = self._counter.count(batches)
        watched = self.conflict is not None and self.conflict.due()
        gradients = self._task_gradients(watched)
        rehearsed = len(batches) > 1 and self.balance.needs != "nothing"
        balanced = self._rehearse(batches, counts, gradients) if rehearsed else None
        wanted = None if rehearsed else gradients
        before = self.draws.state() if self.balance.needs_outcome else None
        summed, seen = torch.zeros_like(counts.per_row), None
        self.optimizer.zero_grad(set_to_none=True)
        with self._row_gradients():
            for position, batch in enumerate(batches):
                vectors, sums, penalty = self._forward(batch, wanted)
                losses = sums * counts.per_row
                if wanted is not None:
                    wanted.add(losses, vectors)
                if balanced is None:
                    seen = self.processes.sum(sums.detach())
                    balanced = self._balanced(seen * counts.per_row, counts, wanted)
                summed = summed + sums.detach()
                objective = (balanced.weights * losses).sum()
                if penalty is not None:
                    objective = objective + penalty * (len(batch.targets) / counts.rows)
                if position == len(batches) - 1:
                    # of a single batch they are summed already
                    summed = self.processes.sum(summed) if seen is None or len(batches) > 1 else seen
                    objective = self._with_own_loss(objective, summed * counts.per_row, counts)
                self.scaler.scale(objective).backward()  # type: ignore[no-untyped-call]
        self._update()
        assert balanced is not None
        if before is not None:
            self.balance.after_step(balanced.losses, self._losses_after(batches, counts, before))
        if self.conflict is not None and gradients is not None and watched:
            self.conflict.take(gradients)
        return StepResult(counts.rows, summed, counts.counted, summed * counts.per_row, balanced.weights)

    def _forward(self, batch: Batch, gradients: TaskGradients | None) -> tuple[Vectors, Tensor, Tensor | None]:
        """Return the input layer's vectors, the loss ``[task]`` summed over the batch, and the model's penalty."""
        vectors = self.model.input_layer(batch.inputs)
        if gradients is not None:
            gradients.watch(vectors)
        whole = len(batch.targets) == self.batch_size and gradients is None and torch.is_grad_enabled()
        if whole and self._compiled != self._losses:
            # compiled code can only draw from the global random stream
            with lent():
                return vectors, *self._compiled(vectors, batch.targets, batch.weights, batch.groups)
        return vectors, *self._losses(vectors, batch.targets, batch.weights, batch.groups)

    def _losses(
        self, vectors: Vectors, targets: Tensor, row_weights: Tensor | None, groups: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Return every task's loss ``[task]``, summed over a batch, and the model's penalty; of members the mean.

        Args:
            vectors: the input layer's vectors of the batch.
            targets: ``[batch, target]``.
            row_weights: ``[batch, task]`` or None.
            groups: ``[batch]`` or None.
        """
        with self.autocast():
            output = self.model.of_members(vectors)
        members = self.model.num_members
        rows = for_members(members, targets, row_weights, groups)
        sums = summed_losses(self.tasks, output.scores.float(), rows.targets, rows.weights, rows.groups) / members
        return sums, None if output.penalty is None else output.penalty.float()

    def _task_gradients(self, watched: bool) -> TaskGradients | None:
        """Return the collector of the tasks' gradients in this step; None if they are not needed."""
        own = (self.balance.at,) if self.balance.needs == "gramian" else ()
        # sorted, so that the order is equal in all processes
        sites = dict.fromkeys([*(SITES if watched else ()), *own])
        return TaskGradients(self.model, sites, self.scaler, self.processes) if sites else None

    def _rehearse(self, batches: list[Batch], counts: TaskCounts, gradients: TaskGradients | None) -> Balanced:
        """Return the weights for the losses of all batches together, before the first backward pass.

        The batches run once more in the step itself, with the same dropout.
        """
        # a rule draws from a stream of its own; the random numbers from here on are for the step's dropout
        seed = int(torch.randint(2**62, (), generator=generator(CPU)))
        losses = torch.zeros_like(counts.per_row)
        with without_trace(self.model, self.draws):
            for batch in batches:
                with torch.set_grad_enabled(gradients is not None):
                    vectors, sums, _ = self._forward(batch, gradients)
                    if gradients is not None:
                        gradients.add(sums * counts.per_row, vectors)
                losses = losses + sums.detach() * counts.per_row
            self.draws.of(CPU).manual_seed(seed)
            return self._balanced(self.processes.sum(losses), counts, gradients)

    def _balanced(self, losses: Tensor, counts: TaskCounts, gradients: TaskGradients | None) -> Balanced:
        """Return the rule's weights for the mean losses ``[task]`` of all processes."""
        gramian = None
        if gradients is not None and self.balance.needs == "gramian":
            gramian = gradients.gramian(self.balance.at)
        given = StepLosses(counts.present, losses, gramian)
        if gramian is not None and not gramian.isfinite().all():
            # too large for half precision: the scaler skips the step; any other overflow ends the epoch
            return Balanced(given, self.task_weights)
        with drawing(self.common):
            return Balanced(given, self.balance(given) * self.task_weights)

    def _with_own_loss(self, objective: Tensor, losses: Tensor, counts: TaskCounts) -> Tensor:
        own = self.balance.own_loss(losses)
        if own is None:
            return objective
        # every process adds an equal part, since gradients are summed
        return objective + (own * self.task_weights * counts.present).sum() / self.processes.size

    @torch.no_grad()
    def _losses_after(self, batches: list[Batch], counts: TaskCounts, state: State) -> Tensor:
        """Return the mean losses ``[task]`` after the step, with the rows and the dropout of the step."""
        with without_trace(self.model, self.draws, state):
            sums = [self._forward(batch, None)[1] for batch in batches]
        return self.processes.sum(sum(sums[1:], sums[0])) * counts.per_row

    def _compile(self) -> Callable[..., tuple[Tensor, Tensor | None]]:
        if self.balance.needs == "gramian":
            rule = type(self.balance).__name__
            raise DeclarationError(f"compile: {rule} needs every task's gradient, which a compiled step does not give")
        return compiled(self._losses, self.device)

    def _update(self) -> None:
        # gradients of shards are those of all processes already
        sum_gradients(self.processes, self._replicas)
        if self.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)
            clip_gradients(self._replicas, self.clip_norm, self._shards, self.processes)
        if not self.scaler.is_enabled():
            self.optimizer.step()
            self.schedule.after_step()
            return
        scale = self.scaler.get_scale()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        # fp16 skips a step whose gradient overflowed, and lowers the scale
        if self.scaler.get_scale() >= scale:
            self.schedule.after_step()

    def _row_gradients(self) -> AbstractContextManager[None]:
        lazy = isinstance(self.optimizer, LazyOptimizer)
        return self.model.input_layer.tables.row_gradients() if lazy else nullcontext()

    def autocast(self) -> AbstractContextManager[None]:
        """Run matrix products in the declared precision within a block."""
        dtype = PRECISIONS[self.precision]
        return torch.autocast(self.device.type, dtype=dtype, enabled=self.precision != "fp32")

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint, by part."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a saved state."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def state_within_epoch(self) -> dict[str, Any]:
        """Return what a checkpoint within an epoch has besides :meth:`state_dict`."""
        conflict = None if self.conflict is None else self.conflict.state_dict()
        draws = [self._of_all_ranks(state) for state in self.draws.state()]
        return {"draws": draws, "common": list(self.common.state()), "conflict": conflict}

    def _of_all_ranks(self, state: Tensor) -> Tensor:
        """Return the states ``[rank, byte]`` of the streams of all processes."""
        states = torch.zeros(self.processes.size, len(state), dtype=torch.long)
        states[self.processes.rank] = state
        return self.processes.sum(states).to(state.dtype)

    def restore_within_epoch(self, state: dict[str, Any]) -> None:
        """Restore a saved :meth:`state_within_epoch`."""
        rank = self.processes.rank
        # a process that was not there before has the stream that it begins the epoch with
        if rank < len(state["draws"][0]):
            # a generator reads the memory of a tensor from its beginning, whatever part of it a view is
            self.draws.restore(tuple(states[rank].clone() for states in state["draws"]))
        if self.common is not self.draws:
            self.common.restore(tuple(state["common"]))
        if self.conflict is not None and state["conflict"] is not None:
            self.conflict.load_state_dict(state["conflict"])

    def _parts(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "balance": self.balance,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "scaler": self.scaler,
        }


def _check_sharable(model: nn.Module) -> None:
    """Refuse models whose step is another one where several processes share the batch.

    Raises:
        DeclarationError: the model normalises over the batch; names the module.
    """
    for name, module in model.named_modules():
        if isinstance(module, _BATCH_NORMS):
            what = f"{name}: batch norm takes the statistics of a whole batch, of which every process has a part"
            raise DeclarationError(f"{what}: take norm 'layer' or 'none' (input_norm too), or one process")
