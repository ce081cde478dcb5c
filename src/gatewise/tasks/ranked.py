"""Binary labels with a ranking loss within groups."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import softplus
from typing_extensions import override

from gatewise.tasks.binary import BinaryTask
from gatewise.tasks.choices import check_choice
from gatewise.tasks.rows import Rows


class RankedBinaryTask(BinaryTask):
    r"""A probability that also ranks the rows of a group: cross entropy plus a ranking loss.

    .. math::
        \text{pairwise: } r_i = \frac{y_i}{|N_g|} \sum_{j \in N_g} \ln(1 + e^{s_j - s_i}), \qquad
        \text{listwise: } r_i = -y_i \ln \frac{e^{s_i}}{\sum_{j \in g} e^{s_j}}

    where g is the group of row i in the batch and :math:`N_g` are its rows with label 0. The loss of a row is
    :math:`\ell_i + \lambda r_i`. Rows outside the task's sample, or without a group, are not compared.

    Args:
        name, weight, **options: see :class:`BinaryTask`.
        ranking: ``pairwise`` or ``listwise``.
        ranking_weight: :math:`\lambda`.

    Raises:
        DeclarationError: unknown ranking loss.

    References:
        Burges et al.: Learning to Rank using Gradient Descent. ICML 2005.
        Cao et al.: Learning to Rank: From Pairwise Approach to Listwise Approach. ICML 2007.
    """

    reads_groups = True

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        ranking: str = "pairwise",
        ranking_weight: float = 1.0,
        within: str | None = None,
        focal: float = 0.0,
        rate: float = 0.5,
        grouped: bool = True,
        kept: float | Literal["column"] = 1.0,
    ) -> None:
        super().__init__(name, weight, within=within, focal=focal, rate=rate, grouped=grouped, kept=kept)
        check_choice("ranking", ranking, RANKING)
        self.ranking, self.ranking_weight = ranking, ranking_weight

    @override
    def losses_among(self, rows: Rows) -> Tensor:
        scores, targets = rows.scores[self.name], rows.targets[self.name]
        losses = self.losses(scores, targets)
        compared = rows.grouped(self.name)
        if compared is None:
            return losses
        index, groups = compared
        ranked = RANKING[self.ranking](scores[index], targets[index], groups)
        return losses.index_add(0, index, self.ranking_weight * ranked)


def pairwise(scores: Tensor, targets: Tensor, groups: Tensor) -> Tensor:
    """Return the pairwise loss of each positive against the negatives of its group; all are ``[row]``."""
    padded, place = _by_group(groups)
    # [group, longest]
    values, labels = scores[padded], targets[padded]
    negative = place * (labels == 0)
    # [group, positive, negative]
    lost = softplus(values.unsqueeze(1) - values.unsqueeze(2)) * negative.unsqueeze(1)
    mean = lost.sum(dim=2) / negative.sum(dim=1, keepdim=True).clamp(min=1)
    return torch.zeros_like(scores).index_add(0, padded[place], (labels * mean)[place])


def listwise(scores: Tensor, targets: Tensor, groups: Tensor) -> Tensor:
    """Return the cross entropy of each positive under a softmax over its group; all are ``[row]``."""
    padded, place = _by_group(groups)
    values = scores[padded].masked_fill(~place, torch.finfo(scores.dtype).min)
    shares = values.log_softmax(dim=1)
    return torch.zeros_like(scores).index_add(0, padded[place], -(targets[padded] * shares)[place])


def _by_group(groups: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows of each group, ``[group, longest]``, and the padding mask (False for padding)."""
    order = groups.argsort(stable=True)
    lengths = torch.unique_consecutive(groups[order], return_counts=True)[1]
    starts = lengths.cumsum(0) - lengths
    position = torch.arange(int(lengths.max()), device=groups.device)
    place = position < lengths.unsqueeze(1)
    return order[(starts.unsqueeze(1) + position).clamp(max=len(order) - 1)], place


RANKING = {"pairwise": pairwise, "listwise": listwise}
