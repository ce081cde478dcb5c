"""Calibration of a model that was trained on a sample of the negatives."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from torch import Tensor

from gatewise.errors import ShapeError


class DownSampling:
    r"""Correct for training on all positives and a share r of the negatives: the odds are multiplied by r.

    .. math:: p' = \frac{p}{p + (1 - p) / r}

    Args:
        rate: r, the share of the negatives that was kept.

    Raises:
        ShapeError: the rate is not within 0 (excluded) and 1.

    References:
        He et al.: Practical Lessons from Predicting Clicks on Ads at Facebook. ADKDD 2014.

    Example:
        >>> import torch
        >>> DownSampling(0.1)(torch.tensor([0.5, 0.0, 1.0], dtype=torch.float64)).round(decimals=4).tolist()
        [0.0909, 0.0, 1.0]
    """

    method: ClassVar[str] = "down_sampling"

    def __init__(self, rate: float) -> None:
        if not 0 < rate <= 1:
            raise ShapeError(f"down_sampling: expected a rate above 0 and at most 1, found {rate:g}")
        self.rate = rate

    def fit(self, probabilities: Tensor, labels: Tensor) -> Self:  # noqa: ARG002
        """Return the calibrator itself, which learns nothing."""
        return self

    def __call__(self, probabilities: Tensor) -> Tensor:  # noqa: D102
        probabilities = probabilities.double()
        return probabilities / (probabilities + (1 - probabilities) / self.rate)

    def state(self) -> dict[str, Any]:  # noqa: D102
        return {"rate": self.rate}
