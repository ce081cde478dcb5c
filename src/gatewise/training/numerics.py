"""Large numbers: clipping of gradients, and losses or weights that are infinite or NaN."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gatewise.errors import TrainingError
from gatewise.processes import Processes
from gatewise.tasks import Task


@torch.no_grad()
def clip_gradients(
    parameters: Sequence[nn.Parameter],
    longest: float,
    shards: Sequence[nn.Parameter] = (),
    processes: Processes | None = None,
) -> Tensor:
    r"""Scale all gradients by one factor, so that their joint norm is at most ``longest``.

    .. math:: g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert_2 + 10^{-6}}\right)

    Sparse gradients must be coalesced; their norm is the norm of their values.

    Args:
        parameters: with the same gradients in all processes.
        longest: c.
        shards: with gradients of which every process has a part of the rows.
        processes: the processes that have the shards.

    Returns:
        The norm before clipping.
    """
    gradients, of_shards = _values(parameters), _values(shards)
    # tables may be in the host's memory, and the model elsewhere
    device = next((each.device for each in gradients if each.device.type != "cpu"), torch.device("cpu"))
    norms = [torch.linalg.vector_norm(gradient).to(device) for gradient in gradients]
    if processes is not None and shards:
        parts = torch.stack([torch.linalg.vector_norm(gradient) for gradient in of_shards])
        norms.append(processes.sum(parts.square().sum()).sqrt())
    norm = torch.linalg.vector_norm(torch.stack(norms))
    factor = (longest / (norm + 1e-6)).clamp(max=1.0)
    for gradient in gradients + of_shards:
        gradient.mul_(factor.to(gradient.device))
    return norm


def _values(parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    return [p.grad._values() if p.grad.is_sparse else p.grad for p in parameters if p.grad is not None]


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
