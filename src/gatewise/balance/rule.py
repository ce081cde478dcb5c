"""The contract of every balancing rule."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

Site = Literal["representation", "experts", "last_shared_layer"]
"""Where tasks' gradients are taken: what the input layer gives, the experts' weights, or those of their last layer."""


NOTHING = 1e-12
"""The share of the largest squared norm up to which a gradient is rounding."""


class StepLosses(NamedTuple):
    """What a rule sees of a step.

    Shape:
        - present: ``[task]`` bool, whether the task has a row in the step and a declared weight above 0
        - losses: ``[task]``, without gradient, the mean over the task's rows in the whole step; zeros for a rule that
          needs nothing
        - gramian: ``[task, task]``, the inner products of the gradients of these losses; None unless the rule needs it
    """

    present: Tensor
    losses: Tensor
    gramian: Tensor | None = None


class BalanceRule(nn.Module):
    """Losses in, task weights out; one ordinary weighted backward pass follows.

    A rule says what it needs, and the training loop asks no more of it. It may have parameters of its own (they are
    trained with the model's, on :meth:`own_loss`) and buffers (they are saved with it, so that a training goes on from
    a checkpoint as if it had never stopped). A task that is not present keeps what the rule knows of it, and the others
    get the weights that they would get without it.

    Attributes:
        needs: of a step, before it is made.
        at: where the gradients of the Gramian are taken.
        needs_outcome: whether :meth:`after_step` wants the losses after the step; that takes another forward pass.
    """

    needs: ClassVar[Literal["nothing", "losses", "gramian"]] = "nothing"
    at: Site = "representation"
    needs_outcome: ClassVar[bool] = False

    @abstractmethod
    @override
    def forward(self, seen: StepLosses) -> Tensor:
        """Return the weight ``[task]`` of each task's mean loss; called once a step."""

    def own_loss(self, losses: Tensor) -> Tensor | None:  # noqa: ARG002
        """Return what the rule's parameters minimise, ``[task]``, or None for a rule without parameters.

        The tasks' declared weights scale it, and a task that is not present is left out.

        Args:
            losses: ``[task]``, those of the whole step, without gradient.
        """
        return None

    def after_step(self, seen: StepLosses, losses: Tensor) -> None:
        """Take note of the losses ``[task]`` after the step, on its own rows."""

    def after_epoch(self, losses: Tensor) -> None:
        """Take note of an epoch's mean losses ``[task]``, NaN for a task without a row."""


class GramianRule(BalanceRule):
    """A rule that makes its weights of the Gramian alone.

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
        # what has no gradient has no say
        index = (seen.present & (squares > NOTHING * squares.max())).nonzero().squeeze(1)
        weights = torch.zeros_like(gramian[0])
        if len(index):
            weights[index] = self.solve(unit_free(gramian[index][:, index])).to(weights)
        return weights

    @abstractmethod
    def solve(self, gramian: Tensor) -> Tensor:
        """Return the weights ``[task]`` of tasks that are all present, from a Gramian in float64 on the CPU.

        It is scaled to a mean squared norm of 1.
        """


def given(seen: StepLosses) -> Tensor:
    """Return the Gramian of what is seen."""
    assert seen.gramian is not None
    return seen.gramian


def norms(seen: StepLosses) -> Tensor:
    """Return the length ``[task]`` of every task's gradient."""
    return given(seen).diagonal().clamp(min=0).sqrt()


def unit_free(gramian: Tensor) -> Tensor:
    """Return a Gramian in float64 on the CPU, scaled to a mean squared norm of 1.

    Gradients of mean losses at the rows of a batch are small, the more so the larger the batch is; solvers take what is
    small for zero.
    """
    exact = gramian.detach().cpu().double()
    mean = exact.diagonal().mean()
    return exact / mean if mean > 0 else exact


def over_present(present: Tensor, values: Tensor) -> Tensor:
    """Return the mean of values ``[task]`` over the tasks that are present; 0 where none is."""
    return torch.where(present, values, 0).sum() / present.sum().clamp(min=1)
