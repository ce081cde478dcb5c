"""Large numbers: clipping of gradients, and losses or weights that are infinite or NaN."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gatewise.errors import TrainingError
from gatewise.tasks import Task


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


def check_finite(tasks: Sequence[Task], model: nn.Module, summed: Tensor, epoch: int) -> None:
    """Refuse losses or weights that are not finite; names the first such task, since others soon follow.

    Args:
        tasks: in the order of the losses.
        model: the model whose weights are checked.
        summed: ``[step, task]``, the summed losses of every step.
        epoch: number of the epoch, for the error.

    Raises:
        TrainingError: a loss or a weight is not finite.
    """
    found = ""
    finite = summed.isfinite()
    if not finite.all():
        step = int(finite.all(dim=1).int().argmin())
        task = int(finite[step].int().argmin())
        found = f"the loss of task {tasks[task].name!r} became {float(summed[step, task])}"
    else:
        for name, weight in model.named_parameters():
            if not weight.detach().sum().isfinite():
                found = f"the weights {name!r} became infinite or NaN"
    if found:
        raise TrainingError(f"{found} in epoch {epoch}: try a lower lr, clip_norm, or precision fp32")
