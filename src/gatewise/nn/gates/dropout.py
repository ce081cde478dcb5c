"""Dropout of experts."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.draws import generator


def drop_experts(weights: Tensor, rate: float) -> Tensor:
    """Set weights to 0 with probability ``rate`` and scale the rest to sum to 1; every row keeps at least one weight.

    Shape:
        - input and output ``[..., expert]``, rows sum to 1
    """
    kept = weights * (torch.empty_like(weights).uniform_(generator=generator(weights.device)) >= rate)
    total = kept.sum(dim=-1, keepdim=True)
    left = total > 0
    return torch.where(left, kept / torch.where(left, total, 1.0), weights)
