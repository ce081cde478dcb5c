"""Gradients no longer than a given norm."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def clip_gradients(parameters: list[nn.Parameter], longest: float) -> Tensor:
    r"""Scale all gradients by the same factor, so that together they are no longer than ``longest``.

    .. math:: g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert_2 + 10^{-6}}\right)

    Sparse gradients must be coalesced: their norm is that of their values.

    Returns:
        The norm before.
    """
    gradients = [p.grad._values() if p.grad.is_sparse else p.grad for p in parameters if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))
    factor = (longest / (norm + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor)
    return norm
