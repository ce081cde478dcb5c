"""The contract of every balancing rule."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

Site = Literal["representation", "experts", "last_shared_layer"]
"""Where tasks' gradients are taken: the input layer's output, the experts' weights, or those of their last layer."""


NOTHING = 1e-12
"""Share of the largest squared norm up to which a gradient counts as rounding error."""


class StepLosses(NamedTuple):
    """The input of a rule: one step's losses, and the Gramian if needed.

    Shape:
        - present: ``[task]`` bool, whether the task has a row in the step and a declared weight above 0
        - losses: ``[task]``, without gradient, the mean over the task's rows in the whole step; zeros for a rule that
          needs no losses
        gramian: ``[task, task]``, the inner products of the losses' gradients; None unless the rule needs the Gramian
    """

    present: Tensor
    losses: Tensor
    gramian: Tensor | None = None


class BalanceRule(nn.Module):
    """Losses in, task weights out; one ordinary weighted backward pass follows.

    A rule declares its needs in ``needs``. It may have parameters, which are trained with the model's on
    :meth:`own_loss`, and buffers, which checkpoints save, so that a resumed training gives the same numbers. For a task
    that is not present, a rule keeps its state, and the other tasks get the weights that they would get without this
    task.

    Attributes:
        needs: the part of a step that the rule needs: ``nothing``, ``losses`` or ``gramian``.
        at: where the gradients of the Gramian are taken.
        needs_outcome: whether :meth:`after_step` needs the losses after the step, which take another forward pass.
    """

    needs: ClassVar[Literal["nothing", "losses", "gramian"]] = "nothing"
    at: Site = "representation"
    needs_outcome: ClassVar[bool] = False

    @abstractmethod
    @override
    def forward(self, seen: StepLosses) -> Tensor:
        """Return the weight ``[task]`` of each task's mean loss; called once per step."""

    def own_loss(self, losses: Tensor) -> Tensor | None:  # noqa: ARG002
        """Return the loss of the rule's own parameters, ``[task]``, or None for a rule without parameters.

        The loss is multiplied by the tasks' declared weights; a task that is not present is left out.

        Args:
            losses: ``[task]``, the losses of the whole step, without gradient.
        """
        return None

    def after_step(self, seen: StepLosses, losses: Tensor) -> None:
        """Update the rule with the losses ``[task]`` after the step, computed on the step's rows."""

    def after_epoch(self, losses: Tensor) -> None:
        """Update the rule with an epoch's mean losses ``[task]``, NaN for a task without a row."""


class GramianRule(BalanceRule):
    """A rule whose weights are computed from the Gramian alone.

    Args:
        at: where the gradients are taken.
    """

    needs = "gramian"

    def __init__(self, *, at: Site = "representation") -> None:
        super().__init__()
        self.at = at

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        gramian = given(seen)
        squares = gramian.diagonal()
        # tasks without a gradient are left out
        index = (seen.present & (squares > NOTHING * squares.max())).nonzero().squeeze(1)
        weights = torch.zeros_like(gramian[0])
        if len(index):
            weights[index] = self.solve(unit_free(gramian[index][:, index])).to(weights)
        return weights

    @abstractmethod
    def solve(self, gramian: Tensor) -> Tensor:
        """Return the weights ``[task]`` from the Gramian of tasks that are all present, in float64 on the CPU.

        The Gramian is scaled to a mean squared norm of 1.
        """


def given(seen: StepLosses) -> Tensor:
    """Return the Gramian of a step."""
    assert seen.gramian is not None
    return seen.gramian


def norms(seen: StepLosses) -> Tensor:
    """Return the norm ``[task]`` of every task's gradient."""
    return given(seen).diagonal().clamp(min=0).sqrt()


def unit_free(gramian: Tensor) -> Tensor:
    """Return a Gramian in float64 on the CPU, scaled to a mean squared norm of 1.

    Gradients of mean losses at the rows of a batch are small, and smaller in larger batches; solvers treat small values
    as zero.
    """
    exact = gramian.detach().cpu().double()
    mean = exact.diagonal().mean()
    return exact / mean if mean > 0 else exact


def over_present(present: Tensor, values: Tensor) -> Tensor:
    """Return the mean of values ``[task]`` over the tasks that are present; 0 if none is present."""
    return torch.where(present, values, 0).sum() / present.sum().clamp(min=1)
