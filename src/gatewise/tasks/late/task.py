"""A binary label that is learnt from before it is final."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.tasks.binary import BinaryTask
from gatewise.tasks.choices import check_choice
from gatewise.tasks.funnel.probabilities import of_score
from gatewise.tasks.late.delayed_feedback import DelayedFeedback
from gatewise.tasks.late.estimator import Estimator, LateRows
from gatewise.tasks.late.importance import Importance
from gatewise.tasks.rows import ByTask

LATE: dict[str, type[Estimator]] = {"delayed_feedback": DelayedFeedback, "importance": Importance}
"""Estimators by name."""
UNKNOWN = -1.0


class LateTask(BinaryTask):
    """The probability that a label is 1 once it is final, learnt also of rows in which it is not final yet.

    The tower's first score says the probability; the others belong to the estimator's model of the wait until a one is
    seen. Labels have three columns: the label so far, the row's age and the wait for a one, both as shares of the delay
    after which the label is final. Metrics are those of the rows whose label is final.

    Args:
        name, weight, **options: see :class:`BinaryTask`.
        late: the estimator's name, see :data:`LATE`.
        rate: share of ones among final rows.
        mean_wait, bounds: of the waits in the training table, see :class:`Estimator`.

    Raises:
        DeclarationError: unknown estimator.
    """

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        late: str = "delayed_feedback",
        within: str | None = None,
        rate: float = 0.5,
        mean_wait: float = 0.25,
        bounds: Sequence[float] = (0.0, 0.25, 0.5, 1.0),
        grouped: bool = False,
    ) -> None:
        super().__init__(name, weight, within=within, rate=rate, grouped=grouped)
        check_choice("late", late, LATE)
        self.late = LATE[late](mean_wait, bounds)
        self.num_scores = 1 + len(self.late.starts)
        self.num_labels = self.num_targets = 3

    @property
    @override
    def initial_bias(self) -> float | tuple[float, ...]:
        rate = super().initial_bias
        assert isinstance(rate, float)
        return (rate, *self.late.starts)

    @property
    @override
    def same_losses(self) -> Hashable:
        return self

    @override
    def targets(self, labels: Tensor) -> Tensor:
        """Return the labels, with a wait below 0 where none is known."""
        known = labels.isnan().logical_not()
        known[:, 0] = True
        return torch.where(known, labels, UNKNOWN)

    @override
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        ones, age, wait = targets[:, 0] == 1, targets[:, 1], targets[:, 2]
        return self.late.losses(LateRows(of_score(scores[:, 0]), scores[:, 1:], ones, age, wait))

    @override
    def judged(self, labels: ByTask) -> dict[str, Tensor]:
        own = labels[self.name]
        return {self.name: torch.where(own[:, 1] >= 1, own[:, 0], torch.nan)}

    @override
    def merged(self, scores: Tensor) -> Tensor:
        return torch.cat([super().merged(scores[:, :, :1]), scores[:, :, 1:].mean(dim=1)], dim=1)

    @override
    def predict(self, scores: Tensor) -> Tensor:
        return super().predict(scores[:, 0])
