"""The interface to TorchJD, whose weightings some rules use."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import GramianRule, Site
from gatewise.errors import MissingExtraError


class OfTorchJD(GramianRule):
    """A rule whose weights are computed from the Gramian by a weighting of TorchJD.

    Args:
        weighting: the weighting's name in ``torchjd.aggregation``.
        at: where the gradients are taken.
        **options: options of the weighting.

    Raises:
        MissingExtraError: TorchJD, or a solver that the weighting uses, is not installed.
    """

    def __init__(self, weighting: str, *, at: Site = "representation", **options: Any) -> None:
        super().__init__(at=at)
        try:
            from torchjd import aggregation

            self.weighting = getattr(aggregation, weighting)(**options)
        except ImportError:
            raise MissingExtraError("balance", f"balancing by {type(self).__name__}") from None

    @override
    def solve(self, gramian: Tensor) -> Tensor:
        weights: Tensor = self.weighting(gramian)
        return weights
