"""Losses for a step of a funnel, whose label is observed only if the step before was taken.

Each function takes a :class:`Step` and returns the loss of every row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gatewise.tasks.funnel.probabilities import LogProbability, of_all


@dataclass(frozen=True)
class Step:
    """One step of a funnel, for some rows.

    Attributes:
        before: log probability of reaching the step.
        given: log probability of taking the step, given that it was reached.
        taken: ``[row]``, 1 if the step was taken.
        came: ``[row]``, 1 if the step was reached.
        imputed: the imputation head's estimate of ``given``, or None.
        clip: smallest propensity.
    """

    before: LogProbability
    given: LogProbability
    taken: Tensor
    came: Tensor
    imputed: LogProbability | None = None
    clip: float = 0.01

    @property
    def propensity(self) -> Tensor:
        """Probability of reaching the step, clipped from below, without gradient."""
        return self.before.yes.detach().exp().clamp(min=self.clip)


def entire_space(step: Step) -> Tensor:
    r"""Return the loss of the probability that all steps are taken, over all rows; it trains the step as a factor.

    .. math:: \ell = \mathrm{BCE}(\textstyle\prod_j p_j, y)

    Ma et al.: Entire Space Multi-Task Model. SIGIR 2018. Wen et al.: Entire Space Multi-Task Modeling via Post-Click
    Behavior Decomposition (ESM2). SIGIR 2020.
    """
    return of_all([step.before, step.given]).cross_entropy(step.taken)


def observed(step: Step) -> Tensor:
    r"""Return the loss of the step over the rows that reached it.

    .. math:: \ell = \mathrm{BCE}(p, y), \quad o = 1
    """
    return step.given.cross_entropy(step.taken)


def inverse_propensity(step: Step) -> Tensor:
    r"""Return the loss of the step over all rows, with inverse propensity weights for the rows that reached it.

    .. math:: \ell = \frac{o}{\max(\hat p_o, c)} \, \mathrm{BCE}(p, y)

    where o is 1 if the step was reached, :math:`\hat p_o` is the predicted probability of reaching it, without
    gradient, and c the clip.

    Wang et al.: ESCM2: Entire Space Counterfactual Multi-Task Model for Post-Click Conversion Rate Estimation. SIGIR
    2022.
    """
    return step.came / step.propensity * step.given.cross_entropy(step.taken)


def doubly_robust(step: Step) -> Tensor:
    r"""Return the loss of the step over all rows, from imputed labels corrected by the observed labels.

    .. math::
        \ell = \mathrm{BCE}(p, \tilde y) + \frac{o}{\hat p_o} \, \mathrm{BCE}(r, y), \qquad
        \tilde y = r + \frac{o}{\hat p_o} (y - r)

    where r is the imputation head's output, trained by the second term and without gradient in the first. The loss is
    unbiased if either the propensities or the imputed labels are right.

    Wang et al.: ESCM2. SIGIR 2022.
    """
    # NOTE[DIFF]: the head imputes the label and not the error, so that the first term also trains the step in rows
    # that did not reach it; the paper's imputed error trains the step through shared layers only
    assert step.imputed is not None
    seen = step.came / step.propensity
    guess = step.imputed.yes.detach().exp()
    pseudo = guess + seen * (step.taken - guess)
    return step.given.cross_entropy(pseudo) + seen * step.imputed.cross_entropy(step.taken)


LEARNING: dict[str, Callable[[Step], Tensor]] = {
    "entire_space": entire_space,
    "observed": observed,
    "ips": inverse_propensity,
    "dr": doubly_robust,
}


def joint_label(labels: list[Tensor]) -> Tensor:
    """Return whether all steps were taken, ``[row]``: the first label that is not 1 (0 or NaN), else 1."""
    joint = labels[0]
    for label in labels[1:]:
        joint = torch.where(joint == 1, label, joint)
    return joint


def all_taken(came: Tensor, own: Tensor, *, waits: bool) -> Tensor:
    """Return the label of all steps, ``[row]``: the own one in rows that came, else that of the steps before.

    Where labels are waited for, a row whose own label is missing is left out: of young rows, those that left the funnel
    early would otherwise be known, and those that may still convert would not.
    """
    taken = torch.where(came == 1, own, came)
    return torch.where(own.isnan(), torch.nan, taken) if waits else taken
