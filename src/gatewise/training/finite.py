"""Losses and weights that became infinite or NaN."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gatewise.errors import TrainingError
from gatewise.tasks import Task


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
