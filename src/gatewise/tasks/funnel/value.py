"""A value that can be above 0 only after a step of a funnel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.names import given_name
from gatewise.tasks.binary import BinaryTask
from gatewise.tasks.funnel.learning import all_taken, joint_label
from gatewise.tasks.funnel.probabilities import of_all
from gatewise.tasks.funnel.task import probability_of_steps, step_probabilities
from gatewise.tasks.lifetime_value import LifetimeValueTask
from gatewise.tasks.rows import ByTask

LEAST = 1e-30
"""Least probability that is divided by; float32 holds it exactly enough."""


class ValueAfterTask(LifetimeValueTask):
    r"""A value after a step of a funnel: expected in rows that took the step, and in all rows.

    .. math::
        E[y] = p(\text{click and buy}) \, E[y \mid \text{buy}], \qquad
        P(y > 0) = p(\text{click and buy}) \, P(y > 0 \mid \text{buy})

    The task's tower gives the value in rows that took all steps, and learns it there; the probabilities of the steps
    are those of their own tasks. So the value is never likelier than its step. ``revenue_given_buy`` is predicted and
    judged over the rows that took all steps, ``revenue`` and ``revenue[>0]`` over all rows.

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        after: all steps in order, binary tasks; each but the first is a step after the one before it.
        rate, log_mean, log_std, log_largest: of the training labels in rows that took all steps, see
            :class:`LifetimeValueTask`.
        waits: whether a missing label is one that is not final yet, see :class:`FunnelTask`.
    """

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        after: Sequence[BinaryTask],
        rate: float = 0.5,
        log_mean: float = 0.0,
        log_std: float = 1.0,
        log_largest: float | None = None,
        waits: bool = False,
    ) -> None:
        super().__init__(name, weight, rate=rate, log_mean=log_mean, log_std=log_std, log_largest=log_largest)
        self.after, self.waits = tuple(after), waits
        self.given = given_name(name, self.after[-1].name)

    @property
    @override
    def columns(self) -> tuple[str, ...]:
        return self.name, self.positive, self.given

    @property
    @override
    def outputs(self) -> tuple[str, ...]:
        return self.positive, self.given, self.name

    def _came(self, labels: ByTask) -> Tensor:
        return joint_label([labels[step.name] for step in self.after])

    @override
    def targets_among(self, labels: ByTask) -> Tensor:
        """Return the targets, NaN in rows that did not take all steps."""
        return self.targets(torch.where(self._came(labels) == 1, labels[self.name], torch.nan))

    @override
    def predictions(self, scores: ByTask, labels: ByTask) -> dict[str, Tensor]:
        given, there = self.predict(scores[self.name]).unbind(dim=1)
        reached = probability_of_steps(self.after, scores)
        return {self.name: reached * given, self.positive: reached * there, self.given: given}

    @override
    def merged_among(self, scores: ByTask) -> Tensor:
        """Return scores whose expected value over all rows is the mean of the members' expected values.

        A member counts as much as it holds the step to be taken.
        """
        reached = of_all(step_probabilities(self.after, scores)).yes
        return self.merged_by(scores[self.name], reached)

    @override
    def judged(self, labels: ByTask) -> dict[str, Tensor]:
        came = self._came(labels)
        given = torch.where(came == 1, labels[self.name], torch.nan)
        # 0 in rows that left the funnel, whatever their label says
        joint = all_taken(came, labels[self.name], waits=self.waits)
        positive = torch.where(joint.isnan(), torch.nan, (joint > 0).double())
        return {self.positive: positive, self.given: given, self.name: joint}

    def with_steps(self, columns: ByTask, steps: Tensor, before: Tensor) -> dict[str, Tensor]:
        """Return the predictions over all rows with other probabilities ``[row]`` of all steps.

        Args:
            columns: every predicted column of the task.
            steps: the probability of all steps.
            before: the probability of all steps from which the columns were made.
        """
        there = columns[self.positive] / before.clamp(min=LEAST)
        return {self.name: steps * columns[self.given], self.positive: steps * there}
