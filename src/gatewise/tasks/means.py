"""Scores that predict the mean of several predictions, in logarithms that are finite for any score."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


def logit_of_mean(scores: Tensor, log_weights: Tensor | None = None) -> Tensor:
    r"""Return the score whose probability is the mean of the scores' probabilities, over the second dimension.

    .. math:: \ln \frac{\sum_i w_i \sigma(s_i)}{\sum_i w_i \sigma(-s_i)}

    Args:
        scores: ``[row, member, ...]``.
        log_weights: logarithms of the weights, of the same shape; None: all equal.
    """
    yes, no = logsigmoid(scores), logsigmoid(-scores)
    if log_weights is not None:
        yes, no = yes + log_weights, no + log_weights
    return torch.logsumexp(yes, dim=1) - torch.logsumexp(no, dim=1)


def log_of_mean(logarithms: Tensor) -> Tensor:
    """Return the logarithm of the mean of numbers, given their logarithms ``[row, member, ...]``."""
    uniform = torch.full((), logarithms.shape[1], dtype=logarithms.dtype, device=logarithms.device).log()
    return torch.logsumexp(logarithms, dim=1) - uniform
