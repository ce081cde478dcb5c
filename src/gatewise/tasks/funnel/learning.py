"""Ways to learn a step of a funnel that is seen only where the step before it was taken.

Each takes a step's probabilities and what is known of the rows, and gives the loss of every row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gatewise.tasks.funnel.probabilities import LogProbability, of_all


@dataclass(frozen=True)
class Step:
    """One step, in some rows.

    Attributes:
        before: that of having come to the step.
        given: that of the step, for those who came to it.
        taken: ``[row]``, 1 where it was taken.
        came: ``[row]``, 1 where someone came to it.
        imputed: what an imputation head says of ``given``, where there is one.
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
        """Probability of having come to the step, from below clipped, without gradient."""
        return self.before.yes.detach().exp().clamp(min=self.clip)


def entire_space(step: Step) -> Tensor:
    r"""Learn that all steps are taken, over all rows; the step itself is learnt through it.

    .. math:: \ell = \mathrm{BCE}(\textstyle\prod_j p_j, y)

    Ma et al.: Entire Space Multi-Task Model. SIGIR 2018. Wen et al.: Entire Space Multi-Task Modeling via Post-Click
    Behavior Decomposition (ESM2). SIGIR 2020.
    """
    return of_all([step.before, step.given]).cross_entropy(step.taken)


def observed(step: Step) -> Tensor:
    r"""Learn the step in the rows of those who came to it.

    .. math:: \ell = \mathrm{BCE}(p, y), \quad o = 1
    """
    return step.given.cross_entropy(step.taken)


def inverse_propensity(step: Step) -> Tensor:
    r"""Learn the step over all rows: those who came stand for others who were as unlikely to come.

    .. math:: \ell = \frac{o}{\max(\hat p_o, c)} \, \mathrm{BCE}(p, y)

    where o says who came, :math:`\hat p_o` is the predicted probability of coming, without gradient, and c the clip.

    Wang et al.: ESCM2: Entire Space Counterfactual Multi-Task Model for Post-Click Conversion Rate Estimation. SIGIR
    2022.
    """
    return step.came / step.propensity * step.given.cross_entropy(step.taken)


def doubly_robust(step: Step) -> Tensor:
    r"""Learn the step over all rows from imputed labels, corrected by those that are seen.

    .. math::
        \ell = \mathrm{BCE}(p, \tilde y) + \frac{o}{\hat p_o} \, \mathrm{BCE}(r, y), \qquad
        \tilde y = r + \frac{o}{\hat p_o} (y - r)

    where r is what the imputation head says, learnt by the second term and without gradient in the first. It is right
    where either the propensities or the imputed labels are.

    Wang et al.: ESCM2. SIGIR 2022.
    """
    # NOTE[DIFF]: the head imputes the label and not the error, so that the first term moves the step itself in rows
    # where nobody came; the paper's imputed error reaches it through shared layers alone
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
    """Return whether all steps were taken, ``[row]``: 0 from the first that was not, NaN from the first unknown."""
    joint = labels[0]
    for label in labels[1:]:
        joint = torch.where(joint == 1, label, joint)
    return joint
