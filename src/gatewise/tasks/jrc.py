"""Binary labels that are ranked and calibrated together."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.tasks.binary import BinaryTask
from gatewise.tasks.ranked import listwise
from gatewise.tasks.rows import Rows


class JointTask(BinaryTask):
    r"""A probability from two scores, one per class, that also ranks the rows of a group.

    .. math::
        \hat p_i = \frac{e^{s_{i1}}}{e^{s_{i0}} + e^{s_{i1}}}, \qquad
        \ell_i = -\alpha \ln \hat p_i(y_i) - (1 - \alpha) \ln \frac{e^{s_{i y_i}}}{\sum_{j \in g} e^{s_{j y_i}}}

    where g is the group of row i in the batch. The difference of the scores says how likely the label is; their common
    level is free, and lets the score of each class be ranked within the group: rows with label 1 by :math:`s_1`, rows
    with label 0 by :math:`s_0`. Rows outside the task's sample, or without a group, are not compared.

    Args:
        name, weight, **options: see :class:`BinaryTask`.
        calibration_share: :math:`\alpha`.

    References:
        Sheng et al.: Joint Optimization of Ranking and Calibration with Contextualized Hybrid Model. KDD 2023.
    """

    reads_groups = True
    num_scores = 2

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        calibration_share: float = 0.5,
        within: str | None = None,
        rate: float = 0.5,
        grouped: bool = True,
        kept: float | Literal["column"] = 1.0,
    ) -> None:
        super().__init__(name, weight, within=within, rate=rate, grouped=grouped, kept=kept)
        self.calibration_share = calibration_share

    @property
    @override
    def initial_bias(self) -> float | tuple[float, ...]:
        """Scores of the two classes, whose difference is the log odds of the training rate."""
        log_odds = super().initial_bias
        assert isinstance(log_odds, float)
        return (-log_odds / 2, log_odds / 2)

    @property
    @override
    def same_losses(self) -> Hashable:
        return type(self), self.calibration_share

    @override
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Return the calibration loss of every row, times its share."""
        return self.calibration_share * super().losses(scores[:, 1] - scores[:, 0], targets)

    @override
    def losses_among(self, rows: Rows) -> Tensor:
        scores, targets = rows.scores[self.name], rows.targets[self.name]
        losses = self.losses(scores, targets)
        compared = rows.grouped(self.name)
        if compared is None:
            return losses
        index, groups = compared
        chosen, ones = scores[index], targets[index]
        ranked = listwise(chosen[:, 1], ones, groups) + listwise(chosen[:, 0], 1 - ones, groups)
        return losses.index_add(0, index, (1 - self.calibration_share) * ranked)

    @override
    def merged(self, scores: Tensor) -> Tensor:
        """Return two scores, whose difference is that of the mean probability and whose level is the mean level."""
        level, half = scores.mean(dim=(1, 2)), super().merged(scores.diff(dim=2).squeeze(2)) / 2
        return torch.stack([level - half, level + half], dim=1)

    @override
    def predict(self, scores: Tensor) -> Tensor:
        return super().predict(scores.double().diff(dim=1).squeeze(1))
