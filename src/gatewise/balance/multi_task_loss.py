"""A balancing rule as a loss module, for a training loop of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, StepLosses
from gatewise.balance.uncertainty import Uncertainty
from gatewise.errors import ShapeError, TrainingError

Losses = Tensor | Sequence[Tensor | None] | Mapping[str, Tensor | None]
"""The mean loss per task: a tensor ``[task]``, or scalars, by task name or in order; None: no row of the task."""


class Weighted(NamedTuple):
    """What a step minimises.

    Shape:
        - loss: scalar, with gradient
        - weights: ``[task]``, without gradient; 0 for a task without a row
    """

    loss: Tensor
    weights: Tensor


class MultiTaskLoss(nn.Module):
    r"""Weighs the tasks' losses by a balancing rule and adds them up.

    .. math:: \mathcal L = \sum_k w_k L_k + R

    where :math:`w_k` are the rule's weights and R is the loss of the rule's own parameters, such as the learnt log
    variances of :class:`Uncertainty`: give them to the optimiser together with the model's.

    Args:
        num_tasks: number of tasks.
        rule: any rule that needs losses only; None: :class:`Uncertainty` of classifications.

    Raises:
        ShapeError: the rule needs the gradients of tasks, which a plain loss does not have; or the number of
            losses is another one.
        TrainingError: the rule has to hear of the losses after the step (:meth:`after_step`) and did not.

    Example:
        >>> model = nn.Linear(3, 2)
        >>> balance = MultiTaskLoss(2)
        >>> optimizer = torch.optim.Adam([*model.parameters(), *balance.parameters()])
        >>> errors = (model(torch.ones(5, 3)) - 1).square().mean(dim=0)
        >>> loss, weights = balance(errors)
        >>> loss.backward()
        >>> optimizer.step()
        >>> weights
        tensor([1., 1.])

    References:
        Kendall, Gal, Cipolla: Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and Semantics.
        CVPR 2018 (the default rule).
    """

    totals: Tensor
    steps: Tensor

    def __init__(self, num_tasks: int, rule: BalanceRule | None = None) -> None:
        super().__init__()
        self.rule = Uncertainty([1.0] * num_tasks) if rule is None else rule
        if self.rule.needs == "gramian":
            name = type(self.rule).__name__
            raise ShapeError(f"rule: {name} needs the gradient of every task; take a rule that needs losses only")
        self.num_tasks = num_tasks
        # sums of the epoch's losses, and in how many steps each task had one
        self.register_buffer("totals", torch.zeros(num_tasks))
        self.register_buffer("steps", torch.zeros(num_tasks))
        self._waiting: StepLosses | None = None

    @override
    def forward(self, losses: Losses) -> Weighted:
        """Return the loss to minimise, and the tasks' weights."""
        values, present = self._read(losses)
        if not torch.is_grad_enabled() or not self.training:
            weights = self.rule(StepLosses(present, values.detach())).detach() * present
            return Weighted((weights * values).sum(), weights)
        if self._waiting is not None:
            raise TrainingError(f"{type(self.rule).__name__}: call after_step(losses) after every optimiser step")
        seen = StepLosses(present, values.detach())
        weights = self.rule(seen).detach() * present
        self._waiting = seen if self.rule.needs_outcome else None
        self.totals += seen.losses.to(self.totals)
        self.steps += present
        own = self.rule.own_loss(seen.losses)
        loss = (weights * values).sum()
        return Weighted(loss if own is None else loss + (own * present).sum(), weights)

    def after_step(self, losses: Losses) -> None:
        """Tell the rule the losses of the step's rows after the optimiser's step; only :class:`FAMO` needs them."""
        if self._waiting is None:
            return
        self.rule.after_step(self._waiting, self._read(losses)[0].detach())
        self._waiting = None

    def after_epoch(self) -> None:
        """Tell the rule the mean losses of the epoch; only :class:`DWA` needs them."""
        means = torch.where(self.steps > 0, self.totals / self.steps.clamp(min=1), torch.nan)
        self.rule.after_epoch(means)
        self.totals.zero_()
        self.steps.zero_()

    def _read(self, losses: Losses) -> tuple[Tensor, Tensor]:
        """Return the losses ``[task]``, 0 for a task without one, and which tasks have one."""
        if isinstance(losses, Tensor):
            parts: list[Tensor | None] = list(losses.unbind()) if losses.dim() == 1 else [losses]
        else:
            parts = list(losses.values()) if isinstance(losses, Mapping) else list(losses)
        if len(parts) != self.num_tasks:
            raise ShapeError(f"losses: expected {self.num_tasks}, one per task, found {len(parts)}")
        some = next((part for part in parts if part is not None), self.totals)
        values = torch.stack([some.new_zeros(()) if part is None else part.reshape(()) for part in parts])
        return values, torch.tensor([part is not None for part in parts], device=values.device)
