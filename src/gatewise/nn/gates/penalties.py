"""Penalties against the collapse of gates."""

from __future__ import annotations

import torch
from torch import Tensor


def importance_variation(weights: Tensor, reach: Tensor | None = None) -> Tensor:
    r"""Return the squared coefficient of variation of the experts' total weights, the mean over gates.

    .. math:: \mathrm{CV}^2 = \frac{\mathrm{Var}_i(I_i)}{\mathrm{Mean}_i(I_i)^2}, \quad I_i = \sum_b g_{bi}

    The value is 0 if all experts of a gate have the same total weight in the batch.

    Shape:
        - weights: ``[batch, gate, expert]``
        - reach: ``[gate, expert]`` bool, or None
        - output: scalar
    """
    total = weights.sum(dim=0)
    counted = torch.ones_like(total) if reach is None else reach.to(total.dtype)
    number = counted.sum(dim=1, keepdim=True)
    mean = total.sum(dim=1, keepdim=True) / number
    variance = (counted * (total - mean).square()).sum(dim=1, keepdim=True) / number
    return (variance / mean.square().clamp(min=torch.finfo(mean.dtype).tiny)).mean()


def entropy_deficit(weights: Tensor, reach: Tensor | None = None) -> Tensor:
    r"""Return the entropy of even weights minus that of the weights, the mean over rows and gates.

    .. math:: \log E + \sum_i g_i \log g_i

    The value is 0 for even weights and log E for a gate that uses one expert.

    Shape:
        - weights: ``[batch, gate, expert]``
        - reach: ``[gate, expert]`` bool, or None; E counts the experts that a gate reaches
        - output: scalar
    """
    number = torch.full_like(weights[0, :, 0], weights.shape[2]) if reach is None else reach.sum(dim=1)
    return (number.to(weights.dtype).log() - entropy(weights).sum(dim=2)).mean()


def entropy(probabilities: Tensor) -> Tensor:
    """Return -p log p per element, with a finite gradient also at p = 0."""
    return torch.special.entr(probabilities.clamp(min=torch.finfo(probabilities.dtype).tiny))


def z_penalty(logits: Tensor) -> Tensor:
    r"""Return the squared log-sum-exp of the logits, the mean over rows and gates; as a penalty it keeps logits small.

    .. math:: \Big(\log \sum_i e^{s_i}\Big)^2

    Shape:
        - logits: ``[batch, gate, expert]``
        - output: scalar
    """
    return logits.logsumexp(dim=2).square().mean()
