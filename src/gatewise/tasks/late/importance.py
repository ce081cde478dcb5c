"""Importance weights for zeros that may be ones to come."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.tasks.late.estimator import LEAST, Estimator, LateRows

FEWEST = 0.05
"""Share of the ones that must have been seen by a row's age; younger rows teach nothing."""


class Importance(Estimator):
    r"""Cross entropy with importance weights: of the ones that were seen for those to come, of zeros for fake ones.

    .. math::
        \ell = -\frac{y}{F(a)} \ln p - (1 - y) \frac{1 - p}{1 - p F(a)} \ln (1 - p), \qquad
        F(a) = \sum_k \pi_k \, \mathrm{clip}\left(\frac{a - b_k}{b_{k + 1} - b_k}, 0, 1\right)

    with the probability p of the final label and the share F of ones that are seen by the age a, in units of the
    delay. The weights are the ratios of what is wanted to what is seen, :math:`p / (p F)` and
    :math:`(1 - p) / (1 - p F)`; they have no gradient. The shares :math:`\pi`, a softmax of further scores of the
    task's tower, are learnt of the ones with a known wait, given that they are seen: :math:`-\ln (\pi_k / F(a))`. The
    wait may have any shape. Rows in which F is below 0.05 weigh 0: F does not depend on the label, so that no label is
    favoured.

    References:
        Yang et al.: Capturing Delayed Feedback in Conversion Rate Prediction via Elapsed-Time Sampling. AAAI 2021.
    """

    # NOTE[DIFF]: the paper's stream holds a late one twice, as a zero at a fixed age and as a one when it comes, and
    # two classifiers learn its weights. A table holds every row once, at the age that the row has, so the same ratios
    # are those of F(a), which one model of waits says for any age.

    @property
    @override
    def starts(self) -> tuple[float, ...]:
        return (0.0,) * (len(self.bounds) - 1)

    @override
    def losses(self, rows: LateRows) -> Tensor:
        parts = rows.delay.softmax(dim=1)
        passed = self._passed(rows.age)
        seen = (parts * passed).sum(dim=1).clamp(min=LEAST)
        share = torch.where(rows.final, 1.0, seen.detach())
        yes, no = rows.probability
        chance = yes.detach().exp()
        weight = torch.where(rows.ones, 1 / share, (1 - chance) / (1 - chance * share).clamp(min=LEAST))
        entropy = weight * -torch.where(rows.ones, yes, no)
        return torch.where(share >= FEWEST, entropy, 0.0) + self._of_waits(rows, parts * passed, seen)

    def _passed(self, age: Tensor) -> Tensor:
        """Return how much of each part of the delay has passed, ``[row, part]``."""
        return torch.stack([((age - b) / (c - b)).clamp(0, 1) for b, c in pairwise(self.bounds)], dim=1)

    def _of_waits(self, rows: LateRows, mass: Tensor, seen: Tensor) -> Tensor:
        known = rows.ones & (rows.wait >= 0)
        inner = torch.tensor(self.bounds[1:-1], dtype=rows.wait.dtype, device=rows.wait.device)
        part = torch.bucketize(rows.wait.contiguous(), inner).unsqueeze(1)
        own = mass.gather(1, part).squeeze(1).clamp(min=LEAST)
        return torch.where(known, seen.log() - own.log(), 0.0).clamp(min=0)
