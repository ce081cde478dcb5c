"""A binary label that can be 1 only after another binary label."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.names import given_name, joint_name
from gatewise.tasks.binary import BinaryTask
from gatewise.tasks.choices import check_choice
from gatewise.tasks.funnel.learning import LEARNING, Step, all_taken, joint_label
from gatewise.tasks.funnel.probabilities import LogProbability, of_all, of_branches, of_score
from gatewise.tasks.means import logit_of_mean
from gatewise.tasks.rows import ByTask, Rows


class FunnelTask(BinaryTask):
    r"""A step of a funnel: its probability given the step before, and the probability of all steps.

    .. math:: p(\text{click and buy}) = p(\text{click}) \, p(\text{buy} \mid \text{click})

    The task's tower gives :math:`p(\text{buy} \mid \text{click})`. Both probabilities are predicted and judged:
    ``buy_given_click`` over the rows with a click, ``click_and_buy`` over all rows.

    Args:
        name: names the step.
        weight: multiplies the task's loss.
        after: the previous steps in order, all binary tasks; each but the first is a step after the one before it.
        learn: ``entire_space``, ``observed``, ``ips`` or ``dr``, see :mod:`gatewise.tasks.funnel.learning`.
        through: an optional step in between, after the same step as this one; the tower then gives this step's
            probability with and without it.
        clip: smallest propensity of ``ips`` and ``dr``.
        rate: share of ones among the training rows that reached the step, which the untrained model predicts.
        grouped: whether metrics within groups are computed.
        kept: share of the negatives among the rows that reached the step which tables with labels still hold.
        waits: whether a missing label is one that is not final yet: its row is then outside of both samples, whether it
            reached the step or not. Otherwise a row that did not reach the step needs no label.

    Raises:
        DeclarationError: unknown ``learn``.
    """

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        after: Sequence[FunnelTask | BinaryTask],
        learn: str = "entire_space",
        through: FunnelTask | None = None,
        clip: float = 0.01,
        rate: float = 0.5,
        grouped: bool = False,
        kept: float = 1.0,
        waits: bool = False,
    ) -> None:
        super().__init__(name, weight, rate=rate, grouped=grouped, kept=kept)
        self.waits = waits
        check_choice("learn", learn, LEARNING)
        self.after, self.learn, self.through, self.clip = tuple(after), learn, through, clip
        branches = 1 if through is None else 2
        self.num_scores = branches + (learn == "dr")
        self.num_targets = 2
        self.given = given_name(name, after[-1].name)
        self.joint = joint_name([step.name for step in (*after, self)])

    @property
    @override
    def columns(self) -> tuple[str, ...]:
        return self.given, self.joint

    @property
    @override
    def outputs(self) -> tuple[str, ...]:
        return self.given, self.joint

    def step_probability(self, scores: ByTask) -> LogProbability:
        """Return the step's log probability, given that it was reached, from the scores of all tasks."""
        own = scores[self.name]
        if self.num_scores == 1:
            return of_score(own)
        if self.through is None:
            return of_score(own[..., 0])
        branch = self.through.step_probability(scores)
        return of_branches(branch, of_score(own[..., 0]), of_score(own[..., 1]))

    def steps_before(self, scores: ByTask) -> list[LogProbability]:
        """Return the log probability of each previous step, given that it was reached."""
        return step_probabilities(self.after, scores)

    def _taken(self, labels: ByTask) -> tuple[Tensor, Tensor]:
        """Return whether all steps were taken, and all steps before this one, each ``[row]``."""
        came = joint_label([labels[step.name] for step in self.after])
        return all_taken(came, labels[self.name], waits=self.waits), came

    @override
    def targets_among(self, labels: ByTask) -> Tensor:
        """Return ``[row, 2]``: whether the step was taken, NaN outside the sample, and whether it was reached."""
        taken, came = self._taken(labels)
        if self.learn == "observed":
            taken = torch.where(came == 1, taken, torch.nan)
        return torch.stack([taken, came], dim=1)

    @override
    def losses_among(self, rows: Rows) -> Tensor:
        taken, came = rows.targets[self.name].unbind(dim=1)
        own = rows.scores[self.name]
        step = Step(
            before=of_all(self.steps_before(rows.scores)),
            given=self.step_probability(rows.scores),
            taken=taken,
            came=came,
            imputed=of_score(own[:, -1]) if self.learn == "dr" else None,
            clip=self.clip,
        )
        return LEARNING[self.learn](step)

    @override
    def merged_among(self, scores: ByTask) -> Tensor:
        r"""Return the scores whose joint probability is the mean of the members' joint probabilities.

        .. math:: p(	ext{buy} \mid 	ext{click}) = rac{\sum_i p_i(	ext{click}) \, p_i(	ext{buy} \mid 	ext{click})}
            {\sum_i p_i(	ext{click})}

        A member counts as much as it holds the step to be reached, and the branch to be taken.
        """
        reached = of_all(self.steps_before(scores)).yes
        if self.num_scores == 1:
            return logit_of_mean(scores[self.name], reached)
        weights = [reached] * self.num_scores
        if self.through is not None:
            branch = self.through.step_probability(scores)
            weights[:2] = [reached + branch.yes, reached + branch.no]
        return logit_of_mean(scores[self.name], torch.stack(weights, dim=2))

    @override
    def predictions(self, scores: ByTask, labels: ByTask) -> dict[str, Tensor]:
        """Return the probability of the step given the step before, and of all steps: exactly the product of all."""
        exact = {name: score.double() for name, score in scores.items()}
        given = self.step_probability(exact).yes.exp()
        return {self.given: given, self.joint: probability_of_steps(self.after, scores) * given}

    @override
    def judged(self, labels: ByTask) -> dict[str, Tensor]:
        taken, came = self._taken(labels)
        return {self.given: torch.where(came == 1, taken, torch.nan), self.joint: taken}

    @override
    def judged_weights(self, labels: ByTask) -> dict[str, Tensor]:
        """Return the counts of rows: a row without all steps counts as for the first step that was not taken."""
        steps = (*self.after, self)
        if all(step.kept == 1 for step in steps):
            return {}
        counts = torch.ones_like(labels[self.name])
        for step in reversed(steps):
            counts = torch.where(labels[step.name] == 0, step.counts(labels[step.name]), counts)
        return {self.given: self.counts(labels[self.name]), self.joint: counts}


def step_probabilities(steps: Sequence[BinaryTask], scores: ByTask) -> list[LogProbability]:
    """Return the log probability of each step of a funnel, given that it was reached."""
    first, *others = steps
    return [of_score(scores[first.name]), *(_as_step(step).step_probability(scores) for step in others)]


def probability_of_steps(steps: Sequence[BinaryTask], scores: ByTask) -> Tensor:
    """Return the float64 probability ``[row]`` of all steps of a funnel, from the scores of all tasks."""
    exact = {name: score.double() for name, score in scores.items()}
    joint = steps[0].predict(scores[steps[0].name])
    for step in steps[1:]:
        joint = joint * _as_step(step).step_probability(exact).yes.exp()
    return joint


def _as_step(task: BinaryTask) -> FunnelTask:
    assert isinstance(task, FunnelTask)
    return task
