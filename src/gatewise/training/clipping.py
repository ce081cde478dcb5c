"""Clipping of gradients by their norm."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def clip_gradients(parameters: list[nn.Parameter], longest: float) -> Tensor:
    r"""Scale all gradients by one factor, so that their joint norm is at most ``longest``.

    .. math:: g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert_2 + 10^{-6}}\right)

    Sparse gradients must be coalesced; their norm is the norm of their values.

    Returns:
        The norm before clipping.
    """
    gradients = [p.grad._values() if p.grad.is_sparse else p.grad for p in parameters if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))
    factor = (longest / (norm + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor)
    return norm
